// Package proof turns the harness on itself: does it find what is wrong, and only
// that?
//
// Three questions, each answered by runs:
//
//   - Known defects. A server that is broken on purpose runs against the one scenario
//     that has to find it, and the clean server against the same. A defect is killed
//     when its named expectation is missed with it and kept without it. What the run
//     cannot say (it was invalid, or the server crashed) is no kill.
//   - Null twins. A scenario runs without its fault. Then what it expects of the
//     fault's effect must be missed, and the judge must say that the fault never bit.
//   - False alarms. The clean server runs again and again: how often does a scenario
//     fail, or say nothing?
//
// The one idea: a proof is assessed from a journal with a record for each run, so it
// can be broken off and resumed, and assessing is a pure function.
//
// What is not done here: defects are not known here, only their names. A target that
// is broken is a target like any other.
package proof

import (
	"slices"

	"brownout/scenarios"
)

// A Case is a defect and what has to find it.
type Case struct {
	Defect   string   // as brownout serve --defect has it
	Scenario string   // of the catalogue, or of this package
	Set      []string // path=value: what shortens the scenario, or makes it ask more; also for the clean server
	// CaughtBy is the expectation that must be missed, as phase and figure: "outage p99",
	// or "run staleness" for the whole run.
	CaughtBy string
	Fast     bool // in the set that is run for every change
	// Lacks is what the judge lacks to find the defect. There is no Scenario then.
	Lacks string
}

// A Twin is a scenario that is run with its fault and without it.
type Twin struct {
	Scenario string
	Set      []string
	Flips    string // the expectation on the fault's effect, as in Case
}

// Runnable are the cases that can be run.
func Runnable(cases []Case) []Case {
	return slices.DeleteFunc(slices.Clone(cases), func(c Case) bool { return c.Lacks != "" })
}

// An Arm is one run to be made.
type Arm struct {
	Scenario *scenarios.Scenario
	Target   *scenarios.Target
	// Pretend is the scenario whose faults the judge is told to look for in the
	// recording, in a second judgement; nil: none.
	Pretend *scenarios.Scenario
}
