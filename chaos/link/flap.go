package link

import (
	"context"
	"errors"
	"sync"
	"time"

	"brownout/chaos"
	"brownout/results"
)

// A flapping is a refusal that comes and goes, down first.
type flapping struct {
	gate     *Gate
	up, down time.Duration
	cancel   context.CancelFunc
	running  sync.WaitGroup

	// Owned by the goroutine while it runs.
	refusal *refusal         // nil: up
	sum     results.Evidence // of the refusals that are over
	err     error            // the port could not be opened again
}

// newFlapping puts it in force. Nobody else may change the port until it is lifted.
func newFlapping(g *Gate, f chaos.Fault) *flapping {
	fl := &flapping{gate: g, up: f.UpTime(), down: f.DownTime(), sum: results.Evidence{Occasion: "live connections and probing dials, while down"}}
	ctx, cancel := context.WithCancel(context.Background())
	fl.cancel = cancel
	fl.refusal = newRefusal(g)
	fl.running.Go(func() { fl.run(ctx) })
	return fl
}

func (f *flapping) run(ctx context.Context) {
	for sleep(ctx, f.down) {
		if f.err = f.rise(); f.err != nil || !sleep(ctx, f.up) {
			return
		}
		f.refusal = newRefusal(f.gate)
	}
}

// rise ends the refusal, if there is one, and opens the port.
func (f *flapping) rise() error {
	if f.refusal == nil {
		return nil
	}
	f.count()
	defer func() { f.refusal = nil }()
	return f.refusal.lift()
}

// count adds what the refusal did.
func (f *flapping) count() {
	ev := f.refusal.end(f.gate.now())
	f.sum.Chances += ev.Chances
	f.sum.Bites += ev.Bites
	f.sum.Refused += ev.Refused
	f.sum.Cut += ev.Cut
}

// sleep reports false when ctx is done before d is over.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// attach does nothing: who connects while it is up lives until it is down.
func (f *flapping) attach(*conn) {}

func (f *flapping) end(time.Duration) results.Evidence {
	f.cancel()
	f.running.Wait()
	if f.refusal != nil {
		f.count()
	}
	return f.sum
}

// lift leaves the port open. Opening it is tried again when it went wrong before.
func (f *flapping) lift() error {
	if f.refusal == nil && f.err == nil {
		return nil
	}
	return errors.Join(f.err, f.gate.port.reopen())
}
