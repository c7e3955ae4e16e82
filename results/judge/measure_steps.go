package judge

import (
	"fmt"
	"strings"

	"brownout/results/figures"
)

// recoversAt is the highest rate of a phase after the last fault at which the target
// did its work. A target that never does it again has 0.
func recoversAt(q question) reading {
	steps, ok := figures.StepsAfter(q.rec, q.load, q.windows)
	if !ok {
		return unknown(0, "no fault had ended by then")
	}
	var r reading
	var tried []string
	for _, s := range steps {
		if s.Hits < q.defaults.StepHits {
			continue
		}
		r.n += s.Hits
		if s.Good >= q.defaults.StepGood {
			r.value = max(r.value, s.Rate)
		}
		tried = append(tried, fmt.Sprintf("%s %s good", PerSecond.Format(s.Rate), Share.Format(s.Good)))
	}
	if len(tried) == 0 {
		return unknown(0, "no phase after the last fault has %d hits in its second half", q.defaults.StepHits)
	}
	r.note = strings.Join(tried, ", ")
	return r
}
