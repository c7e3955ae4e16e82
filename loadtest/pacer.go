package loadtest

import (
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// A waiter waits until a moment and returns true. It returns false when done is
// closed, at once, also when the moment has passed.
type waiter func(done <-chan struct{}, until time.Time) bool

// A pacer tells Vegeta when to send the next hit. Vegeta would sleep for as long
// as Pace says, with time.Sleep, which wakes up to a millisecond late and cannot be
// interrupted. So Pace itself waits until the hit is due, and says 0.
type pacer struct {
	schedule Schedule
	start    time.Time // when the schedule begins
	done     <-chan struct{}
	wait     waiter
}

var _ vegeta.Pacer = pacer{}

// Pace implements vegeta.Pacer. It is called from one goroutine.
func (p pacer) Pace(_ time.Duration, hits uint64) (wait time.Duration, stop bool) {
	due, ok := p.schedule.Due(hits)
	return 0, !ok || !p.wait(p.done, p.start.Add(due))
}

// Rate implements vegeta.Pacer. Vegeta's own command plots it; nothing here asks.
func (p pacer) Rate(time.Duration) float64 { return 0 }

// waitTimer is the waiter for systems without a finer one.
func waitTimer(done <-chan struct{}, until time.Time) bool {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-done:
		return false
	case <-timer.C:
	}
	select { // both may have been ready
	case <-done:
		return false
	default:
		return true
	}
}
