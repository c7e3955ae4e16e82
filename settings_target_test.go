package main

import (
	"maps"
	"slices"
	"testing"

	"brownout/scenarios"
	"brownout/server"
	"brownout/server/defect"

	"github.com/google/go-cmp/cmp"
)

// A scenario can set everything of the reference server, but for where things are and
// for its token, which would stand in the manifest of the run.
func TestTheTargetFileOfTheServerNamesItsSettings(t *testing.T) {
	target, err := scenarios.FindTarget("brownout")
	if err != nil {
		t.Fatal(err)
	}
	got := slices.Sorted(maps.Values(target.Settings))
	want := []string{defect.Variable}
	for _, s := range server.Settings() {
		if !slices.Contains([]string{"LISTEN_ADDR", "DATABASE_URL", "REDIS_URL", "ADMIN_TOKEN"}, s.Name) {
			want = append(want, s.Name)
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("targets/brownout.yaml (-settings of the server, +settings in the file):\n%s", diff)
	}
}
