package link

import (
	"time"

	"github.com/Shopify/toxiproxy/v2/toxics"

	"brownout/chaos"
	"brownout/results"
)

// A slowClose passes the end of a stream on later, with Toxiproxy's toxic.
type slowClose struct {
	way     chaos.Direction
	latency time.Duration
	delays
	touched touches
}

func newSlowClose(f chaos.Fault) *slowClose { return &slowClose{way: f.Way(), latency: f.Latency} }

func (s *slowClose) attach(c *conn) {
	for _, p := range c.pumps(s.way) {
		st := newStage(&toxics.SlowCloseToxic{Delay: wholeMilliseconds(s.latency)})
		st.account = &account{delays: &s.delays, floor: func(int) time.Duration { return 0 }, end: s.latency}
		s.touched.put(p, st)
	}
}

func (s *slowClose) end(time.Duration) results.Evidence {
	s.touched.settle(&s.delays)
	ev := s.delays.evidence(s.latency)
	ev.Occasion = "ends of connections"
	return ev
}

func (s *slowClose) lift() error {
	s.touched.lift()
	return nil
}

// wholeMilliseconds is d in milliseconds, rounded up: Toxiproxy knows no others.
func wholeMilliseconds(d time.Duration) int64 {
	return (d + time.Millisecond - 1).Milliseconds()
}
