package figures

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func patience() Patience { return Patience{Least: 5, Tight: 10 * ms, Round: 2 * ms} }

// failing are attempts that each take 3 ms and fail, with these pauses between them.
func failing(pauses ...time.Duration) []Attempt {
	at := sec
	var all []Attempt
	for _, pause := range append(pauses, 0) {
		all = append(all, Attempt{At: at, Ended: at + 3*ms})
		at += 3*ms + pause
	}
	return all
}

// growing are n pauses from base, each times factor, at most cap, and each put through
// jitter.
func growing(n int, base, cap time.Duration, factor float64, jitter func(time.Duration) time.Duration) []time.Duration {
	var all []time.Duration
	for i := range n {
		all = append(all, jitter(time.Duration(min(float64(base)*math.Pow(factor, float64(i)), float64(cap)))))
	}
	return all
}

func exactly(d time.Duration) time.Duration { return d }

func TestBackoffShapes(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	full := func(d time.Duration) time.Duration { return time.Duration(draw.Float64() * float64(d)) }
	equal := func(d time.Duration) time.Duration { return d/2 + full(d/2) }
	pool := func(pauses ...time.Duration) []Attempt { // ten connections each time
		var all []Attempt
		for _, a := range failing(pauses...) {
			for i := range 10 {
				all = append(all, Attempt{At: a.At + time.Duration(i)*100*time.Microsecond, Ended: a.Ended})
			}
		}
		return all
	}
	answered := failing(growing(8, 50*ms, sec, 2, exactly)...)
	answered[4].Answered = true
	for _, row := range []struct {
		name             string
		attempts         []Attempt
		want             Shape
		factor, from, to float64 // jitter
	}{
		{"nothing", nil, ShapeNone, 1, 0, 0},
		{"too few pauses", failing(growing(4, 50*ms, sec, 2, exactly)...), ShapeNone, 1, 0, 0},
		{"a tight loop", failing(growing(100, ms, ms, 1, exactly)...), ShapeTight, 1, 0, 0},
		{"a loop without any pause", failing(make([]time.Duration, 100)...), ShapeTight, 1, 0, 0},
		{"a pool that connects once is no loop", pool(), ShapeNone, 1, 0, 0},
		{"a fixed interval", failing(growing(8, 100*ms, sec, 1, exactly)...), ShapeFixed, 1, 0, 0.001},
		{"a fixed interval with jitter", failing(growing(30, 100*ms, sec, 1, equal)...), ShapeFixed, 1, 0.1, 0.3},
		{"an interval that creeps", failing(growing(8, 100*ms, sec, 1.05, exactly)...), ShapeFixed, 1, 0, 0.001},
		{"exponential", failing(growing(8, 50*ms, 10*sec, 2, exactly)...), ShapeGrowing, 2, 0, 0.001},
		{"exponential up to a cap", failing(growing(10, 50*ms, 400*ms, 2, exactly)...), ShapeGrowing, 2, 0, 0.001},
		{"the pauses at the cap have no jitter, those before do", failing(append([]time.Duration{3 * ms, 4 * ms, 3 * ms, 50 * ms},
			growing(12, 100*ms, sec, 1, exactly)...)...), ShapeGrowing, 2.5, 0, 0.001},
		{"exponential with equal jitter", failing(growing(10, 50*ms, 10*sec, 2, equal)...), ShapeGrowing, 2, 0.05, 0.4},
		{"exponential with full jitter", failing(growing(12, 50*ms, 100*sec, 2, full)...), ShapeGrowing, 2, 0.3, 1.2},
		{"a pool that backs off together", pool(growing(8, 50*ms, 10*sec, 2, exactly)...), ShapeGrowing, 2, 0, 0.05},
		{"an answer ends a row", answered, ShapeNone, 1, 0, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := BackoffOf(row.attempts, patience())
			if b.Shape != row.want || math.Abs(b.Factor-row.factor) > 0.5 {
				t.Errorf("BackoffOf = %q × %v, want %q × %v; pauses %v", b.Shape, b.Factor, row.want, row.factor, b.Pauses)
			}
			if b.Jitter < row.from || b.Jitter > row.to {
				t.Errorf("jitter = %v, want %v to %v", b.Jitter, row.from, row.to)
			}
		})
	}
}

