package cache

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// mostJitter is the largest share of the time to live that may be taken away.
const mostJitter = 90

// A life is how long entries live.
type life struct {
	ttl    time.Duration
	jitter int // percent
}

// newLife checks what Redis can keep, for all backends alike: whole seconds.
func (s Settings) life() (life, error) {
	switch {
	case s.TTL < time.Second || s.TTL%time.Second != 0:
		return life{}, fmt.Errorf("entries live for %v, want whole seconds", s.TTL)
	case s.Jitter < 0 || s.Jitter > mostJitter:
		return life{}, fmt.Errorf("the jitter is %d percent, want 0 to %d", s.Jitter, mostJitter)
	}
	return life{s.TTL, s.Jitter}, nil
}

// draw is the time to live of one entry: the full one, less a random share of the
// jitter, so that entries that were made together do not die together.
func (l life) draw() time.Duration {
	spread := l.ttl / time.Second * time.Duration(l.jitter) / 100 // seconds
	return max(l.ttl-rand.N(spread+1)*time.Second, time.Second)
}
