package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brownout/results"
	"brownout/results/judge"

	"github.com/google/go-cmp/cmp"
)

func updating() bool { return flag.Lookup("update").Value.String() == "true" }

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the golden files anew")
	flag.Parse()
	os.Exit(m.Run())
}

// golden compares got with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if updating() {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; go test -update writes it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; go test -update accepts it):\n%s", name, diff)
	}
}

const (
	ms    = time.Millisecond
	sec   = time.Second
	fault = "blackhole on cache"
)

// run is a run of three phases at 300/s with a blackhole in the second. change
// sees each hit.
func run(t *testing.T, change func(*results.Hit)) *results.Recording {
	t.Helper()
	m := results.Manifest{
		Scenario: "cache-blackhole", State: results.StateComplete,
		Proves:  "A Redis that accepts and never answers costs a bounded delay, no error and no wrong answer.",
		Started: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
		Tells:   results.Tells{Token: true, Version: true, Source: true, Writes: true},
		Phases: []results.Phase{
			{Name: "warm-up", For: 2 * sec, RateFrom: 300, RateTo: 300},
			{Name: "outage", For: 6 * sec, RateFrom: 300, RateTo: 300, Faults: []string{fault}, Expect: expect(t, judge.Phase, "errors", "0", "p99", "80ms")},
			{Name: "recovery", For: 5 * sec, RateFrom: 300, RateTo: 300, Expect: expect(t, judge.Phase, "errors", "0", "cache_back_within", "2s")},
		},
		Always: expect(t, judge.Run, "wrong_answers", "0"),
	}
	hits := []results.Hit{{Op: results.OpSeed, Environment: "production", Key: "checkout", Token: "a", Version: 1, Sent: -sec, Done: -sec}}
	for i := range 13 * 300 {
		hits = append(hits, hit(uint64(i), change))
	}
	in := results.Injection{
		Kind: "blackhole", On: "cache", Fault: fault, Start: 2*sec + 3*ms, End: 8*sec + 4*ms,
		Evidence: results.Evidence{Occasion: "connections that sent", Chances: 20, Bites: 20},
	}
	events := []results.Event{
		{At: 0, Kind: results.EventPhase, On: "warm-up"}, {At: 2 * sec, Kind: results.EventPhase, On: "outage"},
		{At: 8 * sec, Kind: results.EventPhase, On: "recovery"}, {At: in.End, Kind: results.EventRevert, On: "cache", Injection: &in},
		{At: 13 * sec, Kind: results.EventEnd},
	}
	samples := []results.Sample{
		{At: 0, Process: results.ProcessTarget, CPU: sec, Memory: 30e6},
		{At: 13 * sec, Process: results.ProcessTarget, CPU: 2 * sec, Memory: 42e6},
	}
	return results.NewRecording(m, hits, events, samples)
}

// hit takes 1.2 ms, and in the outage 52 ms and up to 10 ms more.
func hit(seq uint64, change func(*results.Hit)) results.Hit {
	due := time.Duration(seq) * sec / 300
	h := results.Hit{
		Seq: seq, Op: results.OpRead, Due: due, Sent: due + 90*time.Microsecond, Done: due + 1200*time.Microsecond,
		Environment: "production", Key: "checkout", Token: "a", Version: 1, Code: 200, Source: results.SourceHit,
	}
	if due >= 2*sec && due < 8*sec {
		h.Done, h.Source = due+52*ms+time.Duration(seq%100)*100*time.Microsecond, results.SourceBypass
	}
	if change != nil {
		change(&h)
	}
	return h
}

func expect(t *testing.T, scope judge.Scope, pairs ...string) []results.Expectation {
	t.Helper()
	var all []results.Expectation
	for i := 0; i < len(pairs); i += 2 {
		e, err := judge.Parse(pairs[i], pairs[i+1], scope)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// slowAndBroken misses a p99, has errors, and a recovery that never comes.
func slowAndBroken(h *results.Hit) {
	switch {
	case h.Due >= 3*sec && h.Due < 4*sec:
		h.Done = h.Due + 500*ms
	case h.Due >= 5*sec && h.Due < 5020*ms:
		h.Error, h.Detail, h.Token, h.Version, h.Source = results.ErrorTimeout, "no answer within 1s", "", 0, ""
	case h.Due >= 8*sec:
		h.Source = results.SourceBypass
	}
}

// cases are the golden runs, one for each verdict.
func cases(t *testing.T) map[string]Case {
	t.Helper()
	all := map[string]*results.Recording{
		"pass":         run(t, nil),
		"fail":         run(t, slowAndBroken),
		"invalid":      run(t, func(h *results.Hit) { h.Sent += 30 * ms; h.Done += 30 * ms }),
		"inconclusive": run(t, nil),
	}
	killed := all["inconclusive"]
	killed.Manifest.State, killed.Truncated = results.StateRunning, true
	killed.Hits, killed.Events = killed.Hits[:900], killed.Events[:2]
	of := map[string]Case{}
	for name, rec := range all {
		of[name] = Case{rec, judge.Judge(rec, judge.Standard())}
		if got := of[name].Judgment.Verdict.String(); got != name {
			t.Fatalf("verdict of the %s run = %s: %s", name, got, of[name].Judgment.Why)
		}
	}
	return of
}

func TestScenario(t *testing.T) {
	for name, c := range cases(t) {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := (Terminal{Out: &out}).Scenario(c); err != nil {
				t.Fatalf("Scenario: %v", err)
			}
			golden(t, name+".golden", out.String())
		})
	}
}

