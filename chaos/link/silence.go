package link

import (
	"sync/atomic"
	"time"
)

// A silence follows how long a client waits: from the first byte it sent after
// the last answer to the next byte that comes back.
type silence struct {
	since   atomic.Int64 // offset at which the wait began; 0: nothing is awaited
	longest atomic.Int64 // of the waits that ended
}

// sent notes that the client sent something.
func (s *silence) sent(now time.Duration) { s.since.CompareAndSwap(0, int64(max(now, 1))) }

// answered notes that something came back. One goroutine calls it.
func (s *silence) answered(now time.Duration) {
	if since := s.since.Swap(0); since != 0 {
		s.longest.Store(max(s.longest.Load(), int64(now)-since))
	}
}

// waiting says since when the client waits.
func (s *silence) waiting() (since time.Duration, ok bool) {
	n := s.since.Load()
	return time.Duration(n), n != 0
}

// upTo is the longest wait, the one still going on at now included.
func (s *silence) upTo(now time.Duration) time.Duration {
	longest := time.Duration(s.longest.Load())
	if since, ok := s.waiting(); ok {
		longest = max(longest, now-since)
	}
	return longest
}
