package loadtest

import (
	"errors"
	"fmt"
	"math"
	"sort"
	"time"
)

// maxRate bounds the rate of a stage, in requests per second. It is far above what
// one machine can send, and keeps the arithmetic of Due exact to a nanosecond.
const maxRate = 1e6

// A Stage is a stretch of a schedule: a constant rate when From and To are equal,
// a linear ramp otherwise, a pause when both are 0.
type Stage struct {
	For      time.Duration // more than 0
	From, To float64       // requests per second at its start and at its end
}

// check returns what is wrong with the stage.
func (s Stage) check() error {
	switch {
	case s.For <= 0:
		return fmt.Errorf("it lasts %v; write a time above 0", s.For)
	case !validRate(s.From) || !validRate(s.To):
		return fmt.Errorf("rate from %v to %v per second; write numbers from 0 to %.0f", s.From, s.To, maxRate)
	}
	return nil
}

func validRate(r float64) bool { return r >= 0 && r <= maxRate } // NaN fails both

// A Schedule says when each hit is due. It has no clock and no state: hit n is due
// when the integral of the rate over time reaches n, computed from n each time, so
// that no error adds up. During a pause nothing is due, not even at its edge: that
// hit waits for the end of the pause.
type Schedule struct {
	spans []span
}

// A span is a stage in its place.
type span struct {
	Stage
	start       time.Duration // offset of its first moment
	first, last float64       // integral of the rate at its start and at its end
}

// NewSchedule returns the schedule of stages one after the other.
func NewSchedule(stages ...Stage) (Schedule, error) {
	if len(stages) == 0 {
		return Schedule{}, errors.New("a schedule needs at least one stage")
	}
	s := Schedule{spans: make([]span, len(stages))}
	var at time.Duration
	var sum float64
	for i, stage := range stages {
		if err := stage.check(); err != nil {
			return Schedule{}, fmt.Errorf("stage %d: %w", i+1, err)
		}
		if at+stage.For < at {
			return Schedule{}, fmt.Errorf("stage %d: the schedule is longer than a time can hold", i+1)
		}
		next := snap(sum + (stage.From+stage.To)/2*stage.For.Seconds())
		s.spans[i] = span{Stage: stage, start: at, first: sum, last: next}
		at, sum = at+stage.For, next
	}
	return s, nil
}

// snap takes away the rounding error of a sum that should be a whole number: 100/s
// for 1.1s are 110 hits, and not the 110.00000000000001 that would make them 111.
func snap(x float64) float64 {
	if whole := math.Round(x); math.Abs(x-whole) < 1e-6 {
		return whole
	}
	return x
}

// Due returns the offset from the start of the load at which hit seq (from 0) is
// due. Past the end of the schedule it returns Duration and false.
func (s Schedule) Due(seq uint64) (due time.Duration, ok bool) {
	n := float64(seq)
	i := sort.Search(len(s.spans), func(i int) bool { return n < s.spans[i].last })
	if i == len(s.spans) {
		return s.Duration(), false
	}
	return s.spans[i].due(n), true
}

// due solves From*t + (To-From)/(2*For)*t² = n-first for t. The form of the
// solution is the one that does not divide by the slope, which may be 0.
func (s span) due(n float64) time.Duration {
	n -= s.first
	if n <= 0 {
		return s.start
	}
	slope := (s.To - s.From) / s.For.Seconds()
	root := math.Sqrt(max(s.From*s.From+2*slope*n, 0))
	t := time.Duration(math.Round(2 * n / (s.From + root) * float64(time.Second)))
	return s.start + min(t, s.For-1) // the end of a stage belongs to the next one
}

// Total returns how many hits the schedule holds: Due is true for all numbers
// below it and for no other.
func (s Schedule) Total() uint64 {
	if len(s.spans) == 0 {
		return 0
	}
	return uint64(math.Ceil(s.spans[len(s.spans)-1].last))
}

// Duration returns how long the schedule lasts.
func (s Schedule) Duration() time.Duration {
	if len(s.spans) == 0 {
		return 0
	}
	last := s.spans[len(s.spans)-1]
	return last.start + last.For
}

// Bounds returns the offsets at which stages begin, and as its last element the
// end of the schedule.
func (s Schedule) Bounds() []time.Duration {
	bounds := make([]time.Duration, 0, len(s.spans)+1)
	for _, span := range s.spans {
		bounds = append(bounds, span.start)
	}
	return append(bounds, s.Duration())
}
