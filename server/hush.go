package server

import (
	"sync"
	"time"
)

// A hush lets one line a second into the log, and counts those that it holds back.
type hush struct {
	mu   sync.Mutex
	last time.Time
	held int
}

// pass reports whether the line may be written, and how many were held back before it.
func (h *hush) pass() (held int, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if !h.last.IsZero() && now.Sub(h.last) < quiet {
		h.held++
		return 0, false
	}
	held, h.held, h.last = h.held, 0, now
	return held, true
}
