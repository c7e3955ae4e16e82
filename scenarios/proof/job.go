package proof

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"brownout/results/judge"
)

// A job is one run of a proof.
type job struct {
	name     string
	scenario string
	set      []string
	arm      func() (Arm, error)
	// once: an invalid run is a result, too, and not repeated.
	once bool
	// null: what the scenario requires of the run need not hold without its fault.
	null bool
}

// says reports whether the run of r says anything of the target.
func (j job) says(r Record) bool {
	return r.Checks != judge.Invalid && (j.null || r.Verdict != judge.Invalid)
}

// jobID names a job. The same scenario with the same Set is the same run: clean
// servers of several cases share one.
func jobID(what, scenario string, set []string) string {
	h := fnv.New32a()
	fmt.Fprint(h, strings.Join(set, "\n"))
	return fmt.Sprintf("%s %s %08x", what, scenario, h.Sum32())
}

func (c Case) jobs() (broken, clean job) {
	return job{jobID("defect "+c.Defect, c.Scenario, c.Set), c.Scenario, c.Set, c.broken, false, false},
		job{jobID("clean", c.Scenario, c.Set), c.Scenario, c.Set, c.clean, false, false}
}

func (t Twin) jobs() (injured, null job) {
	return job{jobID("clean", t.Scenario, t.Set), t.Scenario, t.Set, t.injured, false, false},
		job{jobID("null", t.Scenario, t.Set), t.Scenario, t.Set, t.null, false, true}
}

// alarm is repeat n, from 1, of the clean server in a scenario as it is.
func alarm(scenario string, n int) job {
	return job{fmt.Sprintf("alarm %s %d", scenario, n), scenario, nil, func() (Arm, error) { return arm(scenario, nil, "") }, true, false}
}

// jobs are all runs of a proof, in order, none twice. Repeats are interleaved: what
// the machine does meanwhile hits all scenarios alike.
func (p Plan) jobs() []job {
	var all []job
	add := func(more ...job) {
		for _, j := range more {
			if !slices.ContainsFunc(all, func(other job) bool { return other.name == j.name }) {
				all = append(all, j)
			}
		}
	}
	for _, c := range Runnable(slices.Concat(p.Cases, p.Figures)) {
		add(c.jobs())
	}
	for _, t := range p.Twins {
		add(t.jobs())
	}
	for n := 1; n <= p.Repeats; n++ {
		for _, scenario := range p.Alarms {
			add(alarm(scenario, n))
		}
	}
	return all
}
