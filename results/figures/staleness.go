package figures

import (
	"time"

	"brownout/results"
)

// Staleness is the age of what reads returned.
type Staleness struct {
	N     int           // reads of a key that had been written to before, whose age can be told
	Stale int           // those that returned something old
	Max   time.Duration // the greatest age
	Worst results.Hit   // the read with the greatest age, if Stale > 0
}

func (s *Staleness) add(h *History) {
	for _, read := range h.Reads {
		age, ok := h.age(read)
		if !ok {
			continue
		}
		s.N++
		if age > 0 {
			s.Stale++
		}
		if age > s.Max {
			s.Max, s.Worst = age, read
		}
	}
}

// age returns the staleness of read. ok is false when no write other than a seed
// had been acknowledged before, or nothing is known of what was read.
func (h *History) age(read results.Hit) (age time.Duration, ok bool) {
	write := h.written(read.Token)
	version := versionOf(read, write)
	if write == nil && version == 0 {
		return 0, false
	}
	for _, w := range h.Writes {
		if !acknowledged(w) || w.Done >= read.Sent {
			continue
		}
		ok = ok || w.Op == results.OpWrite
		if newer(w, version, write) {
			age = max(age, read.Sent-w.Done)
		}
	}
	return age, ok
}
