package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brownout/results"
	"brownout/results/judge"
	"brownout/results/report"
)

// storedRun is a run folder in dir: a second of 30 reads, each of which took took.
func storedRun(t *testing.T, dir string, took time.Duration) string {
	t.Helper()
	bound, err := judge.Parse("p50", "5ms", judge.Phase)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := results.Create(dir, "stored", results.Manifest{
		Scenario: "stored", Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Phases: []results.Phase{{Name: "steady", For: time.Second, RateFrom: 30, RateTo: 30, Expect: []results.Expectation{bound}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	rec.Event(results.Event{Kind: results.EventPhase, On: "steady"})
	for i := range 30 {
		due := time.Duration(i) * time.Second / 30
		rec.Hit(results.Hit{Seq: uint64(i), Op: results.OpRead, Due: due, Sent: due, Done: due + took, Code: 200})
	}
	rec.Event(results.Event{At: time.Second, Kind: results.EventEnd})
	if err := rec.Close(results.StateComplete, ""); err != nil {
		t.Fatal(err)
	}
	return rec.Dir()
}

// ask runs brownout and returns its exit code and everything that it printed.
func ask(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	code := command(t.Context(), args, &out, &out)
	return code, out.String()
}

func TestReport(t *testing.T) {
	dir := t.TempDir()
	folder := storedRun(t, dir, 4*time.Millisecond)
	if code, out := ask(t, "report", folder); code != exitUsage || !strings.Contains(out, "judge it with --judge") {
		t.Errorf("report of a run that was never judged = %d, want %d and what to do: %s", code, exitUsage, out)
	}
	code, out := ask(t, "report", "--judge", folder)
	if code != exitPass || !strings.Contains(out, "PASS stored") || strings.Contains(out, "judged before") {
		t.Errorf("report --judge = %d, want %d and PASS:\n%s", code, exitPass, out)
	}
	verdict, err := os.ReadFile(filepath.Join(folder, report.VerdictFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"report", folder}, {"report", "--judge", folder}, {"report", "--results", dir}} {
		code, again := ask(t, args...)
		if code != exitPass || again != out {
			t.Errorf("%v = %d, want %d and the same report:\n%s\nwas\n%s", args, code, exitPass, again, out)
		}
		now, _ := os.ReadFile(filepath.Join(folder, report.VerdictFile))
		if !bytes.Equal(now, verdict) {
			t.Errorf("%v left another verdict:\n%s\nwant\n%s", args, now, verdict)
		}
	}
}

func TestReportSaysWhatTheVerdictWas(t *testing.T) {
	dir := t.TempDir()
	folder := storedRun(t, dir, 6*time.Millisecond)
	if err := report.WriteVerdict(folder, judge.Judgment{Verdict: judge.Pass, Why: "of old", Defaults: judge.Standard()}); err != nil {
		t.Fatal(err)
	}
	if code, out := ask(t, "report", folder); code != exitPass || !strings.Contains(out, "of old") {
		t.Errorf("report = %d, want the stored verdict:\n%s", code, out)
	}
	junit := filepath.Join(dir, "junit.xml")
	code, out := ask(t, "report", "--judge", "--junit", junit, folder)
	if code != exitFail || !strings.Contains(out, "p50 6 ms of 5 ms") || !strings.Contains(out, "judged before as pass  of old") {
		t.Errorf("report --judge = %d, want %d, the miss, and what the verdict was:\n%s", code, exitFail, out)
	}
	if text, err := os.ReadFile(junit); err != nil || !strings.Contains(string(text), `failures="1"`) {
		t.Errorf("JUnit = %s (%v), want one failure", text, err)
	}
}

func TestReportKeepsTheDefaultsOfTheOldVerdict(t *testing.T) {
	folder := storedRun(t, t.TempDir(), 4*time.Millisecond)
	old := judge.Judgment{Verdict: judge.Pass, Why: "of old", Defaults: judge.Standard()}
	old.Defaults.TailHits = 100 // a median then needs 200 hits
	if err := report.WriteVerdict(folder, old); err != nil {
		t.Fatal(err)
	}
	if code, out := ask(t, "report", "--judge", folder); code != exitInconclusive || !strings.Contains(out, "p50 needs 200") {
		t.Errorf("report --judge = %d, want %d by the stored defaults:\n%s", code, exitInconclusive, out)
	}
}

func TestReportOfNoRun(t *testing.T) {
	for _, args := range [][]string{{"report", t.TempDir()}, {"report", "--results", t.TempDir()}} {
		if code, out := ask(t, args...); code != exitUsage {
			t.Errorf("%v = %d, want %d: %s", args, code, exitUsage, out)
		}
	}
}
