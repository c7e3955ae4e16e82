package figures

import (
	"slices"
	"time"

	"brownout/results"
)

// burstWidth is the stretch in which hits count as sent together.
const burstWidth = 100 * time.Millisecond

// A Burst is what a generator that fell behind sends to catch up: its load is then not
// the planned one, and a target that has just come back gets more than its share.
type Burst struct {
	Sent int // the most hits sent within 100 ms
	Due  int // the most hits due within 100 ms
}

// BurstOf returns the greatest burst of load.
func BurstOf(load []results.Hit) Burst {
	times := make([]time.Duration, len(load))
	for i := range load {
		times[i] = load[i].Due
	}
	b := Burst{Due: Peak(times, burstWidth)}
	for i := range load {
		times[i] = load[i].Sent
	}
	slices.Sort(times)
	b.Sent = Peak(times, burstWidth)
	return b
}

// Caught reports whether the burst is more than rounding and a late timer: more than
// half as many again as were due.
func (b Burst) Caught() bool { return 2*b.Sent > 3*b.Due+2 }
