package link

import (
	"time"

	"brownout/chaos"
	"brownout/results"
)

// A slicing cuts what is sent into pieces, with a gap between them.
type slicing struct {
	way  chaos.Direction
	size int
	gap  time.Duration
	delays
	touched touches
}

func newSlicing(f chaos.Fault) *slicing {
	return &slicing{way: f.Way(), size: f.Size, gap: f.GapTime()}
}

func (s *slicing) attach(c *conn) {
	for _, p := range c.pumps(s.way) {
		st := newStage(&paceToxic{most: s.size, due: s.dues()})
		st.account = &account{delays: &s.delays, floor: s.floor}
		s.touched.put(p, st)
	}
}

// dues returns when pieces of one direction of a connection are due: a gap after the piece
// before, also when that was of an earlier chunk.
func (s *slicing) dues() func(int) time.Time {
	var last time.Time
	return func(int) time.Time {
		at := time.Now()
		if next := last.Add(s.gap); next.After(at) {
			at = next
		}
		last = at
		return at
	}
}

// floor is 0 for a chunk that is no longer than a piece: it is no chance.
func (s *slicing) floor(n int) time.Duration {
	return time.Duration((n-1)/s.size) * s.gap * 9 / 10
}

func (s *slicing) end(time.Duration) results.Evidence {
	s.touched.settle(&s.delays)
	ev := s.delays.evidence(0)
	ev.Occasion = "chunks longer than a piece"
	return ev
}

func (s *slicing) lift() error {
	s.touched.lift()
	return nil
}
