package proof

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"brownout/results/judge"

	"github.com/google/go-cmp/cmp"
)

// A stage plays runs: what is judged of each target, by its defect ("": the clean
// server; "null": without faults).
type stage struct {
	runs []string // that were made
	play map[string]func(n int) (Outcome, error)
}

func (s *stage) run(_ context.Context, a Arm) (Outcome, error) {
	who := a.Scenario.Server["defect"]
	switch {
	case a.Pretend != nil:
		who = "null"
	case who == "":
		who = "clean"
	}
	s.runs = append(s.runs, who)
	play, found := s.play[who]
	if !found {
		return outcome(judge.Pass), nil
	}
	n := 0
	for _, r := range s.runs {
		if r == who {
			n++
		}
	}
	return play(n)
}

// outcome is a run in which the named expectations of the scenario steady were judged
// like this.
func outcome(p99 judge.Verdict) Outcome {
	return Outcome{Judgment: judge.Judgment{
		Verdict: p99, Why: "p99 is " + p99.String(), Checks: []judge.Finding{{Verdict: judge.Pass}},
		Findings: []judge.Finding{{Verdict: p99, Phase: "steady", Figure: "p99", Measured: "9ms", Limit: 1, Bound: "8ms"}},
	}}
}

func invalid() Outcome {
	return Outcome{Judgment: judge.Judgment{Verdict: judge.Invalid, Why: "late", Checks: []judge.Finding{{Verdict: judge.Pass}, {Verdict: judge.Invalid}}}}
}

func always(o Outcome) func(int) (Outcome, error) {
	return func(int) (Outcome, error) { return o, nil }
}

func twoCases() Plan {
	return Plan{Cases: []Case{
		{Defect: "slow", Scenario: "steady", CaughtBy: "steady p99"},
		{Defect: "late", Scenario: "steady", CaughtBy: "steady p99"},
	}}
}