func TestAPauseIsNotTheAttempt(t *testing.T) {
	var slow []Attempt
	at := sec
	for _, pause := range growing(7, 100*ms, 10*sec, 2, exactly) {
		slow = append(slow, Attempt{At: at, Ended: at + 2*sec}) // a connect timeout
		at += 2*sec + pause
	}
	if b := BackoffOf(slow, patience()); b.Base.Round(ms) != 100*ms || math.Abs(b.Factor-2) > 0.01 {
		t.Errorf("backoff after connect timeouts = %v × %v, want 100ms × 2", b.Base, b.Factor)
	}
	for i := range slow { // nobody waits for their end
		slow[i].Ended = 0
	}
	if got := BackoffOf(slow, patience()).Pauses[0]; got != 2100*ms {
		t.Errorf("pause after an attempt that never ended = %v, want 2.1s", got)
	}
}

// TestBackoffIsRecovered makes pauses by a known rule.
func TestBackoffIsRecovered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := time.Duration(rapid.IntRange(20, 500).Draw(t, "base")) * ms
		factor := float64(rapid.IntRange(15, 40).Draw(t, "factor")) / 10
		grows := rapid.IntRange(4, 8).Draw(t, "grows")
		level := rapid.IntRange(0, 6).Draw(t, "level")
		most := time.Duration(float64(base) * math.Pow(factor, float64(grows-1)))
		late := func(d time.Duration) time.Duration { // a timer
			return d + time.Duration(rapid.IntRange(0, 500).Draw(t, "late"))*time.Microsecond
		}
		b := BackoffOf(failing(growing(max(grows+level, 5), base, most, factor, late)...), patience())
		if b.Shape != ShapeGrowing || math.Abs(b.Factor/factor-1) > 0.05 || math.Abs(float64(b.Base)/float64(base)-1) > 0.06 || b.Jitter > 0.03 {
			t.Errorf("BackoffOf(%v × %v to %v) = %s, %v × %v, jitter %v; pauses %v", base, factor, most, b.Shape, b.Base, b.Factor, b.Jitter, b.Pauses)
		}
	})
}

// TestHowOftenAShapeIsMistaken: what is not seen is not told. A rule with jitter may
// remain unclear, but is seldom taken for another.
func TestHowOftenAShapeIsMistaken(t *testing.T) {
	draw := rand.New(rand.NewPCG(3, 4))
	full := func(d time.Duration) time.Duration { return time.Duration(draw.Float64() * float64(d)) }
	equal := func(d time.Duration) time.Duration { return d/2 + full(d/2) }
	apart := func(d time.Duration) time.Duration { return time.Duration(draw.ExpFloat64() * float64(d)) }
	const runs = 500
	for _, row := range []struct {
		name      string
		base, cap time.Duration
		factor    float64
		jitter    func(time.Duration) time.Duration
		want      Shape
		seen      int   // at least, of 1,000, with 8 pauses
		mistaken  Shape // for which it is taken
		most      int   // at most, of 1,000, with 5 pauses or more
	}{
		{"doubling, no jitter", 20 * ms, 2 * sec, 2, exactly, ShapeGrowing, 1000, ShapeFixed, 0},
		{"doubling, equal jitter", 20 * ms, 2 * sec, 2, equal, ShapeGrowing, 990, ShapeFixed, 5},
		{"doubling, full jitter", 20 * ms, 2 * sec, 2, full, ShapeGrowing, 650, ShapeFixed, 10},
		{"doubling, full jitter, for a loop", 20 * ms, 2 * sec, 2, full, ShapeGrowing, 650, ShapeTight, 10},
		{"doubling to a low cap, full jitter", 20 * ms, 200 * ms, 2, full, ShapeGrowing, 200, ShapeFixed, 20},
		{"fixed, no jitter", 200 * ms, sec, 1, exactly, ShapeFixed, 1000, ShapeGrowing, 0},
		{"fixed, equal jitter", 200 * ms, sec, 1, equal, ShapeFixed, 980, ShapeGrowing, 10},
		{"fixed, full jitter", 200 * ms, sec, 1, full, ShapeFixed, 400, ShapeGrowing, 60},
		{"requests that come by themselves", 200 * ms, sec, 1, apart, ShapeIrregular, 300, ShapeGrowing, 60},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, n := range []int{5, 8, 12, 50} {
				count := map[Shape]int{}
				for range runs {
					count[BackoffOf(failing(growing(n, row.base, row.cap, row.factor, row.jitter)...), patience()).Shape]++
				}
				if n == 8 && count[row.want]*1000 < row.seen*runs {
					t.Errorf("with %d pauses: %v of %d, want %d of 1000 %s", n, count, runs, row.seen, row.want)
				}
				if count[row.mistaken]*1000 > row.most*runs {
					t.Errorf("with %d pauses: %v of %d, want at most %d of 1000 %s", n, count, runs, row.most, row.mistaken)
				}
			}
		})
	}
}
