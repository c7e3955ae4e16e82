package figures

import (
	"testing"

	"brownout/results"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestPickingAgainstItsDefinition: what is picked are the hits that fit, in order,
// whether they lie side by side or not, and the recording stays what it was.
func TestPickingAgainstItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var hits []results.Hit
		for i := range rapid.IntRange(0, 12).Draw(t, "hits") {
			h := results.Hit{
				Seq:    uint64(i),
				Op:     rapid.SampledFrom([]results.Op{results.OpSeed, results.OpRead, results.OpWrite}).Draw(t, "op"),
				Source: rapid.SampledFrom([]results.Source{"", results.SourceHit}).Draw(t, "source"),
			}
			if rapid.Bool().Draw(t, "failed") {
				h.Error = results.ErrorTimeout
			}
			hits = append(hits, h)
		}
		only := func(fits func(results.Hit) bool) []results.Hit {
			var some []results.Hit
			for _, h := range hits {
				if fits(h) {
					some = append(some, h)
				}
			}
			return some
		}
		for name, pair := range map[string][2][]results.Hit{
			"Load":         {Load(hits), only(func(h results.Hit) bool { return h.Op != results.OpSeed })},
			"Failed":       {Failed(hits), only(func(h results.Hit) bool { return !h.OK() })},
			"Where op":     {Where(hits, results.OpWrite, ""), only(func(h results.Hit) bool { return h.Op == results.OpWrite })},
			"Where source": {Where(hits, "", results.SourceHit), only(func(h results.Hit) bool { return h.Source == results.SourceHit })},
		} {
			if diff := cmp.Diff(pair[1], pair[0]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		if got, want := Good(hits), len(only(results.Hit.OK)); got != want {
			t.Errorf("Good = %d, want %d", got, want)
		}
		before := len(hits)
		_ = append(Load(hits), results.Hit{Seq: 99})
		for i, h := range hits[:before] {
			if h.Seq != uint64(i) {
				t.Errorf("hit %d is %d after an append to what was picked", i, h.Seq)
			}
		}
	})
}

// TestLoadIsNoCopy: of a recording, whose load lies between seeds and readbacks.
func TestLoadIsNoCopy(t *testing.T) {
	hits := []results.Hit{{Op: results.OpSeed}, {Op: results.OpRead}, {Op: results.OpWrite}, {Op: results.OpReadback}}
	if got := Load(hits); len(got) != 2 || &got[0] != &hits[1] {
		t.Errorf("Load = %+v, want the two in the middle, in place", got)
	}
}
