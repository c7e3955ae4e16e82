// Package judge turns a recording into a verdict.
//
// The one idea: a judgement is a pure function of the recording and a table of
// defaults, so an old run can be judged again and gives the same. The run itself
// is judged first. What the harness did not do as it promised makes the run
// invalid, and the target's misses in it are not the target's. Only then are the
// expectations looked at: any miss fails, and what no hit could have violated is
// inconclusive, never passed.
//
// Kinds defines each figure that an expectation can bound. The numbers themselves
// are computed in results/figures.
package judge

import (
	"fmt"
	"sync"

	"brownout/results"
	"brownout/results/figures"
)

// A Judgment is what one run says of its target.
type Judgment struct {
	Scenario string  `json:"scenario"`
	Verdict  Verdict `json:"verdict"`
	Why      string  `json:"why"` // one line
	// Checks are about the run: did the harness keep its promises? Only those that
	// are not passed have a remedy.
	Checks []Finding `json:"checks"`
	// Findings are about the target, one for each expectation.
	Findings []Finding `json:"findings"`
	Defaults Defaults  `json:"defaults"`
}

// Judge judges a recording by the expectations in its manifest.
//
// A run that is not complete is not judged: it is invalid if the harness failed,
// and otherwise inconclusive. Its findings are still there to read.
func Judge(rec *results.Recording, d Defaults) Judgment {
	histories := sync.OnceValue(func() []figures.History { return figures.Histories(rec.Hits) })
	t := trial{
		rec: rec, defaults: d,
		windows:   figures.Cut(rec),
		load:      figures.Load(rec.Hits),
		histories: histories,
		answers:   sync.OnceValue(func() figures.Answers { return figures.AnswersIn(histories(), rec.Manifest.Tells) }),
	}
	j := Judgment{Scenario: rec.Manifest.Scenario, Defaults: d}
	j.Checks = t.checks()
	j.Findings = t.findings()
	j.Verdict, j.Why = conclude(rec, j)
	if m := rec.Manifest; m.Scale != 0 {
		j.Why += fmt.Sprintf(" (failover scaled to %g)", m.Scale)
	}
	return j
}

// A trial is one run being judged.
type trial struct {
	rec       *results.Recording
	defaults  Defaults
	windows   []figures.Window
	load      []results.Hit
	histories func() []figures.History
	answers   func() figures.Answers
}

func (t trial) findings() []Finding {
	var all []Finding
	for _, w := range t.windows {
		for _, e := range w.Phase.Require {
			all = append(all, t.required(w, e))
		}
		for _, e := range w.Phase.Expect {
			all = append(all, t.inPhase(w, e))
		}
	}
	whole := figures.Window{Happened: len(t.load) > 0}
	if whole.Happened {
		whole.Start, whole.End = t.load[0].Due, t.load[len(t.load)-1].Due+1
	}
	for _, e := range t.rec.Manifest.Always {
		all = append(all, t.find(whole, e))
	}
	return all
}

// required judges a bound that proves the run: short of a pass, the run is invalid.
func (t trial) required(w figures.Window, e results.Expectation) Finding {
	f := t.inPhase(w, e)
	f.Require = true
	if f.Verdict != Pass {
		f.Verdict = Invalid
		f.Remedy = "the scenario requires this of the run itself: look at what the load and the stack did"
	}
	return f
}

func (t trial) inPhase(w figures.Window, e results.Expectation) Finding {
	f := t.find(w, e)
	f.Phase = w.Phase.Name
	if !w.Happened {
		f.Verdict, f.Measured, f.Why = Inconclusive, "", "the run never came to this phase"
	}
	return f
}

func (t trial) find(w figures.Window, e results.Expectation) Finding {
	kind, ok := kindOf(e.Figure)
	f := newFinding(kind, e)
	if !ok { // from a newer brownout, or made by hand
		f.Why = fmt.Sprintf("unknown figure %q", e.Figure)
		return f
	}
	if why := Unjudgeable(e, t.rec.Manifest.Tells); why != "" {
		f.Why = why
		return f
	}
	f.weigh(kind, e, kind.measure(question{t, e.Where, w}))
	return f
}

// conclude combines checks and findings: invalid before fail before inconclusive
// before pass.
func conclude(rec *results.Recording, j Judgment) (Verdict, string) {
	if rec.Manifest.State != results.StateComplete {
		return j.Checks[0].Verdict, j.Checks[0].Why
	}
	for _, step := range []struct {
		among []Finding
		v     Verdict
	}{{j.Checks, Invalid}, {j.Findings, Invalid}, {j.Checks, Fail}, {j.Findings, Fail}, {j.Checks, Inconclusive}, {j.Findings, Inconclusive}} {
		if of := with(step.among, step.v); len(of) > 0 {
			return step.v, headline(of)
		}
	}
	if expected(j.Findings) == 0 {
		return Inconclusive, "the scenario expects nothing of the target"
	}
	return Pass, praise(rec, j.Findings)
}

// expected counts what is expected of the target, not required of the run.
func expected(fs []Finding) int {
	n := 0
	for _, f := range fs {
		if !f.Require {
			n++
		}
	}
	return n
}

func with(fs []Finding, v Verdict) []Finding {
	var some []Finding
	for _, f := range fs {
		if f.Verdict == v {
			some = append(some, f)
		}
	}
	return some
}
