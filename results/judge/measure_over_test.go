package judge

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"brownout/results"

	"pgregory.net/rapid"
)

// TestOverAgainstItsDefinition compares with an oracle that sorts each phase for itself.
func TestOverAgainstItsDefinition(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := goodRun()
		var steady, outage []time.Duration
		r.spoil(0, 10*sec, func(h *results.Hit) {
			took := time.Duration(rapid.IntRange(1, 60).Draw(rt, "took")) * ms
			h.Done = h.Due + took
			if h.Due < 5*sec {
				steady = append(steady, took)
			} else {
				outage = append(outage, took)
			}
		})
		times := rapid.SampledFrom([]float64{1, 1.5, 2, 3}).Draw(rt, "times")
		at := rapid.SampledFrom([]string{"p50", "p99"}).Draw(rt, "quantile")
		rank := func(of []time.Duration) time.Duration { // the nearest rank of the definition
			slices.Sort(of)
			return of[int(math.Ceil(quantileOf(at)*float64(len(of))))-1]
		}
		want := time.Duration(float64(rank(outage)) - times*float64(rank(steady)))
		key := fmt.Sprintf("%s_over{times=%g}", at, times)
		f := r.expecting(t, "outage", key, "1ms").judge().Findings[0]
		if f.Measured == "" || math.Abs(f.Value-want.Seconds()) > 1e-9 || (f.Verdict == Pass) != (want <= ms) {
			rt.Errorf("%s = %v (%s), want %v", key, f.Measured, f.Verdict, want)
		}
	})
}
