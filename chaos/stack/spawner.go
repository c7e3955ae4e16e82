package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"brownout/results"
)

// A Command says what a Spawner is to start.
type Command struct {
	Name string   // for events, samples and errors: "target", "cache"
	Path string   // the program; looked up in PATH when it has no slash
	Args []string // without the program itself
	Env  []string // the whole environment; nil: the harness's own
	Dir  string   // working folder; default: the harness's own
	User *User    // default: the user of the harness
	Log  string   // file that stdout and stderr are appended to; default: dropped

	Base   time.Time           // start of the run's clock; default: now
	Record func(results.Event) // start, ready and exit; default: drop
}

// A User is whom a process runs as.
type User struct {
	Name     string
	UID, GID uint32
}

// A Spawner starts child processes that die with the harness: on Linux also when
// the harness is killed by SIGKILL. Each child leads a process group of its own.
// Children of a child are only reached through that group, so a wrapper script
// must exec what it wraps. The zero Spawner is not usable; see NewSpawner.
//
// The kernel ties the death of a child to the thread that made it, not to the
// process (PR_SET_PDEATHSIG in prctl(2)). The Go runtime ends threads as it likes,
// so all children are made on one thread that lives until Close.
type Spawner struct {
	mu      sync.Mutex // held while a child is made
	closed  bool
	living  map[*Process]struct{}
	starts  chan *exec.Cmd // nil until the first Start
	started chan error
	owned   sync.WaitGroup // the thread and the reapers
}

// NewSpawner returns a Spawner. It starts nothing. Its owner calls Close.
func NewSpawner() *Spawner {
	return &Spawner{living: map[*Process]struct{}{}}
}

// ErrClosed is returned by Start after Close.
var ErrClosed = errors.New("the spawner is closed")

// Start starts a child. It does not wait until the child is of any use. The child
// lives on when ctx is done; its owner calls Stop.
func (s *Spawner) Start(ctx context.Context, c Command) (*Process, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", c.Name, err)
	}
	p, err := s.start(newProcess(c), c)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", c.Name, err)
	}
	return p, nil
}

func (s *Spawner) start(p *Process, c Command) (*Process, error) {
	log, offset, err := openLog(c.Log)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = c.Env, c.Dir, log, log
	cmd.SysProcAttr = attributes(c.User)
	dieWithParent(cmd.SysProcAttr)
	p.cmd, p.logOffset = cmd, offset

	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.spawn(cmd); err != nil {
		return nil, err
	}
	p.event(results.EventStart, fmt.Sprintf("%s, pid %d", filepath.Base(c.Path), cmd.Process.Pid))
	s.own(p)
	return p, nil
}

// own waits for the end of p, on a goroutine that Close waits for. It is called with
// mu held.
func (s *Spawner) own(p *Process) {
	s.living[p] = struct{}{}
	s.owned.Go(func() {
		p.reap()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.living, p)
	})
}

// spawn starts cmd on the spawner's thread, which it starts when there is none.
func (s *Spawner) spawn(cmd *exec.Cmd) error {
	if s.closed {
		return ErrClosed
	}
	if s.starts == nil {
		s.starts, s.started = make(chan *exec.Cmd), make(chan error)
		s.owned.Go(s.thread)
	}
	s.starts <- cmd
	return <-s.started
}

// thread makes the children. It never unlocks its thread: a thread that ends, and
// with it the children, is what its return is for.
func (s *Spawner) thread() {
	runtime.LockOSThread()
	for cmd := range s.starts {
		s.started <- cmd.Start()
	}
}

// Close kills the children that still live, and returns when all have been
// reaped. Closing again does nothing.
func (s *Spawner) Close() {
	for _, p := range s.close() {
		p.signal(syscall.SIGKILL)
		<-p.Done()
	}
	s.owned.Wait()
}

// close bars further starts and returns the children that live, as asked to end:
// when the thread ends the kernel kills them, which must not look unasked.
func (s *Spawner) close() []*Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	var living []*Process
	for p := range s.living {
		p.ask()
		living = append(living, p)
	}
	if s.starts != nil {
		close(s.starts)
	}
	return living
}

// attributes makes a child lead a group of its own, as u.
func attributes(u *User) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true}
	if u != nil {
		a.Credential = &syscall.Credential{Uid: u.UID, Gid: u.GID}
	}
	return a
}

// openLog opens the log for appending and returns where the new part begins.
func openLog(path string) (*os.File, int64, error) {
	if path == "" {
		path = os.DevNull
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, 0, fmt.Errorf("opening its log: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("opening its log: %w", err), f.Close())
	}
	return f, info.Size(), nil
}
