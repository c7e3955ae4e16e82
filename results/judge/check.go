package judge

import (
	"fmt"
	"time"

	"brownout/results"
	"brownout/results/figures"
)

// checks asks whether the harness did what it promised. The first is always about
// the state of the run. When that is not complete there are no others: what is
// missing then is no broken promise.
func (t trial) checks() []Finding {
	state := t.checkState()
	if state.Verdict != Pass {
		return []Finding{state}
	}
	all := []Finding{state, t.checkExits(), t.checkLateness()}
	if len(t.load) > 0 {
		all = append(all, t.checkClock()...)
	}
	for i, w := range t.windows {
		all = append(all, t.checkPhase(i, w)...)
	}
	return append(append(all, t.checkInjections()...), t.checkSteps()...)
}

// checkPhase asks whether a phase was driven and injured as planned.
func (t trial) checkPhase(i int, w figures.Window) []Finding {
	if !w.Happened {
		return []Finding{broken(promise("the phase takes place", w.Phase.Name), "the run never came to phase "+w.Phase.Name,
			"look at the run's events: a complete run has every phase")}
	}
	all := []Finding{t.checkRate(i, w)}
	// Lateness spoils what is measured in its phase. A warm-up measures nothing.
	if len(w.Phase.Expect)+len(w.Phase.Require) > 0 {
		all = append(append(all, t.checkLate(w)), t.checkMachine(w)...)
	}
	for _, planned := range w.Phase.Faults {
		all = append(all, t.checkPlanned(planned, w))
	}
	return all
}

// promise begins the finding of a check, as one that is kept.
func promise(text, phase string) Finding {
	return Finding{Verdict: Pass, Phase: phase, Expectation: text}
}

// broken makes f the finding of a check that is not kept.
func broken(f Finding, why, remedy string) Finding {
	f.Verdict, f.Why, f.Remedy = Invalid, why, remedy
	return f
}

func (t trial) checkState() Finding {
	f := promise("the run is complete", "")
	m := t.rec.Manifest
	switch m.State {
	case results.StateComplete:
	case results.StateInterrupted:
		f = broken(f, "the run was interrupted", "run it again, to its end")
		f.Verdict = Inconclusive
	case results.StateFailed:
		f = broken(f, "the harness failed: "+m.Problem, "remove the cause and run it again")
	default:
		f = broken(f, "the run was killed, or still goes on", "run it again, to its end")
		f.Verdict = Inconclusive
	}
	return f
}

// checkExits asks whether every process outlived the load, unless a fault ended
// it. A dependency that ends breaks our promise; a target that ends
// under load is the target's own failure, the blackest of all.
func (t trial) checkExits() Finding {
	f := promise("no process ends during the load", "")
	if len(t.load) == 0 {
		return f
	}
	from, to := t.loadTime()
	for _, e := range t.rec.Events {
		if e.Kind == results.EventExit && e.At >= from && e.At < to && !e.Asked {
			f = broken(f, fmt.Sprintf("the process %s ended %v into the run: %s", e.On, e.At.Round(time.Millisecond), e.Text),
				"look at its log in the run folder: what ended it?")
			if results.IsTarget(e.On) {
				f.Verdict = Fail
			}
			return f
		}
	}
	return f
}

// loadTime is from the first phase to the end of the load.
func (t trial) loadTime() (from, to time.Duration) {
	from, to = t.load[0].Due, t.load[len(t.load)-1].Due+1
	for _, w := range t.windows {
		if w.Happened {
			from, to = min(from, w.Began), max(to, w.Ended)
		}
	}
	return from, to
}
