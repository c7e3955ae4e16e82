package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"
)

// The pauses between two questions to a server that is starting.
const (
	firstPause   = time.Millisecond
	longestPause = 20 * time.Millisecond
)

// externalTimeout is how long an external server may take to answer. It should be
// up already; a container may just be starting.
const externalTimeout = 10 * time.Second

// A refusal is an answer that asking again will not change: a wrong password, say.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

// errStranger means that another run's server got the port. Ours will end soon.
var errStranger = errors.New("another server answers on its port")

// await asks until the answer is no error. It gives up when p, which may be nil,
// has ended, on a refusal, and when ctx is done.
func await(ctx context.Context, p *Process, ask func(context.Context) error) error {
	var ended <-chan struct{} // nil: never
	if p != nil {
		ended = p.Done()
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer context.AfterFunc(p.Context(), cancel)()
		defer cancel()
	}
	for pause := firstPause; ; pause = min(pause*3/2, longestPause) {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		if p != nil && p.Exited() {
			return endOf(p)
		}
		if refused := (refusal{}); errors.As(err, &refused) {
			return refused.error
		}
		select {
		case <-ended:
			return endOf(p)
		case <-ctx.Done():
			if p != nil && p.Exited() {
				return endOf(p)
			}
			return fmt.Errorf("waiting for its answer: %w (last: %w)", context.Cause(ctx), err)
		case <-time.After(pause):
		}
	}
}

// endOf says why a process that should live does not.
func endOf(p *Process) error {
	if err := p.Err(); err != nil {
		return err
	}
	return fmt.Errorf("%s was stopped while it started", p.name)
}

// portTries bounds how often a server is started again because its port was taken
// between our choosing it and its listening.
const portTries = 10

// onFreePort calls start with free ports until it does not fail for the port's
// being in use.
func onFreePort(start func(port int) (*Node, error)) (n *Node, err error) {
	for range portTries {
		var port int
		if port, err = freePort(); err != nil {
			return nil, err
		}
		if n, err = start(port); !portTaken(err) {
			return n, err
		}
	}
	return nil, err
}

// freePort returns a port of 127.0.0.1 that nobody listens on. The system hands
// them out at random, so that two who ask at once rarely get the same.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("choosing a port: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return 0, fmt.Errorf("choosing a port: %w", err)
	}
	return port, nil
}

// portTaken reports whether a server ended because its port was in use.
func portTaken(err error) bool {
	var exit *ExitError
	inUse := strings.ToLower(syscall.EADDRINUSE.Error())
	return errors.As(err, &exit) && strings.Contains(strings.ToLower(exit.Tail), inUse)
}
