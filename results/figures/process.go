package figures

import (
	"time"

	"brownout/results"
)

// Cost is what a process used in a stretch of time.
type Cost struct {
	CPU         time.Duration // user and system time between the first and the last sample
	PerThousand float64       // CPU seconds for 1,000 hits due between these samples
	PeakMemory  int64         // resident bytes
}

// CostOf returns what process used in [start, end). ok is false when there are
// fewer than two samples, no hits between them, or the process was started anew.
func CostOf(rec *results.Recording, process string, start, end time.Duration) (c Cost, ok bool) {
	var first, last *results.Sample
	for i := range rec.Samples {
		s := &rec.Samples[i]
		if s.Process != process || s.At < start || s.At >= end {
			continue
		}
		if first == nil {
			first = s
		}
		if last != nil && s.CPU < last.CPU {
			return Cost{}, false
		}
		last = s
		c.PeakMemory = max(c.PeakMemory, s.Memory)
	}
	if first == last {
		return Cost{}, false
	}
	hits := len(Load(Due(rec.Hits, first.At, last.At)))
	if hits == 0 {
		return Cost{}, false
	}
	c.CPU = last.CPU - first.CPU
	c.PerThousand = c.CPU.Seconds() / float64(hits) * 1000
	return c, true
}
