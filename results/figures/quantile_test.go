package figures

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestQuantileIsNearestRank(t *testing.T) {
	upTo := func(n int) []time.Duration {
		all := make([]time.Duration, n)
		for i := range all {
			all[i] = time.Duration(i + 1)
		}
		return all
	}
	for _, row := range []struct {
		n    int
		q    float64
		want time.Duration
	}{
		{0, 0.5, 0}, {1, 0.5, 1}, {1, 0.999, 1}, {2, 0.5, 1}, {3, 0.5, 2},
		{20, 0.95, 19}, {100, 0.99, 99}, {101, 0.99, 100}, {1000, 0.999, 999}, {100, 1, 100}, {10, 0, 1},
		{100, 0.07, 7}, // 0.07*100 is a hair above 7
	} {
		if got := Quantile(upTo(row.n), row.q); got != row.want {
			t.Errorf("Quantile(1..%d, %v) = %d, want %d", row.n, row.q, got, row.want)
		}
	}
}

// TestQuantileOfAFaultShapedLoad is the shape on which interpolating sketches
// were hundreds of times off: 0.992 % of the hits are slow, so p99 is fast.
func TestQuantileOfAFaultShapedLoad(t *testing.T) {
	const n = 120_000
	all := make([]time.Duration, n)
	for i := range all {
		all[i] = ms
		if i >= n-1190 {
			all[i] = 1900 * ms
		}
	}
	if got := Quantile(all, 0.99); got != ms {
		t.Errorf("Quantile(0.99) = %v, want 1ms", got)
	}
}

func TestQuantileAgainstItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, 50), 1, 200).Draw(t, "values")
		permille := rapid.IntRange(0, 1000).Draw(t, "permille")
		sorted := sortedDurations(values)
		got := Quantile(sorted, float64(permille)/1000)
		// The smallest value such that 1000 * (values up to it) >= permille * n, in whole numbers.
		want := sorted[len(sorted)-1]
		for _, v := range sorted {
			upTo := 0
			for _, other := range sorted {
				if other <= v {
					upTo++
				}
			}
			if 1000*upTo >= permille*len(sorted) {
				want = v
				break
			}
		}
		if got != want {
			t.Errorf("Quantile(%v, %d/1000) = %d, want %d", sorted, permille, got, want)
		}
	})
}

func sortedDurations(values []int64) []time.Duration {
	all := make([]time.Duration, 0, len(values))
	for _, v := range values {
		at := 0
		for at < len(all) && all[at] < time.Duration(v) {
			at++
		}
		all = append(all[:at], append([]time.Duration{time.Duration(v)}, all[at:]...)...)
	}
	return all
}

func TestNeed(t *testing.T) {
	for q, want := range map[float64]int{0.5: 20, 0.9: 100, 0.95: 200, 0.99: 1000, 0.999: 10000, 1: 1} {
		if got := Need(q, 10); got != want {
			t.Errorf("Need(%v) = %d, want %d", q, got, want)
		}
	}
}
