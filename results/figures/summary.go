package figures

import (
	"time"

	"brownout/results"
)

// A Summary is what is told of the load in one window. Rates are per second of
// the window.
type Summary struct {
	Hits    int
	Rate    float64 // hits due
	Goodput float64 // hits due that were answered as they should be
	Errors  int
	ByClass map[results.ErrorClass]int // without ErrorNone
	// Latency is what callers felt, Service hides the generator's own queueing,
	// Lateness is that queueing.
	Latency, Service, Lateness Spread
	// Sources counts the reads that say where their answer came from; Told is
	// their sum.
	Sources map[results.Source]int
	Told    int
}

// Summarize returns the summary of the load that was due in [start, end). It
// leaves out seeds and readbacks.
func Summarize(hits []results.Hit, start, end time.Duration) Summary {
	return Sum(Load(Due(hits, start, end)), end-start)
}

// Sum returns the summary of hits that were due within length.
func Sum(hits []results.Hit, length time.Duration) Summary {
	s := Summary{
		Hits:     len(hits),
		ByClass:  map[results.ErrorClass]int{},
		Latency:  SpreadOf(hits, results.Hit.Latency),
		Service:  SpreadOf(hits, results.Hit.ServiceTime),
		Lateness: SpreadOf(hits, results.Hit.Lateness),
	}
	s.Sources, s.Told = Sources(hits)
	for _, h := range hits {
		if !h.OK() {
			s.Errors++
			s.ByClass[h.Error]++
		}
	}
	if length > 0 {
		s.Rate = float64(s.Hits) / length.Seconds()
		s.Goodput = float64(s.Hits-s.Errors) / length.Seconds()
	}
	return s
}

// SourceShare returns the share of the reads that say their source which came
// from source.
func (s Summary) SourceShare(source results.Source) float64 {
	return Share(s.Sources[source], s.Told)
}

// CacheHits returns the share of the reads that say their source which the cache
// answered. Answers that the cache knew to be old are not among them.
func (s Summary) CacheHits() float64 { return s.SourceShare(results.SourceHit) }

// A Group is the load of one op and one source.
type Group struct {
	Op     results.Op
	Source results.Source // empty: the answer does not say
	Summary
}

// Groups splits hits by op and source, in the order of first appearance.
func Groups(hits []results.Hit, length time.Duration) []Group {
	type key struct {
		op     results.Op
		source results.Source
	}
	var order []key
	of := map[key][]results.Hit{}
	for _, h := range hits {
		k := key{h.Op, h.Source}
		if of[k] == nil {
			order = append(order, k)
		}
		of[k] = append(of[k], h)
	}
	groups := make([]Group, len(order))
	for i, k := range order {
		groups[i] = Group{k.op, k.source, Sum(of[k], length)}
	}
	return groups
}
