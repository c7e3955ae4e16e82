package run

import (
	"context"
	"fmt"
	"time"

	"brownout/chaos"
	"brownout/results"
	"brownout/scenarios"

	"golang.org/x/sync/errgroup"
)

// A holding is a phase's faults while they are in force.
type holding struct {
	release context.CancelFunc
	running errgroup.Group
	inForce chan struct{} // a word for each fault that came in force, or failed to
}

// hold puts the faults of phase in force until ctx is done or the holding ended.
func (r *runner) hold(ctx context.Context, b *bench, phase scenarios.Phase) *holding {
	h := &holding{inForce: make(chan struct{}, 2*len(phase.Faults))}
	record := func(e results.Event) {
		r.event(e)
		h.inForce <- struct{}{} // inject, and later revert
	}
	ctx, h.release = context.WithCancel(ctx)
	for _, fault := range phase.Faults {
		h.running.Go(func() error {
			in, err := b.injector(ctx, fault)
			if err != nil {
				h.inForce <- struct{}{}
				return fmt.Errorf("%s: %w", fault, err)
			}
			_, err = chaos.Hold(ctx, in, fault, r.now, record)
			return err
		})
	}
	return h
}

// holdCold puts the faults of the first phase in force, and returns when they are.
func (r *runner) holdCold(ctx context.Context, b *bench) *holding {
	phase := r.Scenario.Phases[0]
	h := r.hold(ctx, b, phase)
	for range phase.Faults {
		<-h.inForce
	}
	return h
}

// end takes the faults away.
func (h *holding) end() error {
	h.release()
	return h.running.Wait()
}

// phase holds the phase's faults in force until its end. Those of a cold start are
// in force already.
func (r *runner) phase(ctx context.Context, b *bench, phase scenarios.Phase, end time.Duration) error {
	if b.cold != nil {
		cold := b.cold
		b.cold = nil
		if err := r.until(ctx, end); err != nil {
			return err
		}
		return cold.end()
	}
	ctx, cancel := context.WithDeadline(ctx, r.base.Add(end))
	defer cancel()
	return r.hold(ctx, b, phase).running.Wait()
}
