package chaos

import (
	"context"
	"errors"
	"fmt"
	"time"

	"brownout/results"
)

// RevertTimeout bounds how long taking a fault away may last.
const RevertTimeout = 5 * time.Second

// An Injector puts faults in force on one place. Implementations:
// chaos/link.Gate, chaos/process.Injector.
type Injector interface {
	// Inject puts f in force and returns when it is. The Reverter takes it away.
	Inject(ctx context.Context, f Fault) (Reverter, error)
}

// A Reverter takes a fault away again.
type Reverter interface {
	// Revert returns when the fault is no longer in force, with what the place saw
	// of it. It is called once, and must come to an end when ctx is done.
	Revert(ctx context.Context) (results.Evidence, error)
}

// A Passer is the Reverter of a fault that passes by itself. Revert then only
// waits for that.
type Passer interface {
	Reverter
	// Passed is closed when the fault is over.
	Passed() <-chan struct{}
}

// Hold puts f in force on in until ctx is done, or f has passed, and takes it away
// again, on a context of its own, whatever happened. It returns the injection with its
// evidence, and an error when the fault could not be put in force or not be
// taken away. now is the run's clock; record receives the inject and revert
// events as they happen.
func Hold(ctx context.Context, in Injector, f Fault, now func() time.Duration, record func(results.Event)) (results.Injection, error) {
	done := results.Injection{Kind: string(f.Kind), On: f.On, Fault: f.String()}
	reverter, err := in.Inject(ctx, f)
	if err != nil {
		done.Start, done.Error = now(), err.Error()
		done.End = done.Start
		record(results.Event{At: done.End, Kind: results.EventRevert, On: f.On, Injection: &done})
		return done, fmt.Errorf("injecting %s: %w", f, err)
	}
	done.Start = now()
	record(results.Event{At: done.Start, Kind: results.EventInject, On: f.On, Text: f.String()})
	var passed <-chan struct{} // nil: not by itself
	if p, ok := reverter.(Passer); ok {
		done.Passes, passed = true, p.Passed()
	}
	select {
	case <-ctx.Done():
	case <-passed:
	}

	rctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), RevertTimeout)
	defer cancel()
	done.Evidence, err = reverter.Revert(rctx)
	done.End = now()
	if err != nil {
		err = fmt.Errorf("reverting %s: %w", f, err)
		done.Error = err.Error()
	}
	record(results.Event{At: done.End, Kind: results.EventRevert, On: f.On, Text: f.String(), Injection: &done})
	return done, errors.Join(err)
}
