package proof

import (
	"cmp"
	"slices"

	"brownout/results/judge"
)

// A Status is what became of a defect, or of a pair of twins.
type Status string

// What becomes of a defect.
const (
	Killed        Status = "killed"           // its named expectation was missed, and only with the defect
	KilledByOther Status = "killed by others" // only other expectations were missed
	Survived      Status = "survived"         // nothing was missed
	FalseAlarm    Status = "false alarm"      // the clean server misses the expectation, too
	Crashed       Status = "crashed"          // the target ended by itself, so that nothing was judged
	NotValid      Status = "invalid"          // the harness broke a promise
	Undecided     Status = "inconclusive"     // the expectation could not be judged
	NotRun        Status = "not run"          // the proof was broken off before
	Unfindable    Status = "not findable yet" // see Case.Lacks
)

// What becomes of twins, besides Crashed, NotValid, Undecided and NotRun.
const (
	Flipped    Status = "flipped"            // the expectation was kept with the fault and missed without it
	NotFlipped Status = "did not flip"       // it was not
	Seen       Status = "seen without fault" // the judge takes a fault for given that was not there
	NotMet     Status = "not met with fault" // the expectation was missed with the fault
)

// verdict is what a status is worth for the exit code.
func (s Status) verdict() judge.Verdict {
	switch s {
	case Killed, Flipped, Unfindable:
		return judge.Pass
	case NotValid:
		return judge.Invalid
	case Undecided, NotRun:
		return judge.Inconclusive
	}
	return judge.Fail
}

// A Kill is a row of the kill matrix.
type Kill struct {
	Defect   string   `json:"defect"`
	Scenario string   `json:"scenario,omitempty"`
	Set      []string `json:"set,omitempty"`
	Named    string   `json:"named,omitempty"` // the expectation that has to catch it
	Status   Status   `json:"status"`
	By       []string `json:"by,omitempty"`       // all expectations that were missed with the defect, and kept without it
	Measured string   `json:"measured,omitempty"` // of Named, with the defect
	Clean    string   `json:"clean,omitempty"`    // and without it
	Why      string   `json:"why,omitempty"`      // of a status that is not Killed
}

// A Flip is what became of a pair of twins.
type Flip struct {
	Scenario string   `json:"scenario"`
	Set      []string `json:"set,omitempty"`
	Named    string   `json:"named"`
	Status   Status   `json:"status"`
	With     string   `json:"with,omitempty"`    // Named, measured with the fault
	Without  string   `json:"without,omitempty"` // and without it
	Why      string   `json:"why,omitempty"`
}

// An Alarm says how the clean server fared in a scenario.
type Alarm struct {
	Scenario     string   `json:"scenario"`
	Repeats      int      `json:"repeats"`
	Pass         int      `json:"pass"`
	Fail         int      `json:"fail"`
	Inconclusive int      `json:"inconclusive"`
	Invalid      int      `json:"invalid"`
	Why          []string `json:"why,omitempty"` // of those that are no pass
}

// A Proof is what the records of a plan show.
type Proof struct {
	Origin  Origin        `json:"origin"`
	Verdict judge.Verdict `json:"verdict"`
	Kills   []Kill        `json:"kills"`
	Figures []Kill        `json:"figures,omitempty"`
	Flips   []Flip        `json:"flips,omitempty"`
	Alarms  []Alarm       `json:"alarms,omitempty"`
	// Undecided is how many of the repeats may say nothing.
	Undecided int `json:"undecided_allowed"`
}

// Assess says what the journal shows of a plan.
func (p Plan) Assess(j *Journal) Proof {
	proof := Proof{Origin: j.Origin}
	var all []judge.Verdict
	for _, c := range p.Cases {
		k := c.assess(j)
		proof.Kills, all = append(proof.Kills, k), append(all, k.Status.verdict())
	}
	for _, c := range p.Figures {
		k := c.assess(j)
		proof.Figures, all = append(proof.Figures, k), append(all, k.Status.verdict())
	}
	for _, t := range p.Twins {
		f := t.assess(j)
		proof.Flips, all = append(proof.Flips, f), append(all, f.Status.verdict())
	}
	if p.Repeats > 0 {
		for _, scenario := range p.Alarms {
			proof.Alarms = append(proof.Alarms, assessAlarm(j, scenario, p.Repeats))
		}
		proof.Undecided, all = p.Undecided, append(all, p.weigh(proof.Alarms))
	}
	proof.Verdict = judge.Worst(all...)
	return proof
}

