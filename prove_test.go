package main

import (
	"slices"
	"strings"
	"testing"

	"brownout/results/judge"
	"brownout/scenarios/proof"
	"brownout/server/defect"

	"github.com/google/go-cmp/cmp"
)

// A defect that nothing has to find proves nothing, and a row without its defect
// cannot be run.
func TestEveryDefectStandsInTheProofOnce(t *testing.T) {
	var built, listed []string
	for _, d := range defect.All() {
		built = append(built, d.Name)
	}
	for _, c := range proof.Cases() {
		listed = append(listed, c.Defect)
	}
	slices.Sort(built)
	slices.Sort(listed)
	if diff := cmp.Diff(built, listed); diff != "" {
		t.Errorf("defects (-built, +in the table of the proof):\n%s", diff)
	}
	if got := len(proof.Runnable(proof.Cases())); got < 30 {
		t.Errorf("%d defects can be run, want 30 or more", got)
	}
}

// A figure that nothing broken was ever seen to miss may be one that cannot be missed.
func TestEveryKindOfFigureFindsSomethingBroken(t *testing.T) {
	found := map[string]bool{
		"p9999": true, // p999 with another number; it takes 100,000 hits
	}
	note := func(named string) { // "outage p99{source=hit}"
		_, figure, _ := strings.Cut(named, " ")
		kind, _, _ := strings.Cut(figure, "{")
		found[kind] = true
	}
	for _, c := range slices.Concat(proof.Cases(), proof.Figures()) {
		note(c.CaughtBy)
	}
	for _, b := range slices.Concat(brokenTargets(), brokenForServers(), brokenForFailovers()) {
		for _, named := range b.missed {
			note(named)
		}
	}
	for _, r := range redials() {
		for _, named := range r.missed {
			note(named)
		}
	}
	for _, kind := range judge.Kinds() {
		if !found[kind.Name] {
			t.Errorf("no test breaks a target for %s to find", kind.Name)
		}
	}
}

func TestWhatAProofIsMadeOf(t *testing.T) {
	for _, row := range []struct {
		name         string
		o            proveOptions
		args         []string
		cases, twins int
		wrong        string
	}{
		{"all defects", proveOptions{}, nil, len(proof.Cases()), 0, ""},
		{"one of them", proveOptions{}, []string{"no-timeout"}, 1, 0, ""},
		{"all twins, too", proveOptions{twins: true}, []string{"no-timeout"}, 1, len(proof.Twins()), ""},
		{"a twin alone", proveOptions{twin: []string{"cache-slow"}}, nil, 0, 1, ""},
		{"a twin and a defect", proveOptions{twin: []string{"cache-slow"}}, []string{"no-timeout"}, 1, 1, ""},
		{"a twin that there is not", proveOptions{twin: []string{"cache-slov"}}, nil, 0, 0, "did you mean cache-slow?"},
	} {
		plan, err := row.o.plan(row.args)
		if row.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), row.wrong) {
				t.Errorf("%s: plan gives the error %v, want %q in it", row.name, err, row.wrong)
			}
			continue
		}
		if err != nil || len(plan.Cases) != row.cases || len(plan.Twins) != row.twins {
			t.Errorf("%s: plan has %d defects and %d twins, %v, want %d and %d", row.name, len(plan.Cases), len(plan.Twins), err, row.cases, row.twins)
		}
	}
}
