package judge

import (
	"strings"
	"testing"

	"brownout/results"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for _, row := range []struct {
		key, text string
		scope     Scope
		want      results.Expectation
	}{
		{"p99", "25ms", Phase, results.Expectation{Figure: "p99", Op: "<=", Bound: 0.025}},
		{"p99{source=hit}", "< 2s", Phase, results.Expectation{Figure: "p99", Where: map[string]string{"source": "hit"}, Op: "<", Bound: 2}},
		{" p50 { op = write , source=miss } ", ">1m", Phase, results.Expectation{Figure: "p50", Where: map[string]string{"op": "write", "source": "miss"}, Op: ">", Bound: 60}},
		{"errors", "0", Phase, results.Expectation{Figure: "errors", Op: "<=", Bound: 0}},
		{"errors", "0", Run, results.Expectation{Figure: "errors", Op: "<=", Bound: 0}},
		{"cache_hits", "95%", Phase, results.Expectation{Figure: "cache_hits", Op: ">=", Bound: 0.95}},
		{"cache_hits", "== 0", Phase, results.Expectation{Figure: "cache_hits", Op: "==", Bound: 0}},
		{"answers{source=stale}", "<= 5 %", Phase, results.Expectation{Figure: "answers", Where: map[string]string{"source": "stale"}, Op: "<=", Bound: 0.05}},
		{"connects{link=database}", "20/s", Phase, results.Expectation{Figure: "connects", Where: map[string]string{"link": "database"}, Op: "<=", Bound: 20}},
		{"memory_max", "64MB", Phase, results.Expectation{Figure: "memory_max", Op: "<=", Bound: 64e6}},
		{"memory_growth", "< 1.5 KB", Run, results.Expectation{Figure: "memory_growth", Op: "<", Bound: 1500}},
		{"bytes_per_hit{link=cache-1}", "200B", Phase, results.Expectation{Figure: "bytes_per_hit", Where: map[string]string{"link": "cache-1"}, Op: "<=", Bound: 200}},
		{"queries_per_request", "1.5", Phase, results.Expectation{Figure: "queries_per_request", Op: "<=", Bound: 1.5}},
		{"backoff_factor{link=cache}", "1.5", Phase, results.Expectation{Figure: "backoff_factor", Where: map[string]string{"link": "cache"}, Op: ">=", Bound: 1.5}},
		{"invisible_after{after=5s}", "1%", Run, results.Expectation{Figure: "invisible_after", Where: map[string]string{"after": "5s"}, Op: "<=", Bound: 0.01}},
		{"recovers_at", "300/s", Run, results.Expectation{Figure: "recovers_at", Op: ">=", Bound: 300}},
		{"staleness", "0", Run, results.Expectation{Figure: "staleness", Op: "<=", Bound: 0}},
	} {
		row.want.Text = row.key + ": " + row.text
		got, err := Parse(row.key, row.text, row.scope)
		if err != nil {
			t.Errorf("Parse(%q, %q) = %v, want no error", row.key, row.text, err)
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("Parse(%q, %q) (-want +got):\n%s", row.key, row.text, diff)
		}
	}
}

