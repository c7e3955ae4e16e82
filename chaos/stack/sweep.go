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

// stragglerTime is how long Sweep waits for the processes of one dead run.
const stragglerTime = 2 * time.Second

// Sweep removes what runs have left behind that were killed before they could
// close their stack: their folders and shared memory. Their processes have died
// with them, except for servers of a PostgreSQL that was frozen: these are killed. Runs that live are not touched: they hold the lock of their folder.
// It looks in dirs, by default in the places where Start makes run folders, at
// folders of this user only, and returns the folders that it removed.
func Sweep(ctx context.Context, dirs ...string) (removed []string, err error) {
	if len(dirs) == 0 {
		dirs = places()
	}
	var errs []error
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, fmt.Errorf("sweeping: %w", err))
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			swept, err := sweepFolder(ctx, path)
			if err != nil {
				errs = append(errs, fmt.Errorf("sweeping %s: %w", path, err))
			}
			if swept {
				removed = append(removed, path)
			}
		}
	}
	return removed, errors.Join(errs...)
}

// sweepFolder removes path if it is the folder of a dead run.
func sweepFolder(ctx context.Context, path string) (bool, error) {
	name := filepath.Base(path)
	unlocked := strings.HasPrefix(name, unlockedPrefix)
	if !unlocked && !strings.HasPrefix(name, folderPrefix) {
		return false, nil
	}
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() || !ours(info) {
		return false, nil // gone meanwhile, or none of our business
	}
	if unlocked {
		return time.Since(info.ModTime()) > unlockedAge, removeOld(path, info)
	}
	lock, err := os.OpenFile(filepath.Join(path, lockName), os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return false, err
	}
	if err == nil { // else: an earlier removal was cut short
		defer lock.Close()
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
			return false, nil // it lives
		}
	}
	killStragglers(path)
	ctx, cancel := context.WithTimeout(ctx, stragglerTime)
	defer cancel()
	err = removeFolder(ctx, path)
	return err == nil, err
}

// removeOld removes a folder that was made and never locked.
func removeOld(path string, info os.FileInfo) error {
	if time.Since(info.ModTime()) <= unlockedAge {
		return nil
	}
	return os.RemoveAll(path)
}

// ours reports whether the file belongs to the user of this process. Anybody may
// put a folder with our prefix into /tmp.
func ours(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}
