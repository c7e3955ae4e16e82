// Package figures takes numbers out of a recording, in one place for the
// terminal, the report and the verdict alike.
//
// The one idea: a figure is a pure function of a recording and a window of time.
// Hits belong to the window in which they were due, windows are cut by when
// faults were in force, and quantiles are exact. What a figure should be is not
// decided here: see results/judge.
package figures

import (
	"slices"
	"sort"
	"time"

	"brownout/results"
)

// Load returns the hits that are load: reads and writes, without the seeds
// before and the readbacks after.
func Load(hits []results.Hit) []results.Hit {
	return pick(hits, func(h *results.Hit) bool { return h.Op == results.OpRead || h.Op == results.OpWrite })
}

// Skipped counts the hits due in [from, to) that were not sent because they would have
// been too late.
func Skipped(hits []results.Hit, from, to time.Duration) int {
	n := 0
	for _, h := range Due(hits, from, to) {
		if h.Op == results.OpSkipped {
			n++
		}
	}
	return n
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
	return pick(hits, func(h *results.Hit) bool { return is(h, op, source) })
}

func is(h *results.Hit, op results.Op, source results.Source) bool {
	return (op == "" || h.Op == op) && (source == "" || h.Source == source)
}

// told reports whether a read says where its answer came from.
func told(h *results.Hit) bool { return h.Op == results.OpRead && h.OK() && h.Source != "" }

// Sources counts the reads that say where their answer came from, by that, and all of
// them.
func Sources(hits []results.Hit) (of map[results.Source]int, all int) {
	of = map[results.Source]int{}
	for i := range hits {
		if told(&hits[i]) {
			of[hits[i].Source]++
			all++
		}
	}
	return of, all
}

// Good counts the hits that were answered as they should be.
func Good(hits []results.Hit) int {
	n := 0
	for i := range hits {
		if hits[i].OK() {
			n++
		}
	}
	return n
}

// Failed returns the hits that failed.
func Failed(hits []results.Hit) []results.Hit {
	return pick(hits, func(h *results.Hit) bool { return !h.OK() })
}

// pick returns the hits to keep. When they lie side by side, as load does between seeds
// and readbacks, they are a part of hits and not a copy: a recording may be most of the
// memory that there is.
func pick(hits []results.Hit, keep func(*results.Hit) bool) []results.Hit {
	first, last, n := 0, 0, 0
	for i := range hits {
		if !keep(&hits[i]) {
			continue
		}
		if n == 0 {
			first = i
		}
		last = i
		n++
	}
	switch n {
	case 0:
		return nil
	case last - first + 1:
		return slices.Clip(hits[first : last+1])
	}
	kept := make([]results.Hit, 0, n)
	for i := range hits {
		if keep(&hits[i]) {
			kept = append(kept, hits[i])
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
