package run

import (
	"context"
	"fmt"
	"time"

	"brownout/chaos/failover"
	"brownout/results"
	"brownout/scenarios"
)

// A turn is a failover that goes on. It is told as an injection that lasts until
// clients can go on, and passes by itself.
type turn struct {
	run     *runner
	bench   *bench
	plan    scenarios.Failover
	site    failover.Site
	clients int // connections at the beginning

	told   results.Injection
	healed bool
}

// failover carries a phase's failover out, to its last step, which may come in a
// later phase.
func (r *runner) failover(ctx context.Context, b *bench, f scenarios.Failover) error {
	t := &turn{run: r, bench: b, plan: f}
	t.told = results.Injection{Kind: results.KindFailover, On: r.Scenario.Stack.Endpoint(), Fault: f.String(), Start: r.now(), Passes: true}
	err := t.carryOut(ctx)
	if err != nil && ctx.Err() == nil {
		t.told.Error = err.Error()
	}
	if !t.healed {
		t.heal()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f, err)
	}
	return nil
}

func (t *turn) carryOut(ctx context.Context) error {
	site, err := t.bench.lab.Site(ctx)
	if err != nil {
		return err
	}
	t.site, t.clients = site, t.bench.clients()
	// From the beginning of the first step, not its end: it is felt meanwhile.
	t.told.Start = t.run.now()
	t.run.event(results.Event{At: t.told.Start, Kind: results.EventInject, On: t.told.On, Text: t.told.Fault})
	return failover.Run(ctx, t.plan.Steps(), site, t.tell)
}

// tell records a step.
func (t *turn) tell(d failover.Done) {
	t.run.event(results.Event{At: t.run.now(), Kind: results.EventStep, On: t.told.Fault, Text: d.Text,
		Step: &results.Step{Name: d.Step, Due: d.Due, Began: d.Began, Ended: d.Ended, Error: d.Error}})
	t.told.Evidence.Bites++
	if d.Step == t.plan.Plan.Heals && d.Error == "" {
		t.heal()
	}
}

// heal records that clients can go on.
func (t *turn) heal() {
	t.healed = true
	t.told.End = t.run.now()
	t.told.Evidence.Occasion = "steps until clients can go on, with clients connected"
	if t.clients > 0 {
		for _, s := range t.plan.Steps() {
			t.told.Evidence.Chances++
			if s.Name == t.plan.Plan.Heals {
				break
			}
		}
	}
	t.told.Evidence.Seen = fmt.Sprintf("%d connections of clients at the beginning", t.clients)
	if t.site != nil {
		old, next := t.site.Names()
		t.told.Evidence.Seen += fmt.Sprintf("; %s was the primary, %s is", old, next)
	}
	told := t.told
	t.run.event(results.Event{At: told.End, Kind: results.EventRevert, On: told.On, Text: told.Fault, Injection: &told})
}

// clients is how many connections of clients the cache's links carry.
func (b *bench) clients() int {
	n := 0
	for _, l := range b.lab.Links() {
		if l.Name != results.LinkDatabase {
			n += l.Clients()
		}
	}
	return n
}

// overdue is how long a failover may go on after the load, for what servers take.
const overdue = 10 * time.Second
