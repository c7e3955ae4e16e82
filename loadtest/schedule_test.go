package loadtest

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func mustSchedule(t testing.TB, stages ...Stage) Schedule {
	t.Helper()
	s, err := NewSchedule(stages...)
	if err != nil {
		t.Fatalf("NewSchedule(%v) = %v", stages, err)
	}
	return s
}

func TestDue(t *testing.T) {
	constant := []Stage{{For: time.Second, From: 300, To: 300}}
	up := []Stage{{For: 2 * time.Second, From: 0, To: 100}}   // 25t²
	down := []Stage{{For: 2 * time.Second, From: 100, To: 0}} // 100t - 25t²
	paused := []Stage{
		{For: time.Second, From: 10, To: 10}, {For: 3 * time.Second}, {For: time.Second, From: 10, To: 10},
	}
	for _, row := range []struct {
		name   string
		stages []Stage
		seq    uint64
		want   time.Duration
		ok     bool
	}{
		{"the first hit is due at once", constant, 0, 0, true},
		{"hits of a constant rate are equally far apart", constant, 9, 30 * time.Millisecond, true},
		{"a period that is no whole number of nanoseconds is rounded, not added up", constant, 298, 993333333, true},
		{"the end is exclusive", constant, 300, time.Second, false},
		{"a ramp from nothing begins slowly", up, 1, 200 * time.Millisecond, true},
		{"and has a quarter of its hits in its first half", up, 25, time.Second, true},
		{"a ramp down has three quarters of them there", down, 75, time.Second, true},
		{"its last hit comes well before its end", down, 99, 1800 * time.Millisecond, true},
		{"the last hit before a pause", paused, 9, 900 * time.Millisecond, true},
		{"the hit at the edge of a pause waits for its end", paused, 10, 4 * time.Second, true},
		{"past the end there is nothing", paused, 20, 5 * time.Second, false},
		{"a hit that would be rounded up to the end of its stage stays in it", []Stage{{For: 6667, From: 300_000, To: 300_000}}, 2, 6666, true},
		{"far past the end there is nothing", paused, math.MaxUint64, 5 * time.Second, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			due, ok := mustSchedule(t, row.stages...).Due(row.seq)
			if due != row.want || ok != row.ok {
				t.Errorf("Due(%d) = %v, %v, want %v, %v", row.seq, due, ok, row.want, row.ok)
			}
		})
	}
}

func TestTotal(t *testing.T) {
	for _, row := range []struct {
		name   string
		stages []Stage
		want   uint64
	}{
		{"whole numbers are counted exactly", []Stage{{For: 1100 * time.Millisecond, From: 100, To: 100}}, 110},
		{"a hit that is due before the end counts", []Stage{{For: 1050 * time.Millisecond, From: 10, To: 10}}, 11},
		{"parts of hits add up over stages", []Stage{
			{For: 50 * time.Millisecond, From: 10, To: 10}, {For: 50 * time.Millisecond, From: 10, To: 10},
		}, 1},
		{"a pause has no hits", []Stage{{For: time.Hour}}, 0},
		{"a ramp has the hits of its mean rate", []Stage{{For: 10 * time.Second, From: 100, To: 300}}, 2000},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := mustSchedule(t, row.stages...).Total(); got != row.want {
				t.Errorf("Total() = %d, want %d", got, row.want)
			}
		})
	}
}

func TestNewScheduleRejects(t *testing.T) {
	for _, row := range []struct {
		name   string
		stages []Stage
		want   string
	}{
		{"no stage", nil, "at least one stage"},
		{"a stage without length", []Stage{{From: 1, To: 1}}, "stage 1: it lasts 0s"},
		{"a negative rate", []Stage{{For: 1, From: -1, To: 1}}, "stage 1: rate from -1"},
		{"a rate that is no number", []Stage{{For: 1}, {For: 1, From: 1, To: math.NaN()}}, "stage 2: rate from 1 to NaN"},
		{"an endless rate", []Stage{{For: 1, From: math.Inf(1), To: 1}}, "+Inf"},
		{"more time than a time can hold", []Stage{{For: math.MaxInt64}, {For: 1}}, "stage 2: the schedule is longer"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, err := NewSchedule(row.stages...); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("NewSchedule(%v) = %v, want an error with %q", row.stages, err, row.want)
			}
		})
	}
}

