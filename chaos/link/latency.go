package link

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/Shopify/toxiproxy/v2/toxics"

	"brownout/chaos"
	"brownout/results"
)

// A latency delays bytes, with Toxiproxy's toxic.
//
// The toxic counts whole milliseconds from a chunk's timestamp, and draws its
// jitter from a generator that cannot be seeded. So it is given no jitter and the
// next whole millisecond, and the timestamp is moved by the difference: the delay
// is exact and its jitter repeatable.
type latency struct {
	fault chaos.Fault
	seed  uint64
	whole time.Duration // Latency rounded up to milliseconds
	delays
	touched touches
}

func newLatency(f chaos.Fault, seed uint64) *latency {
	return &latency{fault: f, seed: seed, whole: time.Duration(wholeMilliseconds(f.Latency)) * time.Millisecond}
}

func (l *latency) attach(c *conn) {
	for _, p := range c.pumps(l.fault.Way()) {
		s := newStage(&toxics.LatencyToxic{Latency: l.whole.Milliseconds()})
		s.account = &account{delays: &l.delays, floor: l.floor}
		s.shift = l.shifts(c.id, p == c.up)
		l.touched.put(p, s)
	}
}

// floor is the same for all chunks. With as much jitter as latency any delay will do.
func (l *latency) floor(int) time.Duration { return max((l.fault.Latency-l.fault.Jitter)*9/10, 1) }

// shifts returns the jitter of one direction of connection id. The pump's lock is
// held when it is called.
func (l *latency) shifts(id uint64, up bool) func() time.Duration {
	if up {
		id = ^id // far from the ids that are counted from 1
	}
	rng := rand.New(rand.NewPCG(l.seed, id))
	exact := l.fault.Latency - l.whole
	return func() time.Duration {
		if l.fault.Jitter == 0 {
			return exact
		}
		return exact + time.Duration(rng.Int64N(2*int64(l.fault.Jitter)+1)) - l.fault.Jitter
	}
}

func (l *latency) end(time.Duration) results.Evidence {
	l.touched.settle(&l.delays)
	return l.delays.evidence(l.fault.Latency)
}

func (l *latency) lift() error {
	l.touched.lift()
	return nil
}

// A delays is the account of the chunks that a fault met which delays them.
type delays struct {
	mu       sync.Mutex
	closed   bool // the fault is over: nothing is counted any more
	chances  int
	bites    int
	measured []time.Duration // from arrival to written
}

func (d *delays) arrived() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		d.chances++
	}
}

// passed notes a chunk that was written after delay. At least floor is a bite.
func (d *delays) passed(delay, floor time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	d.measured = append(d.measured, delay)
	if delay >= floor {
		d.bites++
	}
}

// kept notes a chunk that was kept back until the fault or its connection ended.
func (d *delays) kept() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		d.bites++
	}
}

// evidence closes the account. The measured delay is the median of the chunks
// that were written, 0 if none was.
func (d *delays) evidence(asked time.Duration) results.Evidence {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	ev := results.Evidence{Occasion: "chunks", Chances: d.chances, Bites: d.bites, DelayAsked: asked}
	ev.DelayMeasured = median(d.measured)
	return ev
}

// median sorts all and returns the one in the middle, 0 if there is none.
func median(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}
