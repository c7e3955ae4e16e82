// Package figures takes numbers out of a recording, in one place for the
// terminal, the report and the verdict alike.
//
// The one idea: a figure is a pure function of a recording and a window of time.
// Hits belong to the window in which they were due, windows are cut by when
// faults were in force, and quantiles are exact. What a figure should be is not
// decided here: see results/judge.
package figures

import (
	"sort"
	"time"

	"brownout/results"
)

// Load returns the hits that are load: reads and writes, without the seeds
// before and the readbacks after.
func Load(hits []results.Hit) []results.Hit {
	return pick(hits, func(h results.Hit) bool { return h.Op == results.OpRead || h.Op == results.OpWrite })
}

// Due returns the hits due in [from, to). The hits must be sorted by due, as they
// are in a recording.
func Due(hits []results.Hit, from, to time.Duration) []results.Hit {
	at := func(t time.Duration) int {
		return sort.Search(len(hits), func(i int) bool { return hits[i].Due >= t })
	}
	return hits[at(from):max(at(from), at(to))]
}

// Where returns the hits of one op or source, or both; an empty one selects all.
func Where(hits []results.Hit, op results.Op, source results.Source) []results.Hit {
	return pick(hits, func(h results.Hit) bool {
		return (op == "" || h.Op == op) && (source == "" || h.Source == source)
	})
}

// Told returns the reads whose answers say where they came from.
func Told(hits []results.Hit) []results.Hit {
	return pick(hits, func(h results.Hit) bool { return h.Op == results.OpRead && h.OK() && h.Source != "" })
}

// Failed returns the hits that failed.
func Failed(hits []results.Hit) []results.Hit {
	return pick(hits, func(h results.Hit) bool { return !h.OK() })
}

func pick(hits []results.Hit, keep func(results.Hit) bool) []results.Hit {
	var kept []results.Hit
	for _, h := range hits {
		if keep(h) {
			kept = append(kept, h)
		}
	}
	return kept
}

// Share returns part/whole, and 0 for the share of nothing.
func Share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}
