package link

import (
	"sync"
	"time"

	"brownout/chaos"
	"brownout/results"
)

// A bandwidth lets bytes through at a rate that all connections share, each way for
// itself.
type bandwidth struct {
	way  chaos.Direction
	rate rate
	delays
	touched  touches
	up, down lane
}

func newBandwidth(f chaos.Fault) *bandwidth {
	r := rate(f.Rate)
	return &bandwidth{way: f.Way(), rate: r, up: lane{rate: r}, down: lane{rate: r}}
}

func (b *bandwidth) attach(c *conn) {
	for _, p := range c.pumps(b.way) {
		l := &b.down
		if p == c.up {
			l = &b.up
		}
		s := newStage(&paceToxic{most: b.rate.piece(), due: l.due, late: l.leave})
		s.account = &account{delays: &b.delays, floor: func(n int) time.Duration { return b.rate.takes(n) * 9 / 10 }}
		b.touched.put(p, s)
	}
}

// A rate is in bytes per second.
type rate int

// piece is what goes through in a fiftieth of a second: small enough to take turns.
func (r rate) piece() int { return min(max(int(r)/50, 1), bufferSize) }

// takes is how long n bytes take.
func (r rate) takes(n int) time.Duration {
	return time.Duration(float64(n) / float64(r) * float64(time.Second))
}

// A lane is one way through a bandwidth.
type lane struct {
	rate rate

	mu   sync.Mutex
	free time.Time // when everything that was let in will be through
}

// due is when n bytes more will be through.
func (l *lane) due(n int) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); l.free.Before(now) {
		l.free = now
	}
	l.free = l.free.Add(l.rate.takes(n))
	return l.free
}

// leave gives the turn of n bytes back, which nobody will use. Who waits behind it
// does not move up, but who comes next does: over any time no more passes than the
// rate allows.
func (l *lane) leave(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free = l.free.Add(-l.rate.takes(n))
}

func (b *bandwidth) end(time.Duration) results.Evidence {
	b.touched.settle(&b.delays)
	return b.delays.evidence(0)
}

func (b *bandwidth) lift() error {
	b.touched.lift()
	return nil
}