func TestSummary(t *testing.T) {
	all := cases(t)
	js := []judge.Judgment{all["pass"].Judgment, all["fail"].Judgment, all["invalid"].Judgment, all["inconclusive"].Judgment}
	js[1].Scenario = "cache-refuse"
	var out bytes.Buffer
	term := Terminal{Out: &out}
	if err := errors.Join(term.Summary(js), term.Defaults(judge.Standard())); err != nil {
		t.Fatalf("Summary: %v", err)
	}
	golden(t, "summary.golden", out.String())
}

func TestColorsOnlyWhenAsked(t *testing.T) {
	js := []judge.Judgment{{Verdict: judge.Fail, Scenario: "s", Why: "w"}}
	for _, color := range []bool{false, true} {
		var out bytes.Buffer
		if err := (Terminal{Out: &out, Color: color}).Summary(js); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(out.String(), "\x1b["); got != color {
			t.Errorf("Color %v: output has colours = %v: %q", color, got, out.String())
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestAWriteErrorIsReturned(t *testing.T) {
	c := cases(t)["pass"]
	term := Terminal{Out: fullDisk{}}
	for name, err := range map[string]error{
		"Scenario": term.Scenario(c), "Summary": term.Summary([]judge.Judgment{c.Judgment}),
		"Defaults": term.Defaults(judge.Standard()), "JUnit": JUnit(fullDisk{}, []Case{c}),
	} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s = %v, want the write error", name, err)
		}
	}
}

func TestJUnit(t *testing.T) {
	all := cases(t)
	var out bytes.Buffer
	if err := JUnit(&out, []Case{all["pass"], all["fail"], all["invalid"], all["inconclusive"]}); err != nil {
		t.Fatalf("JUnit: %v", err)
	}
	golden(t, "junit.golden", out.String())
	var back junitSuites
	if err := xml.Unmarshal(out.Bytes(), &back); err != nil {
		t.Fatalf("decoding what was written: %v", err)
	}
	s := back.Suite
	if s.Tests != 4 || s.Failures != 1 || s.Errors != 1 || s.Skipped != 1 {
		t.Errorf("tests, failures, errors, skipped = %d, %d, %d, %d, want 4, 1, 1, 1", s.Tests, s.Failures, s.Errors, s.Skipped)
	}
}

func TestWriteVerdict(t *testing.T) {
	dir, want := t.TempDir(), cases(t)["fail"].Judgment
	if err := WriteVerdict(dir, want); err != nil {
		t.Fatalf("WriteVerdict: %v", err)
	}
	data, err := os.ReadFile(filepath.Join(dir, VerdictFile))
	if err != nil {
		t.Fatal(err)
	}
	var got judge.Judgment
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatalf("decoding %s: %v", VerdictFile, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("verdict file (-want +got):\n%s", diff)
	}
}

// A verdict of an older brownout has fewer defaults. Those it had are kept.
func TestReadVerdictFillsDefaultsIn(t *testing.T) {
	dir := t.TempDir()
	old := `{"verdict": "pass", "why": "of old", "defaults": {"tail_hits": 7, "rate_reached": 0.5}}`
	if err := os.WriteFile(filepath.Join(dir, VerdictFile), []byte(old), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := ReadVerdict(dir)
	want := judge.Judgment{Verdict: judge.Pass, Why: "of old", Defaults: judge.Standard()}
	want.Defaults.TailHits, want.Defaults.RateReached = 7, 0.5
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("ReadVerdict (-want +got), error %v:\n%s", err, diff)
	}
	if _, err := ReadVerdict(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("ReadVerdict of no verdict = %v, want one that says it is not there", err)
	}
}

// What the generator did after a stall of half a second stands below the table.
func TestTheReportSaysWhatBecameOfAStall(t *testing.T) {
	stalled := func(h *results.Hit) bool { return h.Due >= 9*sec && h.Due < 9500*ms }
	for name, row := range map[string]struct {
		change func(*results.Hit)
		want   string
	}{
		"it caught up": {func(h *results.Hit) {
			if stalled(h) {
				h.Sent, h.Done = 9500*ms, 9501*ms
			}
		}, "the generator caught up: it sent 180 hits within 100 ms, of which at most 30 were due so close together"},
		"it skipped": {func(h *results.Hit) {
			if stalled(h) {
				h.Op, h.Sent, h.Done = results.OpSkipped, 9500*ms, 9500*ms
			}
		}, "the generator fell behind and skipped 150 hits"},
	} {
		rec := run(t, row.change)
		var out bytes.Buffer
		if err := (Terminal{Out: &out}).Scenario(Case{rec, judge.Judge(rec, judge.Standard())}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), row.want) {
			t.Errorf("%s: the report says\n%s\nwant it to say %q", name, out.String(), row.want)
		}
	}
}
