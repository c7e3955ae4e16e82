package judge

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"strconv"

	"brownout/results/figures"
)

// timesCalm are what the quantile of the calm phase can be multiplied by.
func timesCalm() []string { return []string{"1", "1.5", "2", "3"} }

// over is how much a quantile is above so many times that of the last phase before the
// first fault. Below it is negative.
func over(at float64) func(question) reading {
	return func(q question) reading {
		calm, ok := figures.Calm(q.windows)
		if !ok || q.window.Start < calm.End {
			return unknown(0, "there is no phase before the first fault to compare this one with")
		}
		times, err := strconv.ParseFloat(cmp.Or(q.where["times"], timesCalm()[0]), 64)
		if err != nil { // of a manifest that was made by hand
			return unknown(0, "times=%s is not a number", q.where["times"])
		}
		r := latency(at)(q)
		q.window, q.where = calm, maps.Clone(q.where)
		delete(q.where, "after") // nothing happened at its beginning
		before := latency(at)(q)
		if r.why == "" && before.why != "" {
			return unknown(before.n, "in %s: %s", calm.Phase.Name, before.why)
		}
		if r.why == "" && before.n == 0 {
			return unknown(0, "%s has no hit to compare with", calm.Phase.Name)
		}
		if r.why == "" {
			r.note = fmt.Sprintf("%s, and %s in %s", Seconds.Format(r.value), Seconds.Format(before.value), calm.Phase.Name)
		}
		r.value = math.Round((r.value-times*before.value)*1e9) / 1e9 // all times are whole nanoseconds
		return r
	}
}

func overKinds() []Kind {
	var kinds []Kind
	for _, q := range quantiles() {
		if q.name != "p50" && q.name != "p99" {
			continue
		}
		kinds = append(kinds, Kind{
			Name: q.name + "_over", Unit: Seconds, Scope: Phase, Comparison: "<=", Labels: []string{"times", "after", "op", "source"}, measure: over(q.q),
			Doc: fmt.Sprintf("by how much the %g-quantile of latency is above that of the last phase before the first fault, or above so many times that (times=1.5); after=1s leaves out what is due in the first second of the phase", q.q),
		})
	}
	return kinds
}
