package proof

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brownout/results"
	"brownout/results/judge"
)

// cut takes n bytes from the journal's end.
func cut(t *testing.T, dir string, n int64) {
	t.Helper()
	path := filepath.Join(dir, journalFile)
	info, err := os.Stat(path)
	if err == nil {
		err = os.Truncate(path, info.Size()-n)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// found is a run that is valid and has these findings.
func found(findings map[string]judge.Verdict) Record {
	measured := map[string]string{}
	for named, v := range findings {
		measured[named] = named + " " + v.String()
	}
	r := Record{Verdict: judge.Pass, Checks: judge.Pass, Findings: findings, Measured: measured}
	if len(r.missed()) > 0 {
		r.Verdict = judge.Fail
	}
	return r
}

type verdicts = map[string]judge.Verdict

func TestWhatAKillIs(t *testing.T) {
	pass := found(verdicts{"run p": judge.Pass, "run q": judge.Pass})
	crash := found(verdicts{"run p": judge.Fail})
	crash.Checks = judge.Fail
	late := found(verdicts{"run p": judge.Fail})
	late.Checks, late.Verdict = judge.Invalid, judge.Invalid
	required := found(verdicts{"run p": judge.Fail, "run q": judge.Invalid})
	required.Verdict = judge.Invalid
	interrupted := found(verdicts{"run p": judge.Fail})
	interrupted.Checks, interrupted.Verdict = judge.Inconclusive, judge.Inconclusive
	for _, row := range []struct {
		name          string
		broken, clean *Record
		want          Status
		verdict       judge.Verdict
		by            string
	}{
		{"missed with it, kept without it", ref(found(verdicts{"run p": judge.Fail, "run q": judge.Pass})), &pass, Killed, judge.Pass, "run p"},
		{"another is missed, too", ref(found(verdicts{"run p": judge.Fail, "run q": judge.Fail})), &pass, Killed, judge.Pass, "run p,run q"},
		{"only another is missed", ref(found(verdicts{"run p": judge.Pass, "run q": judge.Fail})), &pass, KilledByOther, judge.Fail, "run q"},
		{"nothing is missed", &pass, &pass, Survived, judge.Fail, ""},
		{"it could not be judged", ref(found(verdicts{"run p": judge.Inconclusive})), &pass, Undecided, judge.Inconclusive, ""},
		{"it is not there", ref(found(nil)), &pass, Undecided, judge.Inconclusive, ""},
		{"the clean server misses it, too", ref(found(verdicts{"run p": judge.Fail})), ref(found(verdicts{"run p": judge.Fail})), FalseAlarm, judge.Fail, ""},
		{"of the clean server it could not be judged", ref(found(verdicts{"run p": judge.Fail})), ref(found(verdicts{"run p": judge.Inconclusive})), Undecided, judge.Inconclusive, "run p"},
		{"the target crashed", &crash, &pass, Crashed, judge.Fail, ""},
		{"the clean target crashed", ref(found(verdicts{"run p": judge.Fail})), &crash, Crashed, judge.Fail, ""},
		{"the harness was late", &late, &pass, NotValid, judge.Invalid, ""},
		{"what the scenario requires was not there", &required, &pass, NotValid, judge.Invalid, ""},
		{"the harness was late with the clean server", ref(found(verdicts{"run p": judge.Fail})), &late, NotValid, judge.Invalid, ""},
		{"the run was not complete", &interrupted, &pass, Undecided, judge.Inconclusive, ""},
		{"the clean server did not run", ref(found(verdicts{"run p": judge.Fail})), nil, NotRun, judge.Inconclusive, ""},
		{"nothing ran", nil, nil, NotRun, judge.Inconclusive, ""},
	} {
		plan := Plan{Cases: []Case{{Defect: "d", Scenario: "steady", CaughtBy: "run p"}}}
		broken, clean := plan.Cases[0].jobs()
		got := plan.Assess(journal(map[string]*Record{broken.name: row.broken, clean.name: row.clean}))
		k := got.Kills[0]
		if k.Status != row.want || strings.Join(k.By, ",") != row.by || got.Verdict != row.verdict {
			t.Errorf("%s: %s (%s) by %v, verdict %v; want %s by %s, %v", row.name, k.Status, k.Why, k.By, got.Verdict, row.want, row.by, row.verdict)
		}
	}
}

func TestADefectThatCannotBeFoundYetIsSaidAndNoFailure(t *testing.T) {
	got := Plan{Cases: []Case{{Defect: "d", Lacks: "a figure"}}}.Assess(journal(nil))
	if k := got.Kills[0]; k.Status != Unfindable || k.Why != "a figure" || got.Verdict != judge.Pass {
		t.Errorf("Assess = %+v, want not findable yet, and pass", got)
	}
}

func TestWhatAFlipIs(t *testing.T) {
	kept, missed := found(verdicts{"run p": judge.Pass}), found(verdicts{"run p": judge.Fail})
	required := found(verdicts{"run p": judge.Invalid})
	required.Verdict = judge.Invalid
	late := missed
	late.Checks, late.Verdict = judge.Invalid, judge.Invalid
	for _, row := range []struct {
		name      string
		with      Record
		without   Record
		pretended judge.Verdict
		want      Status
		verdict   judge.Verdict
	}{
		{"kept with, missed without", kept, missed, judge.Invalid, Flipped, judge.Pass},
		{"what is required of the run is missed without", kept, required, judge.Invalid, Flipped, judge.Pass},
		{"kept both times", kept, kept, judge.Invalid, NotFlipped, judge.Fail},
		{"missed with the fault", missed, missed, judge.Invalid, NotMet, judge.Fail},
		{"the judge believes in a fault that was not there", kept, missed, judge.Pass, Seen, judge.Fail},
		{"it could not be judged without", kept, found(verdicts{"run p": judge.Inconclusive}), judge.Invalid, Undecided, judge.Inconclusive},
		{"it could not be judged with", found(verdicts{"run p": judge.Inconclusive}), missed, judge.Invalid, Undecided, judge.Inconclusive},
		{"the harness was late without", kept, late, judge.Invalid, NotValid, judge.Invalid},
		{"the harness was late with", late, missed, judge.Invalid, NotValid, judge.Invalid},
	} {
		plan := Plan{Twins: []Twin{{Scenario: "cache-slow", Flips: "run p"}}}
		with, without := plan.Twins[0].jobs()
		row.without.Pretended = &row.pretended
		got := plan.Assess(journal(map[string]*Record{with.name: &row.with, without.name: &row.without}))
		if f := got.Flips[0]; f.Status != row.want || got.Verdict != row.verdict {
			t.Errorf("%s: %s (%s), verdict %v; want %s, %v", row.name, f.Status, f.Why, got.Verdict, row.want, row.verdict)
		}
	}
}

func ref(r Record) *Record { return &r }

// journal has the records by their jobs; nil is none.
func journal(records map[string]*Record) *Journal {
	j := &Journal{}
	for job, r := range records {
		if r != nil {
			r := *r
			r.Job = job
			j.Records = append(j.Records, r)
		}
	}
	return j
}

// In a recording without a fault, the judge that is told of one says that there was
// none.
func TestPretend(t *testing.T) {
	a, err := Twins()[0].null()
	if err != nil {
		t.Fatal(err)
	}
	rec := &results.Recording{Manifest: results.Manifest{State: results.StateComplete}}
	for _, p := range a.Scenario.Phases {
		rec.Manifest.Phases = append(rec.Manifest.Phases, results.Phase{Name: p.Name, For: p.For})
	}
	told := pretend(rec, a.Pretend)
	faults := 0
	for i, p := range told.Manifest.Phases {
		faults += len(p.Faults)
		if len(rec.Manifest.Phases[i].Faults) > 0 {
			t.Errorf("pretend changes the recording itself: phase %s has %v", p.Name, rec.Manifest.Phases[i].Faults)
		}
	}
	if faults != 1 {
		t.Errorf("%d faults are pretended, want 1", faults)
	}
}

func TestMarkdown(t *testing.T) {
	proof := Proof{
		Origin: Origin{Commit: "c0", Dirty: true}, Verdict: judge.Fail,
		Kills: []Kill{
			{Defect: "slow", Scenario: "s", Set: []string{"a=b"}, Named: "run p", Status: Killed, By: []string{"run p", "run q"}, Measured: "p 9 of 8", Clean: "p 1 of 8"},
			{Defect: "late", Scenario: "s", Named: "run p", Status: Survived, Why: "kept: p|1"},
		},
		Figures: []Kill{
			{Defect: "slow", Scenario: "s", Set: []string{"a=b"}, Named: "run p50", Status: Killed, Measured: "p50 9 of 8", Clean: "p50 1 of 8"},
			{Defect: "slow", Scenario: "t", Set: []string{"c=d"}, Named: "run max", Status: Survived, Why: "kept: max 1"},
		},
		Flips:     []Flip{{Scenario: "s", Named: "run p", Status: Flipped, With: "p 1", Without: "p 9"}},
		Undecided: 2,
		Alarms:    []Alarm{{Scenario: "s", Repeats: 4, Pass: 3, Invalid: 1, Why: []string{"invalid: late"}}},
	}
	var out bytes.Buffer
	proof.Markdown(&out)
	for _, want := range []string{
		"Commit c0 with changes", "Verdict: **fail**", "2 defects, 1 killed, 1 survived.",
		"| slow | s | run p | p 9 of 8 | p 1 of 8 | killed | run q |\n",
		`| late | s | run p |  |  | survived: kept: p\|1 |  |` + "\n",
		"What these defects have to miss as well: 1 killed, 1 survived of 2.", "| run p50 | slow | s | p50 9 of 8 | p50 1 of 8 | killed |\n",
		"| run max | slow | t |  |  | survived: kept: max 1 |\n\n- slow: `c=d`\n",
		"- slow: `a=b`\n", "| s | run p | p 1 | p 9 | flipped |\n", "| s | 4 | 3 | 0 | 0 | 1 (25%) |\n", "- s, invalid: late\n",
		"Runs that say nothing: 1, of which there may be 2.",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("Markdown gives\n%s\nwant %q in it", out.String(), want)
		}
	}
}