// weigh says what the repeats are worth together.
func (p Plan) weigh(alarms []Alarm) judge.Verdict {
	var sum Alarm
	for _, a := range alarms {
		sum.Repeats, sum.Fail = sum.Repeats+a.Repeats, sum.Fail+a.Fail
		sum.Inconclusive, sum.Invalid = sum.Inconclusive+a.Inconclusive, sum.Invalid+a.Invalid
	}
	switch {
	case sum.Fail > 0:
		return judge.Fail
	case sum.Repeats < p.Repeats*len(alarms), sum.undecided() > p.Undecided:
		return judge.Inconclusive
	}
	return judge.Pass
}

// state says what keeps a record from being looked at, or "".
func state(j *Journal, of job) (Record, Status) {
	r, done := j.find(of.name)
	switch {
	case !done:
		return r, NotRun
	case r.Checks == judge.Fail:
		return r, Crashed
	case !of.says(r):
		return r, NotValid
	case r.Checks != judge.Pass:
		return r, Undecided
	}
	return r, ""
}

func (c Case) assess(j *Journal) Kill {
	k := Kill{Defect: c.Defect, Scenario: c.Scenario, Set: c.Set, Named: c.CaughtBy}
	if c.Lacks != "" {
		k.Status, k.Why = Unfindable, c.Lacks
		return k
	}
	brokenJob, cleanJob := c.jobs()
	broken, problem := state(j, brokenJob)
	if problem != "" {
		k.Status, k.Why = problem, broken.Why
		return k
	}
	clean, problem := state(j, cleanJob)
	if problem != "" {
		k.Status, k.Why = problem, "the clean server: "+clean.Why
		return k
	}
	for _, named := range broken.missed() {
		if clean.Findings[named] != judge.Fail {
			k.By = append(k.By, named)
		}
	}
	k.Measured, k.Clean = broken.Measured[c.CaughtBy], clean.Measured[c.CaughtBy]
	k.Status, k.Why = kill(broken, clean, c.CaughtBy, k.By)
	return k
}

// kill compares two runs that both say something.
func kill(broken, clean Record, named string, by []string) (Status, string) {
	switch {
	case clean.Findings[named] == judge.Fail:
		return FalseAlarm, "the clean server misses it, too: " + clean.Measured[named]
	case clean.Findings[named] != judge.Pass:
		return Undecided, "of the clean server: " + cmp.Or(clean.Measured[named], "it was not judged")
	case broken.Findings[named] == judge.Fail:
		return Killed, ""
	case len(by) > 0:
		return KilledByOther, "kept: " + broken.Measured[named]
	case broken.Findings[named] == judge.Pass:
		return Survived, "kept: " + broken.Measured[named]
	}
	return Undecided, cmp.Or(broken.Measured[named], "it was not judged")
}

func (t Twin) assess(j *Journal) Flip {
	f := Flip{Scenario: t.Scenario, Set: t.Set, Named: t.Flips}
	injuredJob, nullJob := t.jobs()
	injured, problem := state(j, injuredJob)
	if problem != "" {
		f.Status, f.Why = problem, "with the fault: "+injured.Why
		return f
	}
	null, problem := state(j, nullJob)
	if problem != "" {
		f.Status, f.Why = problem, "without the fault: "+null.Why
		return f
	}
	f.With, f.Without = injured.Measured[t.Flips], null.Measured[t.Flips]
	f.Status = flip(injured, null, t.Flips)
	return f
}

// flip compares a run with the fault and one without.
func flip(injured, null Record, named string) Status {
	// What a scenario requires of its run is invalid where an expectation would fail.
	missed := []judge.Verdict{judge.Fail, judge.Invalid}
	switch {
	case slices.Contains(missed, injured.Findings[named]):
		return NotMet
	case injured.Findings[named] != judge.Pass || null.Pretended == nil:
		return Undecided
	case *null.Pretended != judge.Invalid:
		return Seen
	case slices.Contains(missed, null.Findings[named]):
		return Flipped
	case null.Findings[named] == judge.Pass:
		return NotFlipped
	}
	return Undecided
}

func assessAlarm(j *Journal, scenario string, repeats int) Alarm {
	a := Alarm{Scenario: scenario}
	for n := 1; n <= repeats; n++ {
		r, done := j.find(alarm(scenario, n).name)
		if !done {
			continue
		}
		a.Repeats++
		switch r.Verdict {
		case judge.Pass:
			a.Pass++
			continue
		case judge.Fail:
			a.Fail++
		case judge.Invalid:
			a.Invalid++
		default:
			a.Inconclusive++
		}
		a.Why = append(a.Why, r.Verdict.String()+": "+r.Why)
	}
	return a
}

// undecided counts the runs that say nothing.
func (a Alarm) undecided() int { return a.Inconclusive + a.Invalid }