func TestZeroScheduleHoldsNothing(t *testing.T) {
	var s Schedule
	if _, ok := s.Due(0); ok || s.Total() != 0 || s.Duration() != 0 {
		t.Errorf("Due(0), Total(), Duration() of the zero schedule = %v, %d, %v, want nothing", ok, s.Total(), s.Duration())
	}
}

func TestBounds(t *testing.T) {
	got := mustSchedule(t, Stage{For: time.Second}, Stage{For: 2 * time.Second, To: 5}).Bounds()
	if want := []time.Duration{0, time.Second, 3 * time.Second}; !slices.Equal(got, want) {
		t.Errorf("Bounds() = %v, want %v", got, want)
	}
}

// drawStages draws what people write: whole and broken rates, pauses, ramps.
func drawStages(t *rapid.T) []Stage {
	rate := rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0, 500), rapid.Map(rapid.IntRange(0, 500), func(i int) float64 { return float64(i) }))
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Stage {
		s := Stage{For: time.Duration(rapid.Int64Range(1, int64(3*time.Second)).Draw(t, "for")), From: rate.Draw(t, "from")}
		s.To = s.From
		if rapid.Bool().Draw(t, "ramp") {
			s.To = rate.Draw(t, "to")
		}
		return s
	}), 1, 6).Draw(t, "stages")
}

func TestDueIsMonotoneAndEndsWithTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, err := NewSchedule(drawStages(t)...)
		if err != nil {
			t.Fatalf("NewSchedule: %v", err)
		}
		before := time.Duration(-1)
		for seq := range s.Total() {
			due, ok := s.Due(seq)
			if !ok || due < before || due >= s.Duration() {
				t.Fatalf("Due(%d) = %v, %v after %v of %v, want it later and inside", seq, due, ok, before, s.Duration())
			}
			before = due
		}
		if due, ok := s.Due(s.Total()); ok {
			t.Fatalf("Due(Total()) = %v, true, want false", due)
		}
	})
}

// integral is the area under the rates up to at, by a way of its own: trapezoids.
func integral(stages []Stage, at time.Duration) float64 {
	var sum float64
	for _, s := range stages {
		part := min(at, s.For)
		rate := s.From + (s.To-s.From)*float64(part)/float64(s.For)
		sum += (s.From + rate) / 2 * part.Seconds()
		if at -= part; at <= 0 {
			break
		}
	}
	return sum
}

func TestDueInvertsTheIntegralOfTheRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stages := drawStages(t)
		s, err := NewSchedule(stages...)
		if err != nil {
			t.Fatalf("NewSchedule: %v", err)
		}
		for seq := range s.Total() {
			due, _ := s.Due(seq)
			// A nanosecond at 500/s is 5e-7 hits; sums were snapped by up to 1e-6 per stage.
			if got := integral(stages, due); math.Abs(got-float64(seq)) > 1e-5 {
				t.Fatalf("integral of the rate up to Due(%d) = %v is %v, want %d", seq, due, got, seq)
			}
		}
	})
}

func TestEachStageHoldsTheHitsOfItsIntegral(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stages := drawStages(t)
		s, err := NewSchedule(stages...)
		if err != nil {
			t.Fatalf("NewSchedule: %v", err)
		}
		counts := make([]float64, len(stages))
		for seq := range s.Total() {
			due, _ := s.Due(seq)
			counts[stageAt(s.Bounds(), due)]++
		}
		for i, stage := range stages {
			want := integral(stages[i:i+1], stage.For)
			if math.Abs(counts[i]-want) > 1 {
				t.Errorf("stage %d of %v holds %v hits, want %v ± 1", i, stage, counts[i], want)
			}
			if want == 0 && counts[i] != 0 {
				t.Errorf("pause %d holds %v hits, want none", i, counts[i])
			}
		}
	})
}

func stageAt(bounds []time.Duration, at time.Duration) int {
	i := 0
	for at >= bounds[i+1] {
		i++
	}
	return i
}
