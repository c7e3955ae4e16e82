package run

import (
	"context"
	"fmt"
	"time"

	"brownout/loadtest"
	"brownout/results"

	"golang.org/x/sync/errgroup"
)

// runUp is the time between the decision to start and the first due request, so
// that the generator's first request is not late because of its own start.
const runUp = 100 * time.Millisecond

// drive fills the target, puts load and faults on the clock, and reads back what
// was written.
func (r *runner) drive(ctx context.Context, b *bench) error {
	work := r.workload()
	if err := r.fill(ctx, b, work); err != nil {
		return fmt.Errorf("filling the target: %w", err)
	}
	if r.Scenario.Cold {
		if err := r.startCold(ctx, b); err != nil {
			return err
		}
	}
	if err := r.load(ctx, b, work); err != nil {
		return err
	}
	written := r.seen.writtenFlags()
	if len(written) == 0 {
		return nil
	}
	client, err := r.client(b)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.Readback(ctx, written); err != nil {
		return fmt.Errorf("reading back what was written: %w", err)
	}
	return nil
}

// fillTimeout bounds the filling of the target. A healthy one takes milliseconds a
// flag.
const fillTimeout = 2 * time.Minute

var errFillTimeout = fmt.Errorf("it was not filled within %v", fillTimeout)

func (r *runner) fill(ctx context.Context, b *bench, work loadtest.Workload) error {
	if !r.Target.Tells().Writes {
		return nil
	}
	client, err := r.client(b)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeoutCause(ctx, fillTimeout, errFillTimeout)
	defer cancel()
	return client.Seed(ctx, work.Seeds())
}

func (r *runner) client(b *bench) (*loadtest.Client, error) {
	requests := r.requests(b)
	client, err := loadtest.NewClient(loadtest.ClientConfig{
		Base: r.base, Requests: requests[0], Peers: requests[1:],
		Timeout: r.Scenario.Load.Timeout, Record: r.hit,
	})
	if err != nil {
		return nil, fmt.Errorf("preparing requests: %w", err)
	}
	return client, nil
}

// tooLate is how late a hit is that a scenario skips. A generator that is at all fit
// for its rate is late by milliseconds.
const tooLate = 100 * time.Millisecond

func (r *runner) skipAfter() time.Duration {
	if r.Scenario.Load.Skips {
		return tooLate
	}
	return 0
}

// requests are those of each instance.
func (r *runner) requests(b *bench) []loadtest.Requests {
	var all []loadtest.Requests
	for _, t := range b.instances() {
		all = append(all, r.Target.RequestsAt(t.base))
	}
	return all
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
func (r *runner) load(ctx context.Context, b *bench, work loadtest.Workload) error {
	schedule, err := r.Scenario.Schedule()
	if err != nil {
		return fmt.Errorf("planning the load: %w", err)
	}
	requests := r.requests(b)
	start := r.now() + runUp
	generator, err := loadtest.New(loadtest.Config{
		Base: r.base, Start: start, Schedule: schedule, Workload: work,
		Requests: requests[0], Peers: requests[1:], Timeout: r.Scenario.Load.Timeout,
		Record: r.hit, SkipAfter: r.skipAfter(),
	})
	if err != nil {
		return fmt.Errorf("planning the load: %w", err)
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return generator.Run(gctx) })
	g.Go(func() error { return r.timeline(gctx, b, start) })
	return g.Wait()
}

// timeline walks through the phases. Phases begin when the plan says; a fault is
// taken away before the next phase begins. A failover goes on beside the phases.
func (r *runner) timeline(ctx context.Context, b *bench, at time.Duration) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.phases(ctx, b, at, g) })
	return g.Wait()
}

func (r *runner) phases(ctx context.Context, b *bench, at time.Duration, failovers *errgroup.Group) error {
	over := r.base.Add(at + r.Scenario.Duration() + overdue)
	for _, phase := range r.Scenario.Phases {
		if err := r.until(ctx, at); err != nil {
			return err
		}
		r.event(results.Event{At: r.now(), Kind: results.EventPhase, On: phase.Name})
		if phase.Failover != nil {
			failovers.Go(func() error {
				ctx, cancel := context.WithDeadline(ctx, over)
				defer cancel()
				return r.failover(ctx, b, *phase.Failover)
			})
		}
		at += phase.For
		if err := r.phase(ctx, b, phase, at); err != nil {
			return fmt.Errorf("phase %s: %w", phase.Name, err)
		}
	}
	if err := r.until(ctx, at); err != nil {
		return err
	}
	r.event(results.Event{At: r.now(), Kind: results.EventEnd})
	return nil
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
