package lab

import (
	"sync"
	"time"

	"brownout/results"
)

// Traffic is what has passed a link.
type Traffic struct {
	Rate   int    // commands or queries that were answered in the last full second of the lab's clock
	Total  uint64 // and since the start
	Errors uint64 // of these: answered with an error, or not at all
}

// Traffic returns what has passed the link so far.
func (l *Link) Traffic() Traffic { return l.meter.read(time.Since(l.base)) }

// A meter counts exchanges by the second in which they ended. The zero meter is
// ready.
type meter struct {
	mu        sync.Mutex
	second    int64 // the last in which anything ended
	now, last int   // in it, and in the one before
	total     uint64
	errors    uint64
}

func (m *meter) count(e results.Exchange) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn(e.Done)
	m.now++
	m.total++
	if e.Reply != results.ReplyOK && e.Reply != results.ReplyNil {
		m.errors++
	}
}

func (m *meter) read(at time.Duration) Traffic {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn(at)
	return Traffic{Rate: m.last, Total: m.total, Errors: m.errors}
}

// turn moves on to the second of at. Connections report side by side: one of them
// may be a second behind, and is counted in this one.
func (m *meter) turn(at time.Duration) {
	switch second := int64(at / time.Second); {
	case second == m.second+1:
		m.second, m.last, m.now = second, m.now, 0
	case second > m.second:
		m.second, m.last, m.now = second, 0, 0
	}
}
