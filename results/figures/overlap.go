package figures

import (
	"cmp"
	"slices"
	"time"

	"brownout/results"
)

// An Overlap is the most exchanges of one kind and pattern that were under way on a
// link at one moment.
type Overlap struct {
	Most    int
	At      time.Duration
	Pattern string // which they were
}

// OverlapOf returns the greatest overlap of exchanges of kind ("SELECT") that were sent
// in [start, end). An exchange is under way from sent to done; one that is done when
// another is sent does not overlap it.
func OverlapOf(rec *results.Recording, link, kind string, start, end time.Duration) Overlap {
	type edge struct {
		at      time.Duration
		by      int // 1: sent, -1: done
		pattern string
	}
	var edges []edge
	for _, e := range rec.Exchanges {
		if e.On == link && e.Kind == kind && e.Sent >= start && e.Sent < end {
			edges = append(edges, edge{e.Sent, 1, e.Pattern}, edge{max(e.Done, e.Sent+1), -1, e.Pattern})
		}
	}
	slices.SortStableFunc(edges, func(a, b edge) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.by, b.by)) })
	var most Overlap
	under := map[string]int{}
	for _, e := range edges {
		under[e.pattern] += e.by
		if under[e.pattern] > most.Most {
			most = Overlap{under[e.pattern], e.at, e.pattern}
		}
	}
	return most
}
