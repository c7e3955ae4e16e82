package stack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A run folder gets its name only when its lock is held: a Sweep between making
// and locking would take it for a dead run's.
const (
	folderPrefix   = "brownout-run-"
	unlockedPrefix = "brownout-new-"
	lockName       = "lock"
)

// unlockedAge is the age at which a folder that was never locked is a dead run's:
// locking comes microseconds after making.
const unlockedAge = time.Minute

// A folder is the private folder of one run. Its lock is held while the run lives.
type folder struct {
	path string
	lock *os.File
}

// makeFolder makes a run folder in parent, or in the first default place that the
// server's user may enter.
func makeFolder(parent string) (*folder, error) {
	parents := []string{parent}
	if parent == "" {
		parents = places()
	}
	user := serverUser()
	var problems []string
	for _, parent := range parents {
		f, err := makeFolderIn(parent, user)
		if err == nil {
			return f, nil
		}
		problems = append(problems, err.Error())
	}
	return nil, fmt.Errorf("making the run folder: %s", strings.Join(problems, "; "))
}

// places are the folders in which run folders are made and swept.
func places() []string {
	var all []string
	for _, dir := range []string{os.TempDir(), "/tmp", "/var/tmp"} {
		if abs, err := filepath.Abs(dir); err == nil && !slices.Contains(all, abs) {
			all = append(all, abs)
		}
	}
	return all
}

func makeFolderIn(parent string, user *User) (*folder, error) {
	parent, err := filepath.Abs(parent)
	if err != nil {
		return nil, err
	}
	if err := enterable(parent, user); err != nil {
		return nil, err
	}
	path, err := os.MkdirTemp(parent, unlockedPrefix)
	if err != nil {
		return nil, err
	}
	f := &folder{path: path}
	if err := f.claim(); err != nil {
		return nil, errors.Join(err, f.remove(context.Background()))
	}
	return f, nil
}

// claim locks the folder, lets the servers' user enter it, and gives it its name.
func (f *folder) claim() error {
	lock, err := os.OpenFile(filepath.Join(f.path, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	f.lock = lock
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("locking %s: %w", lock.Name(), err)
	}
	if err := os.Chmod(f.path, 0o711); err != nil {
		return err
	}
	dir, name := filepath.Split(f.path)
	named := filepath.Join(dir, folderPrefix+strings.TrimPrefix(name, unlockedPrefix))
	if err := os.Rename(f.path, named); err != nil {
		return err
	}
	f.path = named
	return nil
}

// remove removes the folder, the shared memory that its postmasters left, and the
// lock last.
func (f *folder) remove(ctx context.Context) error {
	err := removeFolder(ctx, f.path)
	if f.lock != nil {
		f.lock.Close() // also when closed before: Close may be called twice
	}
	return err
}

// removeFolder removes a run folder whose processes have been told to end. Until
// ctx is done it waits for stragglers that still write.
func removeFolder(ctx context.Context, path string) error {
	if err := removeContainers(ctx, path); err != nil {
		return err
	}
	if err := removeSegments(ctx, path); err != nil {
		return err
	}
	for {
		err := os.RemoveAll(path)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("removing the run folder: %w", err)
		case <-time.After(time.Millisecond):
		}
	}
}

func removeSegments(ctx context.Context, path string) error {
	files, err := fs.Glob(os.DirFS(path), "*/*/postmaster.pid")
	if err != nil {
		return fmt.Errorf("looking for postmasters: %w", err)
	}
	var errs []error
	for _, file := range files {
		errs = append(errs, removeSegment(ctx, filepath.Join(path, file)))
	}
	return errors.Join(errs...)
}
