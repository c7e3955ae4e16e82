package lab

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
)

// A rotation changes the password that clients of the cache give. It implements
// failover.Passwords, but for the names.
type rotation struct {
	lab  *Lab
	next string // the new password
}

// Rotate implements failover.Passwords.
func (r *rotation) Rotate(ctx context.Context) error {
	if r.lab.PasswordFile() == "" {
		return errors.New("there is no password to rotate; start a local cache with password: yes")
	}
	next := rand.Text()
	if err := r.lab.Stack.Rotate(ctx, next); err != nil {
		return fmt.Errorf("rotating the password: %w", err)
	}
	r.next = next
	return nil
}

// HandOver implements failover.Passwords. Addresses tell the new password from then
// on.
func (r *rotation) HandOver(context.Context) error {
	if r.next == "" {
		return errNotRotated
	}
	if err := r.lab.Stack.HandOver(r.next); err != nil {
		return err
	}
	r.lab.mu.Lock()
	defer r.lab.mu.Unlock()
	r.lab.password = r.next
	return nil
}

// Set implements failover.Passwords.
func (r *rotation) Set(ctx context.Context) error {
	if r.next == "" {
		return errNotRotated
	}
	if err := r.lab.Stack.SetPassword(ctx, r.next); err != nil {
		return fmt.Errorf("setting the password: %w", err)
	}
	return nil
}

var errNotRotated = errors.New("the password was not rotated before")

// PasswordFile is a file (mode 0600) with the password that clients of the cache are
// to give now, and a line end. It changes in one go when a rotation hands a new one
// over, and goes with Close. Empty: the cache asks for none, or is not local.
func (l *Lab) PasswordFile() string { return l.Stack.PasswordFile }

// current is the URL of a cache with the password of now in place of the first one.
func (l *Lab) current(text string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	u, err := url.Parse(text)
	if err != nil || l.password == "" || u.User == nil {
		return text
	}
	u.User = url.UserPassword(u.User.Username(), l.password)
	return u.String()
}

// sole is the site of a cache that stands alone.
type sole struct {
	rotation
	name string
}

// Names implements failover.Site.
func (s *sole) Names() (old, next string) { return s.name, s.name }
