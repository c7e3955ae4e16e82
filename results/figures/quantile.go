package figures

import (
	"math"
	"slices"
	"time"

	"brownout/results"
)

// Rank rounding: 0.95*20 may come out a hair above 19, and must not become 20.
const rankSlack = 1e-6

// Quantile returns the q-quantile of sorted by nearest rank: the smallest value
// for which at least the share q of all values is no greater. It is always one of
// the values, never something between two. Of no values it is 0.
func Quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(q*float64(len(sorted)) - rankSlack))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// Need returns how many values a q-quantile needs so that at least tail of them
// lie beyond it: tail/(1-q). For tail 10, p99 needs 1000.
func Need(q float64, tail int) int {
	if q >= 1 {
		return 1
	}
	return int(math.Ceil(float64(tail)/(1-q) - rankSlack))
}

// A Spread is what is told of many durations.
type Spread struct {
	N                             int
	P50, P90, P95, P99, P999, Max time.Duration
}

// SpreadOf returns the spread of what of takes from each hit, for example
// results.Hit.Latency. Failed hits count with the time they took.
func SpreadOf(hits []results.Hit, of func(results.Hit) time.Duration) Spread {
	all := Sorted(hits, of)
	return Spread{
		N:   len(all),
		P50: Quantile(all, 0.5), P90: Quantile(all, 0.9), P95: Quantile(all, 0.95),
		P99: Quantile(all, 0.99), P999: Quantile(all, 0.999), Max: Quantile(all, 1),
	}
}

// Sorted returns what of takes from each hit, in ascending order.
func Sorted(hits []results.Hit, of func(results.Hit) time.Duration) []time.Duration {
	return SortedWhere(hits, "", "", of)
}

// SortedWhere is Sorted of Where, without a copy of the hits.
func SortedWhere(hits []results.Hit, op results.Op, source results.Source, of func(results.Hit) time.Duration) []time.Duration {
	all := make([]time.Duration, 0, len(hits))
	for i := range hits {
		if is(&hits[i], op, source) {
			all = append(all, of(hits[i]))
		}
	}
	slices.Sort(all)
	return all
}
