package link

import (
	"sync"
	"time"

	"brownout/results"
)

// A resetting resets every connection that it is attached to, at once.
//
// Note: a reset at the first byte of the client was the other way. It leaves
// alone whoever waits for the dependency to speak first.
type resetting struct {
	start time.Duration // it is in force

	mu      sync.Mutex
	ended   bool // the account is closed
	offered int
	reset   int
	cut     int // of those reset: live at the start
}

func newResetting(start time.Duration) *resetting { return &resetting{start: start} }

func (r *resetting) attach(c *conn) {
	r.mu.Lock() // before: the client may see it and the account be closed meanwhile
	defer r.mu.Unlock()
	first, err := c.abort(results.ClosedByGate, closeHard)
	if !first || r.ended {
		return // somebody else had ended it, or it came too late to be counted
	}
	r.offered++
	if err != nil {
		return
	}
	r.reset++
	if c.opened < r.start {
		r.cut++
	}
}

func (r *resetting) end(time.Duration) results.Evidence {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	return results.Evidence{Occasion: "connections live or accepted", Chances: r.offered, Bites: r.reset, Cut: r.cut}
}

// lift does nothing: what was reset is gone, and what comes is not attached.
func (r *resetting) lift() error { return nil }
