package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// copyTree copies a folder of files and folders to dst, which must not exist, and
// gives all of it to owner. On Linux the kernel copies, and a file system that
// shares blocks copies nothing (copy_file_range(2), which io.Copy uses).
func copyTree(ctx context.Context, src, dst string, owner *User) error {
	return filepath.WalkDir(src, func(path string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(src, path)
		if err != nil {
			return err
		}
		to := filepath.Join(dst, rel)
		switch {
		case d.IsDir():
			err = copyDir(d, to)
		case d.Type().IsRegular():
			err = copyFile(path, to, d)
		default:
			err = fmt.Errorf("%s is neither a file nor a folder", path)
		}
		return errors.Join(err, give(to, owner))
	})
}

// copyDir makes a folder like d. Its owner comes last, so that we can write to it
// as long as we need.
func copyDir(d fs.DirEntry, to string) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	return os.Mkdir(to, info.Mode().Perm())
}

func copyFile(from, to string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// give makes u the owner of path. A u of nil is the user of the harness, who owns
// it already.
func give(path string, u *User) error {
	if u == nil {
		return nil
	}
	return os.Chown(path, int(u.UID), int(u.GID))
}
