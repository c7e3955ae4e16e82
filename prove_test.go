package main

import (
	"slices"
	"testing"

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