func TestParseSaysWhatWouldBeRight(t *testing.T) {
	for _, row := range []struct {
		name, key, text string
		scope           Scope
		want            string
	}{
		{"a misspelt figure", "cache_hit", "95%", Phase, `unknown figure "cache_hit"; did you mean cache_hits?`},
		{"another", "p99999", "1s", Phase, `did you mean p9999?`},
		{"a figure like no other", "goldfish", "1", Run, `unknown figure "goldfish"; there are errors, error_rate, cpu_per_1000, `},
		{"a figure of the run in a phase", "staleness", "2s", Phase, "staleness is a figure of the whole run; put it in always"},
		{"a figure of a phase in always", "p99", "2s", Run, "p99 is a figure of a phase and cannot stand in always; there are errors, "},
		{"a number where a duration belongs", "p99", "25", Phase, `p99: "25" is not a duration, for example 25ms`},
		{"a share without %", "cache_hits", "0.95", Phase, `cache_hits: "0.95" is not a percentage, for example 95%`},
		{"a share above all", "cache_hits", "195%", Phase, "195% is out of range"},
		{"not a number", "cache_hits", "NaN%", Phase, "is not a percentage"},
		{"a rate without /s", "goodput", "400", Phase, `goodput: "400" is not a rate, for example 400/s`},
		{"an endless rate", "goodput", "inf/s", Phase, "is not a rate"},
		{"half an error", "errors", "0.5", Phase, `errors: "0.5" is not a whole number, for example 0`},
		{"less than nothing", "p99", "-1s", Phase, "-1s is out of range"},
		{"a size without its unit", "memory_max", "64", Phase, `memory_max: "64" is not a size, for example 64MB`},
		{"a size in words", "memory_max", "64 megs", Phase, "is not a size"},
		{"a ratio with a unit", "queries_per_request", "1/s", Phase, `queries_per_request: "1/s" is not a number, for example 1.2`},
		{"less than no ratio", "queries_per_request", "-1", Phase, "-1 is out of range; want a number"},
		{"another time to wait", "invisible_after{after=2s}", "1%", Run, `unknown after "2s"; there are 1s, 5s, 60s`},
		{"no time to wait", "invisible_after", "1%", Run, "invisible_after needs a after; write for example invisible_after{after=1s}"},
		{"no bound", "p99", "", Phase, `p99: "" is not a duration`},
		{"a comparison alone", "p99", "<=", Phase, `p99: "" is not a duration`},
		{"another comparison", "p99", "=> 1s", Phase, "unknown comparison"},
		{"one equals sign", "errors", "= 0", Phase, "unknown comparison"},
		{"a selector that the figure does not take", "cache_hits{op=read}", "95%", Phase, "cache_hits takes no selector; write cache_hits alone"},
		{"an unknown label", "p99{sauce=hit}", "1s", Phase, `p99 cannot be selected by "sauce"; there are op, source, time`},
		{"an unknown value", "p99{op=seed}", "1s", Phase, `unknown op "seed"; there are read, write`},
		{"no value", "p99{op}", "1s", Phase, `unknown op ""; there are read, write`},
		{"a label twice", "p99{op=read,op=write}", "1s", Phase, "p99 selects by op twice"},
		{"an empty selector", "p99{}", "1s", Phase, "is not a figure; want for example p99{op=read}"},
		{"an open selector", "p99{op=read", "1s", Phase, "is not a figure"},
		{"a selector that must be there", "connects", "2/s", Phase, "connects needs a link; write for example connects{link=cache}"},
		{"another one", "answers", "2%", Phase, "answers needs a source; write for example answers{source=hit}"},
		{"a bound that every run keeps", "goodput", ">= 0/s", Phase, `every run keeps ">= 0/s"`},
		{"another one", "error_rate", "100%", Phase, `every run keeps "100%"`},
		{"a bound that no run keeps", "errors", "< 0", Phase, `no run keeps "< 0"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Parse(row.key, row.text, row.scope)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("Parse(%q, %q) = %v, want an error with %q", row.key, row.text, err, row.want)
			}
		})
	}
}

// FuzzParse checks that what is accepted is written back to the same meaning.
func FuzzParse(f *testing.F) {
	f.Add("p99{op=read,source=hit}", ">= 25ms")
	f.Add("cache_hits", "95%")
	f.Add("connects{link=cache}", "< 0x1p-2/s")
	f.Fuzz(func(t *testing.T, key, text string) {
		e, err := Parse(key, text, Phase)
		if err != nil {
			return
		}
		again, err := Parse(figureName(e), text, Phase)
		if err != nil {
			t.Fatalf("Parse(%q) = %v, after %q was accepted", figureName(e), err, key)
		}
		again.Text = e.Text
		if diff := cmp.Diff(e, again); diff != "" {
			t.Errorf("Parse(%q, %q) and back (-first +second):\n%s", key, text, diff)
		}
		if !(e.Bound >= 0) || holds(e.Op, e.Bound, e.Bound) == (e.Op == "<" || e.Op == ">") {
			t.Errorf("Parse(%q, %q) = %s %v, which is no bound", key, text, e.Op, e.Bound)
		}
	})
}

func TestFormat(t *testing.T) {
	for _, row := range []struct {
		unit  Unit
		value float64
		want  string
	}{
		{Seconds, 0, "0 ms"},
		{Seconds, 0.0000005, "0.50 µs"},
		{Seconds, 0.000999, "999 µs"},
		{Seconds, 0.0009996, "1.00 ms"},
		{Seconds, 0.0621, "62.1 ms"},
		{Seconds, 0.08, "80 ms"},
		{Seconds, 0.9996, "1.00 s"},
		{Seconds, 75, "75 s"},
		{Seconds, 123.4, "123 s"},
		{Count, 12345, "12345"},
		{Share, 1, "100%"},
		{Share, 0.99999, "> 99.9%"},
		{Share, 0.00001, "< 0.1%"},
		{Share, 0, "0%"},
		{Share, 0.9512, "95.1%"},
		{PerSecond, 400, "400/s"},
		{Ratio, 1.064, "1.06"},
		{Ratio, 3, "3"},
		{Bytes, 0, "0 B"},
		{Bytes, 999, "999 B"},
		{Bytes, 6610, "6.61 KB"},
		{Bytes, 28.8e6, "28.8 MB"},
		{Bytes, -3e6, "-3 MB"},
		{Bytes, 2e9, "2 GB"},
		{PerSecond, 0.6, "0.60/s"},
	} {
		if got := row.unit.Format(row.value); got != row.want {
			t.Errorf("%s.Format(%v) = %q, want %q", row.unit, row.value, got, row.want)
		}
	}
}

func TestAMissNeverLooksLikeItsBound(t *testing.T) {
	for _, row := range []struct {
		unit         Unit
		value, bound float64
		want         string
	}{
		{Seconds, 0.1203, 0.12, "120.3ms"},
		{Seconds, 0.12, 0.12, "120 ms"},
		{Share, 0.9499, 0.95, "94.99%"},
		{PerSecond, 400.3, 400, "400.3/s"},
		{Ratio, 1.0007, 1.001, "1.0007"},
		{Bytes, 64_010_001, 64_010_000, "64010001 B"},
	} {
		if got := apart(row.unit, row.value, row.bound); got != row.want {
			t.Errorf("apart(%v, %v) = %q, want %q", row.value, row.bound, got, row.want)
		}
	}
}
