package pgwire

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"brownout/chaos/stack"

	"github.com/jackc/pgx/v5"
)

// hang guards against what never ends. No test passes or fails by its length.
const hang = 60 * time.Second

// shared is the server of this package's tests. It is started when the first test
// needs it; the fuzzer does not.
var shared sharedNode

type sharedNode struct {
	once sync.Once
	node *node
	err  error
}

func (s *sharedNode) get(t testing.TB) *node {
	t.Helper()
	s.once.Do(func() { s.node, s.err = startNode() })
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.node
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.node != nil {
		if err := shared.node.close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// A node is a PostgreSQL of a stack, started anew with settings of a test.
type node struct {
	stack   *stack.Stack
	spawner *stack.Spawner
	process *stack.Process
	url     string
	addr    string
	data    string
	log     string
	counts  bool // it has pg_stat_statements

	databases atomic.Int32 // that tests made
}

// settings are those of chaos/stack, as far as they keep the machine clean, and
// what tells what the server has executed.
var settings = []string{
	"fsync=off", "shared_memory_type=mmap", "dynamic_shared_memory_type=mmap", "jit=off", "max_wal_senders=0",
	"listen_addresses=127.0.0.1", "unix_socket_directories=", "log_destination=stderr", "superuser_reserved_connections=0",
	"log_line_prefix=on %d: ",
}

func startNode(more ...string) (n *node, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), hang)
	defer cancel()
	n = &node{spawner: stack.NewSpawner()}
	if n.stack, err = stack.Start(ctx, stack.Config{Database: stack.Postgres, Spawner: n.spawner}); err != nil {
		n.spawner.Close()
		return nil, err
	}
	if err := n.restart(ctx, more); err != nil {
		return nil, fmt.Errorf("starting PostgreSQL with settings of the test: %w (closing: %v)", err, n.close())
	}
	return n, nil
}

// restart ends the stack's server and starts one on the same data and port.
func (n *node) restart(ctx context.Context, more []string) error {
	db := n.stack.Database
	n.url, n.addr = db.URL, db.Addr
	if err := ask1(ctx, n.url, "select current_setting('data_directory')", &n.data); err != nil {
		return err
	}
	const available = "select exists (select from pg_available_extensions where name = 'pg_stat_statements')"
	if err := ask1(ctx, n.url, available, &n.counts); err != nil {
		return err
	}
	if n.counts {
		more = append(slices.Clone(more), "shared_preload_libraries=pg_stat_statements")
	}
	if err := db.Process().Stop(ctx, syscall.SIGINT); err != nil {
		return err
	}
	c, err := n.command(ctx, more)
	if err != nil {
		return err
	}
	if n.process, err = n.spawner.Start(ctx, c); err != nil {
		return err
	}
	for {
		var one int
		err := ask1(ctx, n.url, "select 1", &one)
		switch {
		case err == nil:
			return nil
		case n.process.Exited() || ctx.Err() != nil:
			return fmt.Errorf("%w: %w", n.process.Err(), err)
		}
	}
}

func (n *node) command(ctx context.Context, more []string) (stack.Command, error) {
	found, err := stack.Find(ctx, stack.Postgres)
	if err != nil {
		return stack.Command{}, err
	}
	owner, err := os.Stat(n.data)
	if err != nil {
		return stack.Command{}, err
	}
	n.log = filepath.Join(filepath.Dir(n.data), "test.log")
	_, port, _ := strings.Cut(n.addr, ":")
	args := []string{"-D", n.data, "-p", port}
	for _, s := range slices.Concat(settings, more) {
		args = append(args, "-c", s)
	}
	c := stack.Command{Name: "postgres", Path: found.Path, Args: args, Dir: n.data, Log: n.log, Env: append(os.Environ(), found.Env...)}
	if by := owner.Sys().(*syscall.Stat_t); os.Geteuid() != int(by.Uid) {
		c.User = &stack.User{Name: "postgres", UID: by.Uid, GID: by.Gid}
	}
	return c, nil
}

func (n *node) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), hang)
	defer cancel()
	var err error
	if n.process != nil {
		err = n.process.Stop(ctx, syscall.SIGINT)
	}
	defer n.spawner.Close()
	if serr := n.stack.Close(ctx); err == nil {
		err = serr
	}
	return err
}

// ask1 asks for one value on a connection of its own.
func ask1(ctx context.Context, url, text string, into any) error {
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx))
	return c.QueryRow(ctx, text).Scan(into)
}

// guarded is a context for one test.
func guarded(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	t.Cleanup(cancel)
	return ctx
}
