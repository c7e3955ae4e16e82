package judge

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"brownout/results"

	"pgregory.net/rapid"
)

// An oracle says slowly and plainly what a figure is in [from, to) of a run; known is
// false where there is nothing to be said.
type oracle struct {
	key, text string
	figure    func(r *run, from, to time.Duration) (value float64, known bool)
}

// loadIn are the reads and writes due in [from, to).
func loadIn(r *run, from, to time.Duration) []results.Hit {
	return slices.DeleteFunc(slices.Clone(r.hits), func(h results.Hit) bool {
		return h.Due < from || h.Due >= to || h.Op != results.OpRead && h.Op != results.OpWrite
	})
}

// counted counts the load that is so.
func counted(r *run, from, to time.Duration, is func(results.Hit) bool) float64 {
	n := 0.0
	for _, h := range loadIn(r, from, to) {
		if is(h) {
			n++
		}
	}
	return n
}

func failedHit(h results.Hit) bool { return h.Error != "" }
func sentHit(results.Hit) bool     { return true }
func saysSource(h results.Hit) bool {
	return h.Op == results.OpRead && h.Error == "" && h.Source != ""
}

func sourceOracle(source results.Source) func(*run, time.Duration, time.Duration) (float64, bool) {
	return func(r *run, from, to time.Duration) (float64, bool) {
		all := counted(r, from, to, saysSource)
		from1 := counted(r, from, to, func(h results.Hit) bool { return saysSource(h) && h.Source == source })
		return from1 / all, all > 0
	}
}

// exchanged are the exchanges with the database in [from, to), and their bytes.
func exchanged(r *run, from, to time.Duration) (n, bytes float64) {
	for _, x := range r.exchanges {
		if x.Sent >= from && x.Sent < to {
			n, bytes = n+1, bytes+float64(x.Up+x.Down)
		}
	}
	return n, bytes
}

// backOracle looks at the windows of 100 ms after the fault's end, at 10 s: the first of
// three good ones in a row that say something.
func backOracle(good func([]results.Hit) (good, said bool)) func(*run, time.Duration, time.Duration) (float64, bool) {
	return func(r *run, _, to time.Duration) (float64, bool) {
		if to <= 10*sec {
			return 0, false
		}
		var row []time.Duration
		seen, bad := 0.0, 0*sec
		for at := 10 * sec; at+100*ms <= to; at += 100 * ms {
			hits := loadIn(r, at, at+100*ms)
			seen += float64(len(hits))
			ok, said := good(hits)
			switch {
			case len(hits) == 0 || !said:
			case !ok:
				row, bad = nil, at+100*ms-10*sec
			default:
				if row = append(row, at-10*sec); len(row) == 3 {
					return row[0].Seconds(), true
				}
			}
		}
		return bad.Seconds(), seen > 0
	}
}

func loadOracles() []oracle {
	connects := func(r *run, from, to time.Duration) (n float64, seen bool) {
		for _, e := range r.events {
			if e.Kind == results.EventConnect {
				seen = true
				if e.At >= from && e.At < to {
					n++
				}
			}
		}
		return n, seen && counted(r, from, to, sentHit) > 0
	}
	queries := func(per func(r *run, from, to time.Duration) float64) func(*run, time.Duration, time.Duration) (float64, bool) {
		return func(r *run, from, to time.Duration) (float64, bool) {
			n, _ := exchanged(r, from, to)
			return n / per(r, from, to), len(r.exchanges) > 0 && counted(r, from, to, sentHit) > 0
		}
	}
	seconds := func(_ *run, from, to time.Duration) float64 { return (to - from).Seconds() }
	requests := func(r *run, from, to time.Duration) float64 { return counted(r, from, to, sentHit) }
	return []oracle{
		{"errors", "3", func(r *run, from, to time.Duration) (float64, bool) {
			return counted(r, from, to, failedHit), requests(r, from, to) > 0
		}},
		{"errors{op=write}", "3", func(r *run, from, to time.Duration) (float64, bool) {
			write := func(h results.Hit) bool { return h.Op == results.OpWrite }
			return counted(r, from, to, func(h results.Hit) bool { return write(h) && failedHit(h) }), counted(r, from, to, write) > 0
		}},
		{"error_rate", "3%", func(r *run, from, to time.Duration) (float64, bool) {
			return counted(r, from, to, failedHit) / requests(r, from, to), requests(r, from, to) > 0
		}},
		{"goodput", "100/s", func(r *run, from, to time.Duration) (float64, bool) {
			return (requests(r, from, to) - counted(r, from, to, failedHit)) / seconds(r, from, to), requests(r, from, to) > 0
		}},
		{"cache_hits", "50%", sourceOracle(results.SourceHit)},
		{"answers{source=miss}", "50%", sourceOracle(results.SourceMiss)},
		{"connects{link=cache}", "1/s", func(r *run, from, to time.Duration) (float64, bool) {
			n, known := connects(r, from, to)
			return n / seconds(r, from, to), known
		}},
		{"database_queries", "1/s", queries(seconds)},
		{"commands{link=database}", "1/s", queries(seconds)},
		{"queries_per_request", "1", queries(requests)},
		{"commands_per_request{link=database}", "1", queries(requests)},
		{"bytes_per_hit{link=database}", "10B", func(r *run, from, to time.Duration) (float64, bool) {
			_, bytes := exchanged(r, from, to)
			return bytes / requests(r, from, to), len(r.exchanges) > 0 && requests(r, from, to) > 0
		}},
		{"recovers_within", "1s", backOracle(func(hits []results.Hit) (good, said bool) {
			return !slices.ContainsFunc(hits, failedHit), true
		})},
		{"cache_back_within", "1s", backOracle(func(hits []results.Hit) (good, said bool) {
			asked, answered := 0, 0
			for _, h := range hits {
				if saysSource(h) || h.Op == results.OpRead && failedHit(h) {
					asked++
				}
				if saysSource(h) && h.Source == results.SourceHit {
					answered++
				}
			}
			return 2*answered >= asked, asked > 0
		})},
	}
}