func newProver(t *testing.T, p Plan, s *stage, dir string) *Prover {
	t.Helper()
	j, err := NewJournal(dir, Origin{Commit: "c0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return &Prover{Plan: p, Journal: j, Run: s.run, Again: 2}
}

func TestTheCleanServerRunsOnceForCasesThatAreAlike(t *testing.T) {
	s := &stage{play: map[string]func(int) (Outcome, error){"slow": always(outcome(judge.Fail)), "late": always(outcome(judge.Fail))}}
	p := newProver(t, twoCases(), s, t.TempDir())
	if err := p.Prove(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"slow", "clean", "late"}, s.runs); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
	proof := p.Plan.Assess(p.Journal)
	for _, k := range proof.Kills {
		if k.Status != Killed || k.Measured != "p99 9ms of 8ms" {
			t.Errorf("%s: %s by %q, want killed by p99 9ms of 8ms", k.Defect, k.Status, k.Measured)
		}
	}
	if proof.Verdict != judge.Pass {
		t.Errorf("verdict = %v, want pass", proof.Verdict)
	}
}

// What a defect has to miss besides is looked at in the runs that there are, and counts.
func TestOtherFiguresAreOfTheSameRuns(t *testing.T) {
	for _, row := range []struct {
		figure string
		want   Status
		worth  judge.Verdict
	}{
		{"steady p99", Killed, judge.Pass},
		{"steady errors", Undecided, judge.Inconclusive}, // nobody has judged it
	} {
		s := &stage{play: map[string]func(int) (Outcome, error){"slow": always(outcome(judge.Fail)), "late": always(outcome(judge.Fail))}}
		plan := twoCases()
		plan.Figures = []Case{{Defect: "slow", Scenario: "steady", CaughtBy: row.figure}}
		p := newProver(t, plan, s, t.TempDir())
		if err := p.Prove(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := plan.Assess(p.Journal)
		if len(s.runs) != 3 || got.Figures[0].Status != row.want || got.Verdict != row.worth {
			t.Errorf("%s: after the runs %v it is %s, verdict %v; want three runs, %s, %v", row.figure, s.runs, got.Figures[0].Status, got.Verdict, row.want, row.worth)
		}
	}
}

func TestAnInvalidRunIsRepeatedAndThenIsNoKill(t *testing.T) {
	s := &stage{play: map[string]func(int) (Outcome, error){
		"slow": func(n int) (Outcome, error) {
			if n == 1 {
				return invalid(), nil
			}
			return outcome(judge.Fail), nil
		},
		"late": func(int) (Outcome, error) { return Outcome{}, errors.New("no server to be had") },
	}}
	p := newProver(t, twoCases(), s, t.TempDir())
	var rests []int
	p.Rest = func(_ context.Context, invalid int) error {
		rests = append(rests, invalid)
		return nil
	}
	if err := p.Prove(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"slow", "slow", "clean", "late", "late", "late"}, s.runs); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{1, 1, 2}, rests); diff != "" {
		t.Errorf("the machine rests after so many runs in a row that say nothing (-want +got):\n%s", diff)
	}
	proof := p.Plan.Assess(p.Journal)
	if got := proof.Kills[0]; got.Status != Killed || p.Journal.Records[0].Attempts != 2 {
		t.Errorf("slow: %s after %d attempts, want killed after 2", got.Status, p.Journal.Records[0].Attempts)
	}
	if got := proof.Kills[1]; got.Status != NotValid || got.Why != "no server to be had" {
		t.Errorf("late: %s, %q; want invalid, because there is no server", got.Status, got.Why)
	}
	if proof.Verdict != judge.Invalid {
		t.Errorf("verdict = %v, want invalid", proof.Verdict)
	}
	// Whoever goes on with it tries once more what says nothing, and only that.
	s.runs, s.play["late"] = nil, always(outcome(judge.Fail))
	if err := p.Prove(t.Context()); err != nil {
		t.Fatal(err)
	}
	last, _ := p.Journal.find(p.Journal.Records[len(p.Journal.Records)-1].Job)
	if got := p.Plan.Assess(p.Journal); !slices.Equal(s.runs, []string{"late"}) || last.Attempts != 4 || got.Verdict != judge.Pass {
		t.Errorf("going on made the runs %v, after %d attempts, verdict %v; want late only, 4, pass", s.runs, last.Attempts, got.Verdict)
	}
}

func TestWhatWasBrokenOffGoesOn(t *testing.T) {
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	s := &stage{play: map[string]func(int) (Outcome, error){
		"slow":  always(outcome(judge.Fail)),
		"clean": func(int) (Outcome, error) { stop(); return Outcome{}, context.Canceled },
		"late":  always(outcome(judge.Fail)),
	}}
	p := newProver(t, twoCases(), s, dir)
	if err := p.Prove(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("Prove = %v, want %v", err, context.Canceled)
	}
	if got := p.Plan.Assess(p.Journal).Kills; got[0].Status != NotRun || got[1].Status != NotRun {
		t.Errorf("broken off: %+v, want both not run", got)
	}
	if err := p.Journal.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := ResumeJournal(dir, Origin{Commit: "c1"}); err == nil || !strings.Contains(err.Error(), "of commit c0, this brownout of c1") {
		t.Errorf("ResumeJournal with another commit = %v, want an error that names both", err)
	}
	j, err := ResumeJournal(dir, Origin{Commit: "c0"})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	again := &stage{play: map[string]func(int) (Outcome, error){"late": always(outcome(judge.Fail))}}
	p2 := &Prover{Plan: twoCases(), Journal: j, Run: again.run}
	if err := p2.Prove(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"clean", "late"}, again.runs); diff != "" {
		t.Errorf("runs of the resumed proof (-want +got):\n%s", diff)
	}
	if got := p2.Plan.Assess(j); got.Verdict != judge.Pass {
		t.Errorf("the resumed proof = %+v, want pass", got)
	}
}

