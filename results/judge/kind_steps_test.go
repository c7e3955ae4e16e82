package judge

import (
	"time"

	"brownout/results"
)

// stepping replaces the recovery by steps of 2 s at 300/s, 200/s and 100/s. Until the
// moment back every other answer to their load is an error.
func stepping(back time.Duration) func(*run) {
	return func(r *run) {
		r.drop(10*sec, 15*sec)
		r.m.Phases = r.m.Phases[:2]
		r.events = append(r.events[:2:2], r.events[4:]...) // two phases, and the fault's end
		at := 10 * sec
		for _, step := range []struct {
			name string
			rate int
		}{{"high", 300}, {"middle", 200}, {"low", 100}} {
			r.m.Phases = append(r.m.Phases, results.Phase{Name: step.name, For: 2 * sec, RateFrom: float64(step.rate), RateTo: float64(step.rate)})
			r.events = append(r.events, results.Event{At: at, Kind: results.EventPhase, On: step.name})
			for i := range 2 * step.rate {
				h := goodHit(uint64(i), at+time.Duration(i)*sec/time.Duration(step.rate))
				if h.Due < back && i%2 == 0 {
					fail(&h)
				}
				r.add(h)
			}
			at += 2 * sec
		}
		r.events = append(r.events, results.Event{At: at, Kind: results.EventEnd})
	}
}

func stepRows() []kindRow {
	return []kindRow{
		{"back at the load that there was", "", "recovers_at", "300/s", stepping(10 * sec), Pass, "300/s", "300/s 100% good, 200/s 100% good, 100/s 100% good"},
		{"back in the second half of the first step", "", "recovers_at", "300/s", stepping(11 * sec), Pass, "300/s", ""},
		{"back at less than there was", "", "recovers_at", "300/s", stepping(11900 * ms), Fail, "200/s", "300/s 55% good, 200/s 100% good"},
		{"never back", "", "recovers_at", "100/s", stepping(20 * sec), Fail, "0/s", "100/s 50% good"},
		{"no fault", "", "recovers_at", "100/s", func(r *run) {
			r.phase("outage").Faults = nil
			r.events = r.events[:4]
		}, Inconclusive, "", "no fault had ended by then"},
		{"no load after the fault", "", "recovers_at", "100/s", func(r *run) { r.drop(10*sec, 15*sec) }, Inconclusive, "", "no phase after the last fault has 100 hits in its second half"},
	}
}
