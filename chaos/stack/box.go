package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"brownout/chaos/stack/docker"
	"brownout/results"

	"golang.org/x/sys/unix"
)

// engineTimeout bounds what is asked of a Docker engine about a container. A busy one
// takes a second to kill.
const engineTimeout = 15 * time.Second

// A box is what a process in a container is instead of a child.
type box struct {
	container *docker.Container
	pid       int
	waiting   context.Context // for the end of the container
	giveUp    context.CancelCauseFunc
}

// startBox starts a container, for the first time or again. The process is stopped and
// waited for like a child; Close does so, too.
func (s *Spawner) startBox(ctx context.Context, c Command, container *docker.Container) (*Process, error) {
	p := newProcess(c)
	b := &box{container: container}
	b.waiting, b.giveUp = context.WithCancelCause(context.Background())
	p.box = b
	if err := b.start(ctx); err != nil {
		return nil, fmt.Errorf("starting %s: %w", c.Name, err)
	}
	if err := s.adopt(p); err != nil {
		b.signal(syscall.SIGKILL)
		return nil, fmt.Errorf("starting %s: %w", c.Name, err)
	}
	return p, nil
}

// adopt makes the spawner wait for the end of a container that runs.
func (s *Spawner) adopt(p *Process) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	p.event(results.EventStart, fmt.Sprintf("container %.12s of %s, pid %d", p.box.container.ID(), p.box.container.Image, p.box.pid))
	s.own(p)
	return nil
}

func (b *box) start(ctx context.Context) error {
	if err := b.container.Start(ctx); err != nil {
		return err
	}
	state, err := b.container.State(ctx)
	if err != nil {
		return err
	}
	b.pid = state.PID
	return nil
}

// await waits for the end of the container, says how it came and keeps its log.
func (b *box) await(log string) string {
	status, err := b.container.Wait(b.waiting)
	defer b.giveUp(nil)
	if err != nil {
		return err.Error()
	}
	if lerr := b.keepLog(log); lerr != nil {
		return fmt.Sprintf("exit status %d; %v", status, lerr)
	}
	if name := unix.SignalName(syscall.Signal(status - 128)); status > 128 && name != "" {
		return "signal: " + syscall.Signal(status-128).String()
	}
	return fmt.Sprintf("exit status %d", status)
}

func (b *box) keepLog(path string) error {
	if path == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), engineTimeout)
	defer cancel()
	text, err := b.container.Logs(ctx)
	f, ferr := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if ferr != nil {
		return errors.Join(err, ferr)
	}
	_, werr := f.Write(text)
	return errors.Join(err, werr, f.Close())
}

func (b *box) pause(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), engineTimeout)
	defer cancel()
	if err := b.container.Pause(ctx); err != nil {
		return fmt.Errorf("pausing %s: %w", name, err)
	}
	return nil
}

func (b *box) goOn(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), engineTimeout)
	defer cancel()
	if err := b.container.Unpause(ctx); err != nil {
		return fmt.Errorf("continuing %s: %w", name, err)
	}
	return nil
}

func (b *box) frozen() bool {
	ctx, cancel := context.WithTimeout(context.Background(), engineTimeout)
	defer cancel()
	state, err := b.container.State(ctx)
	return err == nil && state.Paused
}

// signal signals the process of the container. When it cannot even be killed, nobody
// waits for its end any more: the engine is gone, or hangs.
func (b *box) signal(sig syscall.Signal) {
	ctx, cancel := context.WithTimeout(context.Background(), engineTimeout)
	defer cancel()
	if err := b.container.Signal(ctx, unix.SignalName(sig)); err != nil && sig == syscall.SIGKILL {
		b.giveUp(err)
	}
}
