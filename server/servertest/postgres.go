package servertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"brownout/chaos/stack"
)

// startWait is how long PostgreSQL may take to start.
const startWait = 30 * time.Second

// An owner is the user as whom a server runs.
type owner struct{ uid, gid uint32 }

// A Postgres is a PostgreSQL server of its own, with an empty database cluster, on
// a loopback port. It takes half a second to make, so tests of a package share one.
type Postgres struct {
	bin, dir string
	env      []string // what the binaries need to find their libraries
	port     int
	as       *owner // nil: as we are
	running  *process
}

// NewPostgres makes a cluster from the server binaries on this machine. It does
// not start it. Close must be called.
func NewPostgres() (*Postgres, error) {
	found, err := stack.Find(context.Background(), stack.Postgres)
	if err != nil {
		return nil, err
	}
	as, err := unprivileged()
	if err != nil {
		return nil, err
	}
	// Not a test's own folder: another user cannot enter that.
	dir, err := os.MkdirTemp("", "brownout-postgres-")
	if err != nil {
		return nil, fmt.Errorf("making a database cluster: %w", err)
	}
	p := &Postgres{bin: filepath.Dir(found.Path), env: found.Env, dir: dir, as: as}
	if err := p.initialise(); err != nil {
		return nil, errors.Join(fmt.Errorf("making a database cluster: %w", err), p.Close())
	}
	return p, nil
}

func (p *Postgres) initialise() (err error) {
	if p.as != nil {
		if err := os.Chown(p.dir, int(p.as.uid), int(p.as.gid)); err != nil {
			return err
		}
	}
	if p.port, err = freePort(); err != nil {
		return err
	}
	cmd := p.command("initdb", "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--pgdata="+p.data())
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("running initdb: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("finding a free port: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}

func (p *Postgres) data() string { return filepath.Join(p.dir, "data") }

func (p *Postgres) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(p.bin, name), args...)
	cmd.Env = append(os.Environ(), p.env...)
	cmd.Dir = p.dir // our own may be closed to that user
	cmd.SysProcAttr = dieWithUs(p.as)
	return cmd
}

// URL is the address of the database postgres, also while the server is stopped.
func (p *Postgres) URL() string {
	return "postgres://postgres@127.0.0.1:" + strconv.Itoa(p.port) + "/postgres?sslmode=disable"
}

// Start starts the server and waits until it accepts connections.
func (p *Postgres) Start() error {
	log := &watcher{line: []byte("database system is ready to accept connections"), seen: make(chan struct{})}
	cmd := p.command("postgres", "-D", p.data(), "-p", strconv.Itoa(p.port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
		"-c", "fsync=off", "-c", "dynamic_shared_memory_type=mmap")
	cmd.Stderr = log
	running, err := startProcess(cmd)
	if err != nil {
		return err
	}
	p.running = running
	select {
	case <-log.seen:
		return nil
	case <-running.done:
		err = errors.New("it ended")
	case <-time.After(startWait):
		err = fmt.Errorf("it was not ready within %v", startWait)
	}
	return errors.Join(fmt.Errorf("starting PostgreSQL: %w: %s", err, log), p.Stop())
}

// Stop stops the server, cutting its connections. It can be started again.
func (p *Postgres) Stop() error {
	if p.running == nil {
		return nil
	}
	err := p.running.stop(syscall.SIGINT) // "fast": SIGTERM would wait for clients
	p.running = nil
	return err
}

// Close stops the server and removes the cluster.
func (p *Postgres) Close() error { return errors.Join(p.Stop(), os.RemoveAll(p.dir)) }

// A watcher keeps what is written to it and waits for a line.
type watcher struct {
	line []byte
	seen chan struct{} // closed once the line was seen

	mu   sync.Mutex
	text bytes.Buffer
	done bool
}

func (w *watcher) Write(data []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(data)
	if !w.done && bytes.Contains(w.text.Bytes(), w.line) {
		w.done = true
		close(w.seen)
	}
	return len(data), nil
}

func (w *watcher) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}
