package run

import (
	"context"
	"fmt"
	"time"

	"brownout/chaos"
	"brownout/loadtest"
	"brownout/results"
	"brownout/scenarios"

	"golang.org/x/sync/errgroup"
)

// runUp is the time between the decision to start and the first due request, so
// that the generator's first request is not late because of its own start.
const runUp = 100 * time.Millisecond

// drive fills the target, puts load and faults on the clock, and reads back what
// was written.
func (r *runner) drive(ctx context.Context, l *lab) error {
	client, err := loadtest.NewClient(loadtest.ClientConfig{
		Base: r.base, Requests: r.Target.RequestsAt(l.target.base),
		Timeout: r.Scenario.Load.Timeout, Record: r.hit,
	})
	if err != nil {
		return fmt.Errorf("preparing requests: %w", err)
	}
	defer client.Close()
	work := r.workload()
	if r.Target.Tells().Writes {
		if err := client.Seed(ctx, work.Seeds()); err != nil {
			return fmt.Errorf("filling the target: %w", err)
		}
	}
	if err := r.load(ctx, l, work); err != nil {
		return err
	}
	if written := r.seen.writtenFlags(); len(written) > 0 {
		if err := client.Readback(ctx, written); err != nil {
			return fmt.Errorf("reading back what was written: %w", err)
		}
	}
	return nil
}

func (r *runner) workload() loadtest.Workload {
	reads := r.Scenario.Load.Reads
	if !r.Target.Tells().Writes {
		reads = 1
	}
	return loadtest.Workload{
		Seed: r.Seed, Environments: r.Scenario.Data.Environments, Flags: r.Scenario.Data.Flags,
		Reads: reads, Keys: loadtest.Keys(r.Scenario.Load.Keys),
	}
}

// load runs generator and timeline side by side. The timeline alone knows of
// faults, the generator alone of requests.
func (r *runner) load(ctx context.Context, l *lab, work loadtest.Workload) error {
	schedule, err := r.Scenario.Schedule()
	if err != nil {
		return fmt.Errorf("planning the load: %w", err)
	}
	start := r.now() + runUp
	generator, err := loadtest.New(loadtest.Config{
		Base: r.base, Start: start, Schedule: schedule, Workload: work,
		Requests: r.Target.RequestsAt(l.target.base), Timeout: r.Scenario.Load.Timeout,
		Record: r.hit,
	})
	if err != nil {
		return fmt.Errorf("planning the load: %w", err)
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return generator.Run(gctx) })
	g.Go(func() error { return r.timeline(gctx, l, start) })
	return g.Wait()
}

// timeline walks through the phases. Phases begin when the plan says; a fault is
// taken away before the next phase begins.
func (r *runner) timeline(ctx context.Context, l *lab, at time.Duration) error {
	for _, phase := range r.Scenario.Phases {
		if err := r.until(ctx, at); err != nil {
			return err
		}
		r.event(results.Event{At: r.now(), Kind: results.EventPhase, On: phase.Name})
		at += phase.For
		if err := r.phase(ctx, l, phase, at); err != nil {
			return fmt.Errorf("phase %s: %w", phase.Name, err)
		}
	}
	if err := r.until(ctx, at); err != nil {
		return err
	}
	r.event(results.Event{At: r.now(), Kind: results.EventEnd})
	return nil
}

// phase holds the phase's faults in force until its end.
func (r *runner) phase(ctx context.Context, l *lab, phase scenarios.Phase, end time.Duration) error {
	pctx, cancel := context.WithDeadline(ctx, r.base.Add(end))
	defer cancel()
	var g errgroup.Group
	for _, fault := range phase.Faults {
		g.Go(func() error {
			_, err := chaos.Hold(pctx, l.injector(fault), fault, r.now, r.event)
			return err
		})
	}
	return g.Wait()
}

// until waits for a moment of the run's clock.
func (r *runner) until(ctx context.Context, at time.Duration) error {
	timer := time.NewTimer(at - r.now())
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
