package proof

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"

	"brownout/results"
	"brownout/results/judge"
	"brownout/results/report"
	"brownout/scenarios"
	"brownout/scenarios/run"
)

// A Runner makes runs.
type Runner struct {
	Results string // folder of run folders, required
	Self    string // path of the brownout binary, required
	// Status is told of the run that goes on. Default: nobody.
	Status func(run.Status)
	// KeepAll keeps the folders of runs that pass, too.
	KeepAll bool
}

// Run is Prover.Run.
func (r Runner) Run(ctx context.Context, a Arm) (Outcome, error) {
	folder, err := run.Run(ctx, run.Config{
		Scenario: a.Scenario, Target: a.Target, Results: r.Results, Seed: rand.Uint64()>>1 | 1, Self: r.Self, Status: r.Status,
	})
	if folder == "" {
		return Outcome{}, fmt.Errorf("running %s: %w", a.Scenario.Name, err)
	}
	// An error of the run is in the recording, and in the verdict.
	rec, err := results.Open(folder)
	if err != nil {
		return Outcome{}, fmt.Errorf("reading the recording: %w", err)
	}
	o := Outcome{Folder: folder, Judgment: judge.Judge(rec, judge.Standard())}
	if a.Pretend != nil {
		j := judge.Judge(pretend(rec, a.Pretend), judge.Standard())
		o.Pretended = &j
	}
	if o.Judgment.Verdict == judge.Pass && !r.KeepAll {
		o.Folder = ""
		return o, os.RemoveAll(folder)
	}
	return o, report.WriteVerdict(folder, o.Judgment)
}

// pretend is the recording with a manifest that says that the faults of s were
// planned.
func pretend(rec *results.Recording, s *scenarios.Scenario) *results.Recording {
	other := *rec
	other.Manifest.Phases = slices.Clone(rec.Manifest.Phases)
	for i, p := range s.Phases {
		for _, f := range p.Faults {
			other.Manifest.Phases[i].Faults = append(other.Manifest.Phases[i].Faults, f.String())
		}
		if p.Failover != nil {
			other.Manifest.Phases[i].Faults = append(other.Manifest.Phases[i].Faults, p.Failover.String())
		}
	}
	return &other
}
