package figures

import (
	"math"
	"testing"
	"time"

	"brownout/results"

	"pgregory.net/rapid"
)

// The oracles here are slow and plain: they look at every pair, or count for every
// question anew.

func TestRegressionsAgainstTheirDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var hits []results.Hit
		for range rapid.IntRange(1, 15).Draw(t, "answers") {
			sent := rapid.IntRange(0, 20).Draw(t, "sent")
			h := read(sent, sent+rapid.IntRange(0, 5).Draw(t, "took"), "", uint64(rapid.IntRange(0, 4).Draw(t, "version")))
			hits = append(hits, by(rapid.IntRange(0, 1).Draw(t, "instance"), h))
		}
		count := func(related func(a, b results.Hit) bool) (n, missed int) {
			for _, h := range hits {
				before := uint64(0)
				for _, other := range hits {
					if other.Done < h.Sent && related(h, other) {
						before = max(before, other.Version)
					}
				}
				if before > 0 && h.Version > 0 {
					n++
					if h.Version < before {
						missed++
					}
				}
			}
			return n, missed
		}
		a := answersOf(hits...)
		if n, missed := count(func(results.Hit, results.Hit) bool { return true }); a.OverAll.N != n || len(a.OverAll.Misses) != missed {
			t.Errorf("regressions over all = %d of %d, want %d of %d", len(a.OverAll.Misses), a.OverAll.N, missed, n)
		}
		n, missed := count(func(a, b results.Hit) bool { return a.Instance == b.Instance })
		if a.Regressions.N != n || len(a.Regressions.Misses) != missed {
			t.Errorf("regressions = %d of %d, want %d of %d", len(a.Regressions.Misses), a.Regressions.N, missed, n)
		}
	})
}

func TestExchangesAgainstTheirDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rec, want := &results.Recording{}, Exchanges{}
		for range rapid.IntRange(0, 20).Draw(t, "exchanges") {
			e := results.Exchange{
				On:   rapid.SampledFrom([]string{"cache", "database"}).Draw(t, "on"),
				Sent: time.Duration(rapid.IntRange(0, 30).Draw(t, "sent")),
				Up:   rapid.Int64Range(0, 9).Draw(t, "up"), Down: rapid.Int64Range(0, 9).Draw(t, "down"),
			}
			rec.Exchanges = append(rec.Exchanges, e)
			if e.On == "cache" {
				want.Seen = true
				if e.Sent >= 10 && e.Sent < 20 {
					want.Sent++
					want.Bytes += e.Up + e.Down
				}
			}
		}
		if got := ExchangesOf(rec, "cache", 10, 20); got != want {
			t.Errorf("ExchangesOf = %+v, want %+v", got, want)
		}
	})
}

func TestTheMachineAgainstItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cpus := rapid.IntRange(1, 4).Draw(t, "cpus")
		rec := &results.Recording{Manifest: results.Manifest{Machine: results.Machine{CPUs: cpus}}}
		looks := rapid.IntRange(0, 12).Draw(t, "looks")
		var drift, steal, own, greatest, stolen, used time.Duration
		for i := range looks {
			at := time.Duration(i) * sec
			within := at > 3*sec && at < 9*sec // and so is the look before
			jump := time.Duration(rapid.IntRange(-9, 9).Draw(t, "jump")) * ms
			taken := time.Duration(rapid.IntRange(0, 900).Draw(t, "stolen")) * ms
			spent := time.Duration(rapid.IntRange(0, 900).Draw(t, "own")) * ms
			drift, steal, own = drift+jump, steal+taken, own+spent
			if within {
				greatest, stolen, used = max(greatest, jump.Abs()), stolen+taken, used+spent
			}
			rec.Samples = append(rec.Samples,
				results.Sample{At: at, Process: results.ProcessMachine, Drift: drift, Steal: steal, CPU: own},
				results.Sample{At: at, Process: results.ProcessHarness, CPU: own})
		}
		seen := min(looks-1, 8) - 3 // intervals within [3 s, 9 s)
		jump, _, ok := ClockJump(rec, 3*sec, 9*sec)
		if ok != (seen > 0) || jump.Abs() != greatest {
			t.Errorf("ClockJump = %v, %v, want %v, %v", jump, ok, greatest, seen > 0)
		}
		p, ok := PressureOf(rec, 3*sec, 9*sec)
		all := float64(cpus) * float64(max(seen, 1)) * float64(sec)
		if ok != (seen > 0) || math.Abs(p.Stolen-float64(stolen)/all) > 1e-9 || math.Abs(p.Own-float64(used)/all) > 1e-9 {
			t.Errorf("PressureOf = %+v, %v, want %v stolen and %v own of %v", p, ok, stolen, used, time.Duration(all))
		}
	})
}

func TestStepsAgainstTheirDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fault := time.Duration(rapid.IntRange(0, 40).Draw(t, "the fault's end")) * sec
		rec := results.NewRecording(results.Manifest{}, nil, []results.Event{reverted("blackhole", 0, fault+1)}, nil)
		var windows []Window
		for i := range 4 {
			at := time.Duration(i) * 10 * sec
			windows = append(windows, Window{Happened: true, Start: at, End: at + 10*sec, Phase: results.Phase{RateFrom: 4, RateTo: 4}})
		}
		var load []results.Hit
		for due := time.Duration(0); due < 40*sec; due += sec / 4 {
			h := results.Hit{Op: results.OpRead, Due: due}
			if rapid.Bool().Draw(t, "failed") {
				h.Error = results.ErrorTimeout
			}
			load = append(load, h)
		}
		var want []float64
		for i := range windows {
			if windows[i].Start <= fault {
				continue
			}
			good := 0
			for _, h := range load {
				if h.OK() && h.Due >= windows[i].Start+5*sec && h.Due < windows[i].End {
					good++
				}
			}
			want = append(want, float64(good)/20)
		}
		steps, ok := StepsAfter(rec, load, windows)
		if !ok || len(steps) != len(want) {
			t.Fatalf("StepsAfter = %+v, %v, want %v", steps, ok, want)
		}
		for i, s := range steps {
			if s.Hits != 20 || s.Rate != 4 || math.Abs(s.Good-want[i]) > 1e-9 {
				t.Errorf("step %d = %+v, want 20 hits at 4/s, %v good", i, s, want[i])
			}
		}
	})
}
