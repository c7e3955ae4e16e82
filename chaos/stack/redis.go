package stack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"brownout/chaos/stack/admin"
)

// The files of a Redis in its folder, which is its working folder.
const (
	redisConf  = "redis.conf"
	redisNodes = "nodes.conf"
)

// redisData are those with its data; the second is there with "appendonly yes".
func redisData() []string { return []string{"dump.rdb", "appendonlydir"} }

// A redisServer runs a Redis or Valkey. Its settings stand in a file, so that no
// password is seen in a list of processes, and that it can write down what it
// becomes (CONFIG REWRITE).
type redisServer struct {
	server    Server
	config    Config
	name, dir string
	lines     []string // of its configuration file
}

func (r *redisServer) spawn(ctx context.Context) (*Process, error) {
	return r.run(ctx, redisConf)
}

// here stands for the server's folder: a Redis takes characters such as [ in the
// path of its configuration file for a pattern.
const here = "/proc/self/cwd/"

func (r *redisServer) run(ctx context.Context, file string, args ...string) (*Process, error) {
	return r.config.Spawner.Start(ctx, Command{
		Name: r.name, Path: r.server.Path, Args: append([]string{here + file}, args...), Dir: r.dir,
		Env:  environment(r.server.Env),
		Log:  filepath.Join(r.config.Logs, r.name+".log"),
		Base: r.config.Base, Record: r.config.Record,
	})
}

// prepare makes the server's folder with its configuration in file.
func (r *redisServer) prepare(n *Node) error {
	file := redisConf
	if n.Role == RoleSentinel {
		file = sentinelConf
	}
	if err := os.Mkdir(r.dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("making the folder of %s: %w", r.name, err)
	}
	return r.configure(file)
}

// configure writes the configuration file anew.
func (r *redisServer) configure(file string) error {
	text := strings.Join(r.lines, "\n") + "\n"
	if err := os.WriteFile(filepath.Join(r.dir, file), []byte(text), 0o600); err != nil {
		return fmt.Errorf("writing the settings of %s: %w", r.name, err)
	}
	return nil
}

func (r *redisServer) ask(ctx context.Context, n *Node) (identity, error) {
	id, err := askRedis(ctx, n.admin)
	if err == nil && id.pid != n.Process().PID() {
		err = errStranger
	}
	return id, err
}

func (r *redisServer) stop(ctx context.Context, p *Process) error {
	return p.Stop(ctx, syscall.SIGTERM)
}

func (r *redisServer) save(ctx context.Context, n *Node) error {
	_, err := n.admin.Do(ctx, "SAVE")
	return err
}

// erase removes the data, but not what a node of a cluster knows of the others.
func (r *redisServer) erase() error {
	for _, name := range redisData() {
		if err := os.RemoveAll(filepath.Join(r.dir, name)); err != nil {
			return fmt.Errorf("erasing its data: %w", err)
		}
	}
	return nil
}

// redisLines are the settings of a node. What is not said is the server's default. A
// replica gets its copy through a file: one that was streamed to it counts as in
// sync a second later. A primary that is stopped does not wait for its replicas,
// which may hang.
func redisLines(c Config, n *Node) []string {
	lines := []string{`save ""`, "appendonly no", "repl-diskless-sync no"}
	if c.several() {
		lines = append(lines, "shutdown-timeout 0")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Settings)) {
		lines = append(lines, name+" "+c.Settings[name])
	}
	lines = append(lines, listenLines(c, n)...)
	if n.Source != "" {
		host, port := splitAddr(n.Link)
		lines = append(lines, "replica-announce-ip "+host, "replica-announce-port "+port)
	}
	return append(lines, userLines(c)...)
}

// listenLines are the settings that a node and a Sentinel share. The protected mode
// knows of no loopback address but 127.0.0.1; nodes come from others.
func listenLines(c Config, n *Node) []string {
	lines := []string{"bind 127.0.0.1", "protected-mode no", "daemonize no", `logfile ""`}
	if n.Source != "" {
		lines = append(lines, "bind-source-addr "+n.Source)
	}
	return append(lines, portLines(c, n)...)
}

// askRedis asks a server who it is.
func askRedis(ctx context.Context, s admin.Server) (identity, error) {
	fields, err := s.Info(ctx, "server")
	if err != nil {
		return identity{}, judge(err)
	}
	return identify(fields), nil
}

// identify reads INFO server. A Valkey gives a redis_version too, for the sake of
// old clients, so that its own field comes first.
func identify(fields map[string]string) identity {
	id := identity{kind: Redis, version: fields["redis_version"]}
	if v := fields["valkey_version"]; v != "" {
		id.kind, id.version = Valkey, v
	}
	id.pid, _ = strconv.Atoi(fields["process_id"]) // 0 is no process of ours
	return id
}
