package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// passwordFile is the file of Stack.PasswordFile in the run folder.
const passwordFile = "password"

// errNoPassword is what a rotation ends with where there is nothing to rotate.
var errNoPassword = errors.New("clients of the cache need no password; start it with one")

// keepPassword writes the first password down, if there is a local cache with one.
func (s *Stack) keepPassword(c Config) error {
	if c.Password == "" || s.Cache == nil || s.Cache.Provider != Local {
		return nil
	}
	s.acl, s.password = c.ACL, c.Password
	s.PasswordFile = filepath.Join(s.folder.path, passwordFile)
	return s.HandOver(c.Password)
}

// HandOver writes password to PasswordFile. Who reads meanwhile finds the old one or
// the new one, and never a part of it.
func (s *Stack) HandOver(password string) error {
	if s.PasswordFile == "" {
		return errNoPassword
	}
	next := s.PasswordFile + ".new"
	err := os.WriteFile(next, []byte(password+"\n"), 0o600)
	if err == nil {
		err = os.Rename(next, s.PasswordFile)
	}
	if err != nil {
		return fmt.Errorf("handing the password over: %w", err)
	}
	return nil
}

// Rotate makes every server of the cache that holds data accept password beside the
// one of now: the strategy ROTATE of ElastiCache's AUTH, which keeps two at most.
func (s *Stack) Rotate(ctx context.Context, password string) error {
	return s.allow(ctx, func(now string) []string { return []string{now, password} }, password)
}

// SetPassword makes every server of the cache that holds data accept nothing but
// password: the strategy SET of ElastiCache's AUTH. Connections that gave another one
// live on.
func (s *Stack) SetPassword(ctx context.Context, password string) error {
	return s.allow(ctx, func(string) []string { return []string{password} }, password)
}

// allow lets clients give those passwords, of which last is the one of now from then
// on. A node remembers it when it is restarted.
func (s *Stack) allow(ctx context.Context, passwords func(now string) []string, last string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.password == "" {
		return errNoPassword
	}
	rules := []string{"resetpass"}
	for _, p := range passwords(s.password) {
		rules = append(rules, hashed(p))
	}
	for _, n := range s.Servers() {
		for _, user := range s.clientUsers() {
			if _, err := n.Do(ctx, append([]string{"ACL", "SETUSER", user}, rules...)...); err != nil {
				return err
			}
		}
		if _, err := n.Do(ctx, "CONFIG", "REWRITE"); err != nil {
			return err
		}
	}
	s.password = last
	return nil
}

// clientUsers are the users that clients are.
func (s *Stack) clientUsers() []string {
	if s.acl {
		return []string{"default", AppUser}
	}
	return []string{"default"}
}