func TestFalseAlarmsAreCountedAndNotRepeated(t *testing.T) {
	s := &stage{play: map[string]func(int) (Outcome, error){"clean": func(n int) (Outcome, error) {
		switch n {
		case 1:
			return invalid(), nil
		case 2:
			return outcome(judge.Fail), nil
		case 3:
			return outcome(judge.Inconclusive), nil
		}
		return outcome(judge.Pass), nil
	}}}
	plan := Plan{Alarms: []string{"steady", "cache-slow"}, Repeats: 4}
	p := newProver(t, plan, s, t.TempDir())
	if err := p.Prove(t.Context()); err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, r := range p.Journal.Records[:4] {
		order = append(order, r.Job)
	}
	if want := []string{"alarm steady 1", "alarm cache-slow 1", "alarm steady 2", "alarm cache-slow 2"}; !slices.Equal(order, want) {
		t.Errorf("jobs = %q, want %q", order, want)
	}
	got := plan.Assess(p.Journal)
	want := []Alarm{
		{Scenario: "steady", Repeats: 4, Pass: 2, Inconclusive: 1, Invalid: 1, Why: []string{"invalid: late", "inconclusive: p99 is inconclusive"}},
		{Scenario: "cache-slow", Repeats: 4, Pass: 3, Fail: 1, Why: []string{"fail: p99 is fail"}},
	}
	if diff := cmp.Diff(want, got.Alarms); diff != "" {
		t.Errorf("alarms (-want +got):\n%s", diff)
	}
	if got.Verdict != judge.Fail {
		t.Errorf("verdict = %v, want fail: the clean server failed", got.Verdict)
	}
}

func TestRepeatsThatSayNothingAreBounded(t *testing.T) {
	for _, row := range []struct {
		name      string
		alarms    []Alarm
		undecided int
		want      judge.Verdict
	}{
		{"all pass", []Alarm{{Repeats: 3, Pass: 3}, {Repeats: 3, Pass: 3}}, 0, judge.Pass},
		{"as many as may", []Alarm{{Repeats: 3, Pass: 2, Invalid: 1}, {Repeats: 3, Pass: 2, Inconclusive: 1}}, 2, judge.Pass},
		{"one more", []Alarm{{Repeats: 3, Pass: 2, Invalid: 1}, {Repeats: 3, Pass: 2, Inconclusive: 1}}, 1, judge.Inconclusive},
		{"a fail is one too many", []Alarm{{Repeats: 3, Pass: 3}, {Repeats: 3, Pass: 2, Fail: 1}}, 2, judge.Fail},
		{"not all were run", []Alarm{{Repeats: 3, Pass: 3}, {Repeats: 2, Pass: 2}}, 2, judge.Inconclusive},
	} {
		if got := (Plan{Repeats: 3, Undecided: row.undecided}).weigh(row.alarms); got != row.want {
			t.Errorf("%s: weigh = %v, want %v", row.name, got, row.want)
		}
	}
}

func TestJournal(t *testing.T) {
	dir := t.TempDir()
	j, err := NewJournal(dir, Origin{Commit: "c0", Go: "go1"})
	if err != nil {
		t.Fatal(err)
	}
	want := Record{Job: "a", Verdict: judge.Fail, Checks: judge.Pass, Findings: map[string]judge.Verdict{"run errors": judge.Fail}}
	if err := errors.Join(j.Append(want), j.write("half"), j.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := NewJournal(dir, Origin{}); err == nil || !strings.Contains(err.Error(), "--resume") {
		t.Errorf("NewJournal where there is one = %v, want an error with --resume", err)
	}
	cut(t, dir, 3) // the line that was being written
	j, err = ResumeJournal(dir, Origin{Commit: "c0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(j.Append(Record{Job: "b"}), j.Close()); err != nil {
		t.Fatal(err)
	}
	j, err = ResumeJournal(dir, Origin{Commit: "c0"})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if diff := cmp.Diff([]Record{want, {Job: "b"}}, j.Records); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if _, err := ResumeJournal(t.TempDir(), Origin{}); err == nil {
		t.Error("ResumeJournal of nothing gives no error")
	}
	if _, err := ResumeJournal(dir, Origin{Commit: "c0", Dirty: true}); err == nil {
		t.Error("ResumeJournal by a brownout with changes gives no error")
	}
}
