package figures

import (
	"fmt"
	"testing"
	"time"

	"brownout/results"
)

// BenchmarkAnswersOf judges a run of 60,000 hits of which a fifth is on one key,
// as a zipf load has it.
func BenchmarkAnswersOf(b *testing.B) {
	hits := []results.Hit{seed("t", 1)}
	last, version := "t", uint64(1)
	for i := range 60_000 {
		h := results.Hit{Seq: uint64(i), Op: results.OpRead, Due: time.Duration(i) * ms, Environment: "e", Key: "k", Token: last, Version: version}
		switch {
		case i%5 != 0:
			h.Key, h.Token, h.Version = fmt.Sprint(i%150), "", 0
		case i%250 == 0:
			version++
			last = fmt.Sprint("t", version)
			h.Op, h.Token, h.Version = results.OpWrite, last, version
		}
		h.Sent, h.Done = h.Due, h.Due+ms/2
		hits = append(hits, h)
	}
	rec := results.NewRecording(results.Manifest{}, hits, nil, nil)
	for b.Loop() {
		if a := AnswersOf(rec); a.Stale.N == 0 || a.Stale.Max != 0 {
			b.Fatalf("staleness = %+v, want some reads, none stale", a.Stale)
		}
	}
}
