package proof

import (
	"context"
	"fmt"
	"slices"
	"time"

	"brownout/results/judge"
)

// A Plan says what is to be proven.
type Plan struct {
	Cases   []Case
	Figures []Case // more expectations that have to be missed; see Figures
	Twins   []Twin
	Alarms  []string // scenarios that the clean server is repeated in
	Repeats int
	// Undecided is how many of all repeats together may say nothing: who runs scenarios
	// to be told something wants to be told it.
	Undecided int
}

// A Prover carries out a plan.
type Prover struct {
	Plan    Plan
	Journal *Journal // required; what it has is not done again
	// Run runs an arm and judges it. Its error says that there is no run to judge.
	Run func(context.Context, Arm) (Outcome, error) // required
	// Again is how many times an invalid run is repeated: it says nothing of the target.
	Again int
	// Rest lets the machine rest after so many runs in a row that said nothing. Its error
	// is that of its context. Default: there is none.
	Rest func(ctx context.Context, invalid int) error
	// Say is told of each record. Default: nobody.
	Say func(done, all int, r Record)

	invalid int // runs in a row that said nothing
}

// Check plans every run without making one.
func (p Plan) Check() error {
	for _, j := range p.jobs() {
		if _, err := j.arm(); err != nil {
			return err
		}
	}
	for _, f := range p.Figures { // their runs may be those of cases, in which other expectations are named
		if _, err := f.broken(); err != nil {
			return err
		}
	}
	return nil
}

// Prove makes the runs that the journal does not have, and those again that it has as
// invalid: they say nothing. When ctx ends it returns its
// error; what was done until then is in the journal.
func (p *Prover) Prove(ctx context.Context) error {
	jobs := p.Plan.jobs()
	for i, j := range jobs {
		old, done := p.Journal.find(j.name)
		if done && (j.once || j.says(old)) {
			continue
		}
		r, err := p.do(ctx, j, old.Attempts)
		if err != nil {
			return err
		}
		if err := p.Journal.Append(r); err != nil {
			return err
		}
		if p.Say != nil {
			p.Say(i+1, len(jobs), r)
		}
	}
	return nil
}

// do does a job, and again as long as the run is invalid. There have been attempts
// before.
func (p *Prover) do(ctx context.Context, j job, before int) (Record, error) {
	a, err := j.arm()
	if err != nil {
		return Record{}, err
	}
	r := Record{Job: j.name, Scenario: j.scenario, Set: j.set, Began: time.Now().UTC(), Attempts: before}
	for {
		r.Attempts++
		o, err := p.run(ctx, a)
		if err != nil {
			return Record{}, fmt.Errorf("running %s: %w", j.name, err)
		}
		r = o.note(r)
		r.Took = time.Since(r.Began)
		if j.says(r) {
			p.invalid = 0
			return r, nil
		}
		if p.invalid++; j.once || r.Attempts-before > p.Again {
			return r, nil
		}
	}
}

// run makes one run, when the machine has had its rest. Its error is that of ctx.
func (p *Prover) run(ctx context.Context, a Arm) (Outcome, error) {
	if p.Rest != nil && p.invalid > 0 {
		if err := p.Rest(ctx, p.invalid); err != nil {
			return Outcome{}, err
		}
	}
	o, err := p.Run(ctx, a)
	if err != nil { // nothing to judge is an invalid run, and no reason to give up the others
		o = Outcome{Judgment: judge.Judgment{Verdict: judge.Invalid, Why: err.Error(), Checks: []judge.Finding{{Verdict: judge.Invalid}}}}
	}
	return o, ctx.Err()
}

// Choose returns the cases with these names, or all that are fast, or all.
func Choose(all []Case, names []string, fast bool) ([]Case, error) {
	if len(names) == 0 {
		return slices.DeleteFunc(slices.Clone(all), func(c Case) bool { return fast && !c.Fast }), nil
	}
	var chosen []Case
	for _, name := range names {
		i := slices.IndexFunc(all, func(c Case) bool { return c.Defect == name })
		if i < 0 {
			var known []string
			for _, c := range all {
				known = append(known, c.Defect)
			}
			return nil, fmt.Errorf("there is no defect %q; %sthere are %v", name, hint(name, known), sorted(known))
		}
		if all[i].Lacks != "" {
			return nil, fmt.Errorf("the defect %s cannot be found yet: it takes %s", name, all[i].Lacks)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// ChooseTwins returns the twins of these scenarios.
func ChooseTwins(all []Twin, names []string) ([]Twin, error) {
	var chosen []Twin
	for _, name := range names {
		i := slices.IndexFunc(all, func(t Twin) bool { return t.Scenario == name })
		if i < 0 {
			var known []string
			for _, t := range all {
				known = append(known, t.Scenario)
			}
			return nil, fmt.Errorf("%q has no twin; %sthere are those of %v", name, hint(name, known), sorted(known))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

func hint(name string, known []string) string {
	if near := judge.Nearest(name, known); near != "" {
		return fmt.Sprintf("did you mean %s? ", near)
	}
	return ""
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }
