package cache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
)

// errOpen is wrapped around the failure that opened the breaker, so that its class
// (see feature.Class) is still told.
var errOpen = errors.New("not asked, because it does not answer")

// A breaker keeps commands from a Redis that does not answer. It is never half open:
// callers do not find out whether Redis is back, run does. It works while run does;
// without it every command is let through.
type breaker struct {
	circuit circuitbreaker.CircuitBreaker[any] // nil: there is none
	opened  chan struct{}                      // has a token when it has opened

	mu      sync.Mutex
	running bool
	why     error // of the failure that was counted last
}

// newBreaker makes one that opens after so many failures in a row; 0: none.
func newBreaker(after int) *breaker {
	b := &breaker{opened: make(chan struct{}, 1)}
	if after > 0 {
		b.circuit = circuitbreaker.NewBuilder[any]().WithFailureThreshold(uint(after)).
			WithDelay(forever).OnOpen(func(circuitbreaker.StateChangedEvent) { wake(b.opened) }).Build()
	}
	return b
}

// wake leaves a token for who waits; one is enough.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// allow is nil when a command may be sent.
func (b *breaker) allow() error {
	if b.circuit == nil || b.circuit.IsClosed() {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.why == nil {
		return errOpen
	}
	return fmt.Errorf("%w: %w", errOpen, b.why)
}

// count takes the outcome of a command. What was sent before the breaker opened does
// not count any more.
func (b *breaker) count(failed bool, err error) {
	if b.circuit == nil {
		return
	}
	if !failed {
		b.circuit.RecordSuccess()
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.running {
		b.why = err
		b.circuit.RecordFailure()
	}
}

// breakerLife is what run does at the turns of a breaker's life.
type breakerLife struct {
	start  func(context.Context) error // nil error: Redis answers
	broken func(error)
	probe  func(context.Context) error // waits, then asks until there is an answer or ctx ends
	mended func()
}

// run waits for the breaker to open and closes it when Redis answers again, until
// ctx ends.
func (b *breaker) run(ctx context.Context, l breakerLife) {
	b.setRunning(true)
	defer b.setRunning(false)
	if err := l.start(ctx); err != nil && b.circuit != nil {
		b.setWhy(err)
		b.circuit.Open()
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.opened:
		}
		l.broken(b.reason())
		if l.probe(ctx) != nil {
			return
		}
		b.circuit.Close()
		l.mended()
	}
}

// setRunning also closes the breaker when run ends: nobody else would.
func (b *breaker) setRunning(running bool) {
	b.mu.Lock()
	b.running = running
	b.mu.Unlock()
	if !running && b.circuit != nil {
		b.circuit.Close()
	}
}

func (b *breaker) setWhy(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.why = err
}

func (b *breaker) reason() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.why
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
