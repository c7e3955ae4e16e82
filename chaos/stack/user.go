package stack

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// serverUser returns whom PostgreSQL runs as when we are root, which it refuses
// to be: postgres, or nobody. It needs an entry in the password file, which a made
// up id would lack. Not as root it returns nil: the user of the harness.
func serverUser() *User {
	if os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uerr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gerr := strconv.ParseUint(u.Gid, 10, 32)
		if uerr == nil && gerr == nil && uid != 0 {
			return &User{Name: name, UID: uint32(uid), GID: uint32(gid)}
		}
	}
	return nil // initdb will say that it cannot run as root
}

// enterable returns an error when u may not enter the folder path. A u of nil is
// the user of the harness and not asked about. Access lists are not looked at.
func enterable(path string, u *User) error {
	if u == nil {
		return nil
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	for dir := real; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if !mayEnter(info, u) {
			return fmt.Errorf("user %s may not enter %s, which %s needs", u.Name, dir, path)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

func mayEnter(info os.FileInfo, u *User) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return true
	}
	switch mode := info.Mode(); {
	case stat.Uid == u.UID:
		return mode&0o100 != 0
	case stat.Gid == u.GID:
		return mode&0o010 != 0
	default:
		return mode&0o001 != 0
	}
}

// CacheDir returns the private cache, with the servers that fetch-servers.sh
// unpacked and the templates of databases: $BROWNOUT_CACHE, or as root
// /var/cache/brownout, or brownout below $XDG_CACHE_HOME or ~/.cache.
//
// Root's is not below /root, because others may not enter that, and PostgreSQL
// runs as another user. fetch-servers.sh follows the same rule.
func CacheDir() (string, error) {
	if dir := os.Getenv("BROWNOUT_CACHE"); dir != "" {
		if !filepath.IsAbs(dir) {
			return "", fmt.Errorf("BROWNOUT_CACHE is %q; want an absolute path", dir)
		}
		return dir, nil
	}
	if os.Geteuid() == 0 {
		return "/var/cache/brownout", nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", errors.New("there is no place for a cache; set BROWNOUT_CACHE, XDG_CACHE_HOME or HOME to an absolute path")
	}
	return filepath.Join(dir, "brownout"), nil
}