// spoils are what can be done to a stretch of load.
func spoils() map[string]func(*results.Hit) {
	return map[string]func(*results.Hit){
		"fail": fail,
		"miss": func(h *results.Hit) { h.Source = results.SourceMiss },
		"mute": func(h *results.Hit) { h.Source = "" },
		"hit":  func(h *results.Hit) { h.Source = results.SourceHit },
		"write": func(h *results.Hit) {
			h.Op, h.Source, h.Token = results.OpWrite, "", fmt.Sprint("t", h.Seq)
		},
		"every third fails": func(h *results.Hit) {
			if h.Seq%3 == 0 {
				fail(h)
			}
		},
	}
}

// spoiltRun is a run to which anything may have happened.
func spoiltRun(t *rapid.T) *run {
	r := goodRun()
	names := slices.Sorted(maps.Keys(spoils()))
	moment := func(name string) time.Duration {
		return time.Duration(rapid.IntRange(0, 300).Draw(t, name)) * 50 * ms
	}
	for range rapid.IntRange(0, 8).Draw(t, "stretches") {
		from := moment("from")
		r.spoil(from, from+moment("for")/4, spoils()[rapid.SampledFrom(names).Draw(t, "spoil")])
	}
	if rapid.IntRange(0, 4).Draw(t, "silence") == 0 {
		from := moment("silent from")
		r.drop(from, from+5*sec)
	}
	for range rapid.IntRange(0, 9).Draw(t, "connects") {
		r.events = append(r.events, connected(moment("connect"))...)
	}
	for range rapid.IntRange(0, 9).Draw(t, "queries") {
		x := asked(moment("query"))[0]
		x.Up, x.Down = rapid.Int64Range(0, 99).Draw(t, "up"), rapid.Int64Range(0, 99).Draw(t, "down")
		r.exchanges = append(r.exchanges, x)
	}
	return r
}

// TestFiguresOfTheLoadAgainstTheirDefinitions compares with oracles that walk through all
// hits for each question.
func TestFiguresOfTheLoadAgainstTheirDefinitions(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := spoiltRun(rt)
		phase := rapid.IntRange(0, 2).Draw(rt, "phase")
		for _, o := range loadOracles() {
			r.expecting(t, r.m.Phases[phase].Name, o.key, o.text)
		}
		findings := r.judge().Findings
		from := time.Duration(phase) * 5 * sec
		for i, o := range loadOracles() {
			want, known := o.figure(r, from, from+5*sec)
			f := findings[i]
			if known != (f.Measured != "") || known && math.Abs(f.Value-want) > 1e-9 {
				rt.Errorf("%s in %s = %q (%v: %s), want %v, known %t", o.key, r.m.Phases[phase].Name, f.Measured, f.Value, f.Why, want, known)
			}
		}
	})
}

// oracleTests names the test that compares each other kind with a slow oracle.
func oracleTests() map[string]string {
	of := map[string]string{
		"TestQuantileAgainstItsDefinition":       "p50 p90 p95 p99 p999 p9999 max",
		"TestOverAgainstItsDefinition":           "p50_over p99_over",
		"TestPeakAgainstItsDefinition":           "connects_peak reconnect_synchrony",
		"TestBackoffIsRecovered":                 "backoff_base backoff_factor backoff_cap backoff_jitter",
		"TestExchangesAgainstTheirDefinition":    "probe_rate",
		"TestOverlapAgainstItsDefinition":        "stampede",
		"TestResourcesAgainstTheirDefinition":    "cpu_per_1000 memory_max memory_growth descriptors_growth goroutines_growth",
		"TestStepsAgainstTheirDefinition":        "recovers_at",
		"TestLostAndWrongAgainstTheirDefinition": "wrong_answers lost_writes",
		"TestRegressionsAgainstTheirDefinition":  "version_regressions",
		"TestStalenessAgainstItsDefinition":      "staleness",
		"TestAgesAgainstTheirDefinition":         "versions_behind",
		"TestInvisibleAgainstItsDefinition":      "invisible_after",
		"TestTheSearchAgreesWithTheDefinition":   "nonlinearizable_keys",
	}
	tests := map[string]string{}
	for test, kinds := range of {
		for kind := range strings.FieldsSeq(kinds) {
			tests[kind] = test
		}
	}
	return tests
}

func TestEveryKindHasAnOracle(t *testing.T) {
	compared := oracleTests()
	for _, o := range loadOracles() {
		name, _, _ := strings.Cut(o.key, "{")
		compared[name] = "TestFiguresOfTheLoadAgainstTheirDefinitions"
	}
	written := testsBelow(t, "..")
	for _, k := range Kinds() {
		if test := compared[k.Name]; !slices.Contains(written, test) {
			t.Errorf("%s is compared with no oracle: %s", k.Name, cmp.Or(test, "nothing is named"))
		}
		delete(compared, k.Name)
	}
	for kind, test := range compared {
		t.Errorf("%s compares %s, which is no kind", test, kind)
	}
}
