package figures

import (
	"slices"
	"time"

	"brownout/results"
)

// Staleness is the age of what reads returned.
type Staleness struct {
	N     int             // reads of a key that had been written to before, whose age can be told
	Stale int             // those that returned something old
	Max   time.Duration   // the greatest age
	Worst results.Hit     // the read with the greatest age, if Stale > 0
	Ages  []time.Duration // of all N reads, ascending; 0 is fresh
	// Behind is the greatest number of acknowledged writes that a read was behind, and
	// Hindmost the read that was; if Stale > 0.
	Behind   int
	Hindmost results.Hit
}

func (s *Staleness) add(h *History) {
	writes := orderOf(h)
	for _, read := range h.Reads {
		age, ok := h.age(writes, read)
		if !ok {
			continue
		}
		s.N++
		s.Ages = append(s.Ages, age)
		if age == 0 {
			continue
		}
		s.Stale++
		if age > s.Max {
			s.Max, s.Worst = age, *read
		}
		if n := h.behind(read); n > s.Behind {
			s.Behind, s.Hindmost = n, *read
		}
	}
}

func (s *Staleness) sort() { slices.Sort(s.Ages) }

// age returns the staleness of read. ok is false when no write other than a seed
// had been acknowledged before, or nothing is known of what was read.
func (h *History) age(writes *order, read *results.Hit) (age time.Duration, ok bool) {
	write := h.written(read.Token)
	version := versionOf(read, write)
	if write == nil && version == 0 || writes.written >= read.Sent {
		return 0, false
	}
	return max(0, read.Sent-writes.acknowledgedAfter(version, write)), true
}

// behind counts the writes, acknowledged before read was sent, that are newer than
// what it returned.
func (h *History) behind(read *results.Hit) int {
	write := h.written(read.Token)
	version := versionOf(read, write)
	n := 0
	for _, w := range h.Writes {
		if acknowledged(w) && w.Done < read.Sent && newer(w, version, write) {
			n++
		}
	}
	return n
}
