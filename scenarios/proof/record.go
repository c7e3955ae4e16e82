package proof

import (
	"time"

	"brownout/results/judge"
)

// A Record is what became of one run. Records are never changed.
type Record struct {
	Job      string   `json:"job"` // which run of the proof it was; of two with the same the later counts
	Scenario string   `json:"scenario"`
	Set      []string `json:"set,omitempty"`

	Verdict judge.Verdict `json:"verdict"`
	Why     string        `json:"why"`
	// Checks is the worst verdict on the run itself: fail says that the target ended by
	// itself, invalid that the harness broke a promise.
	Checks judge.Verdict `json:"checks"`
	// Findings are the verdicts on the expectations: "outage p99" → fail.
	Findings map[string]judge.Verdict `json:"findings"`
	Measured map[string]string        `json:"measured,omitempty"` // the same, as "3.4s > 150ms"
	// Pretended is the verdict on the run itself when the judge is told that the faults
	// of the scenario were in force; only of a twin without them.
	Pretended *judge.Verdict `json:"pretended,omitempty"`

	Attempts int           `json:"attempts"` // runs that were made, the invalid ones before it among them
	Began    time.Time     `json:"began"`
	Took     time.Duration `json:"took"`             // all attempts, in nanoseconds
	Folder   string        `json:"folder,omitempty"` // of the run, if it was kept
}

// An Outcome is a run, judged.
type Outcome struct {
	Folder    string
	Judgment  judge.Judgment
	Pretended *judge.Judgment // see Arm.Pretend
}

// note makes the record of an outcome.
func (o Outcome) note(r Record) Record {
	j := o.Judgment
	r.Folder, r.Verdict, r.Why = o.Folder, j.Verdict, j.Why
	r.Checks = worst(j.Checks)
	r.Findings, r.Measured = map[string]judge.Verdict{}, map[string]string{}
	for _, f := range j.Findings {
		key := name(f.Phase, f.Figure)
		r.Findings[key] = f.Verdict
		if f.Verdict != judge.Pass || f.Measured != "" {
			r.Measured[key] = f.Short()
		}
	}
	if o.Pretended != nil {
		v := worst(o.Pretended.Checks)
		r.Pretended = &v
	}
	return r
}

// worst is the worst verdict among checks: what the target did, before what the
// harness did. Without any nothing is known.
func worst(checks []judge.Finding) judge.Verdict {
	var all []judge.Verdict
	for _, f := range checks {
		all = append(all, f.Verdict)
	}
	return judge.Worst(all...)
}

// missed lists the expectations that were missed.
func (r Record) missed() []string {
	var list []string
	for named, v := range r.Findings {
		if v == judge.Fail {
			list = append(list, named)
		}
	}
	return sorted(list)
}
