package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A template is a data folder on which initdb has run and which holds the empty
// database: making one takes half a second, copying it some milliseconds. It is
// kept in the private cache, one for each version and user. Its lock is shared by
// those who copy, and held alone by who makes it.
type template struct {
	path string // of the data folder; it is there only when it is whole
	m    *postmaster
	run  *folder // where a new one is made
}

// templateFormat changes when what is made below changes.
const templateFormat = 1

// template returns the template for the postmaster, which may not exist yet.
func (m *postmaster) template(f *folder) (*template, error) {
	cache, err := CacheDir()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return nil, fmt.Errorf("making the cache; BROWNOUT_CACHE names another: %w", err)
	}
	name := fmt.Sprintf("postgres-template-%s-%d-v%d", m.server.Version, os.Geteuid(), templateFormat)
	return &template{path: filepath.Join(cache, name), m: m, run: f}, nil
}

// copyTo copies the template to data, and makes it first where there is none.
func (t *template) copyTo(ctx context.Context, data string) error {
	for {
		copied, err := t.copyIfThere(ctx, data)
		if err != nil || copied {
			return err
		}
		if err := t.make(ctx); err != nil {
			return fmt.Errorf("making the template %s: %w", t.path, err)
		}
	}
}

func (t *template) copyIfThere(ctx context.Context, data string) (bool, error) {
	unlock, err := t.lock(ctx, syscall.LOCK_SH)
	if err != nil {
		return false, err
	}
	defer unlock()
	if _, err := os.Stat(t.path); errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err := copyTree(ctx, t.path, data, t.m.user); err != nil {
		return false, fmt.Errorf("copying the template %s: %w", t.path, err)
	}
	return true, nil
}

// discard removes a template that is of no use.
func (t *template) discard(ctx context.Context) error {
	unlock, err := t.lock(ctx, syscall.LOCK_EX)
	if err != nil {
		return err
	}
	defer unlock()
	if err := os.RemoveAll(t.path); err != nil {
		return fmt.Errorf("removing a broken template: %w", err)
	}
	return nil
}

// make makes the template, unless another run has done so meanwhile. The servers
// run in the run folder, so that a Sweep finds what they leave when we are killed;
// only a whole folder gets the template's name.
func (t *template) make(ctx context.Context) error {
	unlock, err := t.lock(ctx, syscall.LOCK_EX)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := os.Stat(t.path); err == nil {
		return nil
	}
	parent := filepath.Join(t.run.path, "template")
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	spread(parent)
	data := filepath.Join(parent, filepath.Base(t.run.path))
	if err := t.initialise(ctx, data); err != nil {
		return err
	}
	unfinished := t.path + ".new"
	if err := os.RemoveAll(unfinished); err != nil { // of a run that was killed: we hold the lock
		return err
	}
	if err := copyTree(ctx, data, unfinished, nil); err != nil {
		return err
	}
	if err := os.Rename(unfinished, t.path); err != nil {
		return err
	}
	// Only now: after a failure the folder may be all that names a segment of shared
	// memory, and goes with the run folder.
	return os.RemoveAll(parent)
}

// lockPause is the pause between two tries to get a lock. A blocking flock would
// not hear of ctx.
const lockPause = 5 * time.Millisecond

// lock locks the template, shared or alone, and returns what unlocks it.
func (t *template) lock(ctx context.Context, how int) (unlock func(), err error) {
	f, err := os.OpenFile(t.path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the template: %w", err)
	}
	for {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("locking %s: %w", strings.TrimSuffix(f.Name(), ".lock"), context.Cause(ctx))
		case <-time.After(lockPause):
		}
	}
}
