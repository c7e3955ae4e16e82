package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A Server is what a server is run from: a binary of this machine, or an image.
type Server struct {
	Kind    string   // Redis, Valkey or Postgres: what it says it is
	Path    string   // of the program; empty: in a container
	Version string   // "7.0.15"; empty: in a container, where it is asked later
	Env     []string // what it needs in its environment to find its libraries
	Image   string   // of its container: "redis:7.2.7"; empty: a binary
}

func (s Server) provider() string {
	if s.Image != "" {
		return Docker
	}
	return Local
}

// A MissingError says that no binary of a server was found that runs.
type MissingError struct {
	Kind   string   // Redis, Valkey or Postgres
	Looked []string // the folders looked at, in order
	Broken []string // what was found but did not run, with the reason
}

func (e *MissingError) Error() string {
	text := fmt.Sprintf("no server for %s is found (%s)", e.Kind, strings.Join(programs(e.Kind), " or "))
	if len(e.Broken) > 0 {
		text += "; does not run: " + strings.Join(e.Broken, ", ")
	}
	text += "; looked in " + strings.Join(shortPath(e.Looked), ", ")
	goal := "servers"
	if e.Kind == Valkey {
		goal = Valkey // not fetched unless asked for: redis serves for all that is not about Valkey
	}
	return text + "; 'make " + goal + "' fetches it, BROWNOUT_SERVERS names folders of your own"
}

// shortPath says PATH once for all the folders that stand in it.
func shortPath(dirs []string) []string {
	path := filepath.SplitList(os.Getenv("PATH"))
	var short []string
	for _, dir := range dirs {
		if slices.Contains(path, dir) {
			dir = "PATH"
		}
		if !slices.Contains(short, dir) {
			short = append(short, dir)
		}
	}
	return short
}

// programs are the binaries that serve for kind, the best first.
func programs(kind string) []string {
	switch kind {
	case Redis:
		return []string{"redis-server", "valkey-server"}
	case Valkey:
		return []string{"valkey-server", "redis-server"} // some systems link the second to the first
	case Postgres:
		return []string{"postgres"}
	}
	return nil
}

// Find finds the best server for kind, and asks it for its version. It looks in
// the folders of $BROWNOUT_SERVERS (a list like PATH), in PATH, in the private
// cache (see CacheDir) and where systems put servers. The error is a
// *MissingError when there is none. For Redis a Valkey will do when there is no
// Redis; Kind then says so.
func Find(ctx context.Context, kind string) (Server, error) {
	names := programs(kind)
	if names == nil {
		return Server{}, fmt.Errorf("unknown kind of server %q; there are redis, valkey, postgres", kind)
	}
	dirs, err := searchDirs(kind)
	if err != nil {
		return Server{}, fmt.Errorf("finding a server for %s: %w", kind, err)
	}
	return find(ctx, kind, dirs)
}

func find(ctx context.Context, kind string, dirs []searchDir) (Server, error) {
	missing := &MissingError{Kind: kind}
	for _, d := range dirs {
		missing.Looked = append(missing.Looked, d.path)
	}
	for _, name := range programs(kind) {
		for _, d := range dirs {
			path, err := exec.LookPath(filepath.Join(d.path, name))
			if err != nil {
				continue
			}
			s, err := examine(ctx, kind, path, d.env)
			if err == nil {
				return s, nil
			}
			if ctx.Err() != nil {
				return Server{}, fmt.Errorf("finding a server for %s: %w", kind, ctx.Err())
			}
			missing.Broken = append(missing.Broken, fmt.Sprintf("%s (%v)", path, err))
		}
	}
	return Server{}, missing
}

// examine asks the binary at path what it is. PostgreSQL is asked as the user that
// it will run as, and needs its initdb beside it.
func examine(ctx context.Context, kind, path string, env []string) (Server, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Server{}, err
	}
	var user *User
	if kind == Postgres {
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return Server{}, err
		}
		user = serverUser()
		if _, err := askVersion(ctx, initdbOf(path), env, user); err != nil {
			return Server{}, fmt.Errorf("initdb beside it: %w", err)
		}
	}
	text, err := askVersion(ctx, path, env, user)
	if err != nil {
		return Server{}, err
	}
	s, err := parseVersion(text)
	if err != nil {
		return Server{}, err
	}
	if s.Kind != kind && !(kind == Redis && s.Kind == Valkey) {
		return Server{}, fmt.Errorf("it is %s %s", s.Kind, s.Version)
	}
	s.Path, s.Env = path, env
	return s, nil
}

// initdbOf returns the initdb that belongs to the postgres at path.
func initdbOf(path string) string { return filepath.Join(filepath.Dir(path), "initdb") }

// versionTimeout guards against a binary that is something else and hangs.
const versionTimeout = 10 * time.Second

// askVersion runs path --version and returns what it prints.
func askVersion(ctx context.Context, path string, env []string, u *User) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.Env, cmd.Dir = environment(env), "/"
	cmd.SysProcAttr = attributes(u)
	cmd.Cancel = func() error { signalGroup(cmd.Process.Pid, syscall.SIGKILL); return nil }
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return "", errors.New(lastLines(string(exit.Stderr)))
	}
	return string(out), err
}

// parseVersion reads the output of --version: "Redis server v=7.0.15 sha=…", "Valkey
// server v=8.0.1 sha=…", "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)".
func parseVersion(text string) (Server, error) {
	for kind, pattern := range map[string]string{
		Redis:    `^Redis server v=(\S+)`,
		Valkey:   `^Valkey server v=(\S+)`,
		Postgres: `^postgres \(PostgreSQL\) (\S+)`,
	} {
		if m := regexp.MustCompile(pattern).FindStringSubmatch(text); m != nil {
			return Server{Kind: kind, Version: m[1]}, nil
		}
	}
	return Server{}, fmt.Errorf("its version cannot be read from %q", strings.TrimSpace(text))
}

var errNeedsLinux = errors.New("starting binaries of servers needs Linux; elsewhere they run in containers")
