package stack

import (
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A searchDir is a folder to look for a server in, and what a server found there
// needs in its environment.
type searchDir struct {
	path string
	env  []string
}

// systemDirs are where systems put servers, beside PATH: a user's PATH often lacks
// the sbin folders, and PostgreSQL is never in it on Debian. Of the folders that a
// pattern matches, the newest version comes first. fetch-servers.sh has the same
// list.
func systemDirs(kind string) []string {
	dirs := []string{"/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/usr/sbin"}
	if kind != Postgres {
		return dirs
	}
	patterns := []string{
		"/usr/lib/postgresql/*/bin",   // Debian, Ubuntu
		"/usr/pgsql-*/bin",            // packages of postgresql.org for Fedora and its kin
		"/usr/libexec/postgresql*",    // Alpine
		"/usr/local/pgsql/bin",        // make install
		"/usr/local/postgresql*/bin",  //
		"/usr/lib/postgresql*/bin",    // openSUSE
		"/opt/postgresql*/bin",        //
		"/usr/local/lib/postgresql/*", //
	}
	for _, p := range patterns {
		dirs = append(dirs, newestFirst(p)...)
	}
	return dirs
}

// searchDirs lists the folders for kind in the order of preference.
func searchDirs(kind string) ([]searchDir, error) {
	var dirs []searchDir
	add := func(env []string, paths ...string) {
		for _, p := range paths {
			known := slices.ContainsFunc(dirs, func(d searchDir) bool { return d.path == p })
			if p != "" && !known {
				dirs = append(dirs, searchDir{p, env})
			}
		}
	}
	add(nil, filepath.SplitList(os.Getenv("BROWNOUT_SERVERS"))...)
	add(nil, filepath.SplitList(os.Getenv("PATH"))...)
	cache, err := CacheDir()
	if err != nil {
		return nil, err
	}
	root := filepath.Join(cache, "servers", kind)
	add(libraryEnv(root), filepath.Join(root, "usr/bin"))
	add(libraryEnv(root), newestFirst(filepath.Join(root, "usr/lib/postgresql/*/bin"))...)
	add(nil, systemDirs(kind)...)
	return dirs, nil
}

// libraryEnv makes a server from packages that were unpacked below root find its
// libraries there. A variable suffices: no shell and no patched binary comes
// between us and the server.
func libraryEnv(root string) []string {
	var dirs []string
	for _, p := range []string{"usr/lib/*-linux-gnu*", "lib/*-linux-gnu*"} {
		matches, _ := filepath.Glob(filepath.Join(root, p)) // the patterns are right
		dirs = append(dirs, matches...)
	}
	if len(dirs) == 0 {
		return nil
	}
	return []string{"LD_LIBRARY_PATH=" + strings.Join(dirs, ":")}
}

// newestFirst lists what pattern matches, by the first number in the last part
// that has one.
func newestFirst(pattern string) []string {
	matches, _ := filepath.Glob(pattern) // the patterns are right
	slices.SortStableFunc(matches, func(a, b string) int { return cmp.Compare(versionIn(b), versionIn(a)) })
	return matches
}

func versionIn(path string) float64 {
	numbers := regexp.MustCompile(`[0-9]+(\.[0-9]+)?`).FindAllString(path, -1)
	if len(numbers) == 0 {
		return 0
	}
	v, _ := strconv.ParseFloat(numbers[len(numbers)-1], 64)
	return v
}

// environment is all that a server gets: nothing of the user's settings, so that a
// PGDATA or a locale does not change what is measured.
func environment(own []string) []string {
	return append([]string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}, own...)
}
