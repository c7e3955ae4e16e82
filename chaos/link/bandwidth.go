package link

import (
	"sync"
	"time"

	"brownout/chaos"
	"brownout/results"
)

// A bandwidth lets what comes back from the dependency through at a rate that all
// connections share.
type bandwidth struct {
	rate int // bytes per second
	delays
	touched touches

	mu   sync.Mutex
	free time.Time // when everything that was let in will be through
}

func newBandwidth(f chaos.Fault) *bandwidth { return &bandwidth{rate: f.Rate} }

func (b *bandwidth) attach(c *conn) {
	s := newStage(&paceToxic{most: b.piece(), due: b.due})
	s.account = &account{delays: &b.delays, floor: func(n int) time.Duration { return b.takes(n) * 9 / 10 }}
	b.touched.put(c.down, s)
}

// piece is what goes through in a fiftieth of a second: small enough to take turns.
func (b *bandwidth) piece() int { return min(max(b.rate/50, 1), bufferSize) }

// takes is how long n bytes take.
func (b *bandwidth) takes(n int) time.Duration {
	return time.Duration(float64(n) / float64(b.rate) * float64(time.Second))
}

// due is when n bytes more will be through.
func (b *bandwidth) due(n int) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now := time.Now(); b.free.Before(now) {
		b.free = now
	}
	b.free = b.free.Add(b.takes(n))
	return b.free
}

func (b *bandwidth) end(time.Duration) results.Evidence {
	b.touched.settle(&b.delays)
	return b.delays.evidence(0)
}

func (b *bandwidth) lift() error {
	b.touched.lift()
	return nil
}
