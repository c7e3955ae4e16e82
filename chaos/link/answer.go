package link

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"brownout/chaos"
	"brownout/chaos/link/wire"
	"brownout/results"
)

// An answering answers in the dependency's name.
type answering struct {
	fault          chaos.Fault
	answer         wire.Answer
	chances, bites atomic.Int64

	mu    sync.Mutex
	ended bool // the account is closed
	on    []*talk
	waits []time.Duration // of statements that were kept as long as asked
}

func newAnswering(f chaos.Fault, seed uint64) *answering {
	a := &answering{fault: f, answer: wire.Answer{Kind: string(f.Kind), Delay: f.Latency, Seed: seed}}
	a.answer.Chance = func() { a.chances.Add(1) }
	a.answer.Bite = func() { a.bites.Add(1) }
	return a
}

func (a *answering) attach(c *conn) {
	a.mu.Lock()
	a.on = append(a.on, c.talk)
	a.mu.Unlock()
	if c.settled && a.fault.Live == chaos.CloseAll {
		c.abort(results.ClosedByGate, closeQuietly)
		return
	}
	c.talk.inject(a, !c.settled, c.carriers.Go)
}

// kept notes a statement that was kept back for d.
func (a *answering) kept(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.ended {
		a.waits = append(a.waits, d)
	}
}

func (a *answering) end(time.Duration) results.Evidence {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
	return results.Evidence{
		Occasion: "requests", Chances: int(a.chances.Load()), Bites: int(a.bites.Load()),
		DelayAsked: a.answer.Delay, DelayMeasured: median(a.waits),
	}
}

func (a *answering) lift() error {
	a.mu.Lock()
	on := slices.Clone(a.on)
	a.mu.Unlock()
	for _, t := range on {
		t.lift(a)
	}
	return nil
}
