package stack

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"brownout/results"
)

// A Process is a child of the harness, or what runs in a container. Its methods are
// safe for concurrent use.
type Process struct {
	name      string
	log       string
	logOffset int64 // where this process's part of the log begins
	base      time.Time
	record    func(results.Event)
	cmd       *exec.Cmd // nil: in a box
	box       *box      // nil: a child
	ended     context.Context
	end       context.CancelFunc

	mu     sync.Mutex
	asked  bool // to end, by us
	reaped bool // its id may belong to another process now
	err    error
	cpu    time.Duration // the highest seen
}

func newProcess(c Command) *Process {
	p := &Process{name: c.Name, log: c.Log, base: c.Base, record: c.Record}
	if p.base.IsZero() {
		p.base = time.Now()
	}
	if p.record == nil {
		p.record = func(results.Event) {}
	}
	p.ended, p.end = context.WithCancel(context.Background())
	return p
}

// Name returns the name that events and samples use.
func (p *Process) Name() string { return p.name }

// PID returns the process id. That of a child is its group's too; that of a container
// is one on the machine of the engine.
func (p *Process) PID() int {
	if p.box != nil {
		return p.box.pid
	}
	return p.cmd.Process.Pid
}

// Done is closed when the process has ended and was reaped.
func (p *Process) Done() <-chan struct{} { return p.ended.Done() }

// Context is done when the process has ended and was reaped.
func (p *Process) Context() context.Context { return p.ended }

// Exited reports whether the process has ended and was reaped.
func (p *Process) Exited() bool { return p.ended.Err() != nil }

// Err returns an *ExitError when the process ended without having been asked to,
// whatever its exit status. It is nil as long as the process lives.
func (p *Process) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// Wait waits until the process has ended, and returns what Err returns. When ctx
// is done first, that is the error; the process lives on.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.Done():
		return p.Err()
	case <-ctx.Done():
		return fmt.Errorf("waiting for %s to end: %w", p.name, context.Cause(ctx))
	}
}

// Ready records that the process answered. How, says text.
func (p *Process) Ready(text string) { p.event(results.EventReady, text) }

// Stop asks the process and its group to end, by sig, and kills them when ctx is
// done. When it returns, the process has been reaped. The error says that it had
// to be killed; a process that had ended before is no error.
func (p *Process) Stop(ctx context.Context, sig syscall.Signal) error {
	p.ask()
	p.signal(sig)
	select {
	case <-p.Done():
		return nil
	case <-ctx.Done():
	}
	p.signal(syscall.SIGKILL)
	<-p.Done()
	return fmt.Errorf("stopping %s: it did not end on %q and was killed: %w", p.name, sig, context.Cause(ctx))
}

func (p *Process) ask() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = true
}

func (p *Process) setReaped() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reaped = true
}

// reap waits for the end of the process and says it to everybody.
func (p *Process) reap() {
	how := p.outcome()
	p.mu.Lock()
	asked := p.asked
	if !asked {
		p.err = &ExitError{Name: p.name, How: how, Tail: tail(p.log, p.logOffset)}
	}
	p.mu.Unlock()
	if !asked {
		how += ", unasked"
	}
	p.record(results.Event{At: time.Since(p.base), Kind: results.EventExit, On: p.name, Text: how, Asked: asked})
	p.end()
}

// outcome waits for the end of the process and says how it came.
func (p *Process) outcome() string {
	if p.box != nil {
		return p.box.await(p.log)
	}
	return describe(p.await())
}

// describe says how a process ended: "exit status 1", "signal: killed".
func describe(err error) string {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return "exit status 0"
	case errors.As(err, &exit):
		return exit.ProcessState.String()
	}
	return err.Error()
}

func (p *Process) event(kind results.EventKind, text string) {
	p.record(results.Event{At: time.Since(p.base), Kind: kind, On: p.name, Text: text})
}
