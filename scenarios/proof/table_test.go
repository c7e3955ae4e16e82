package proof

import (
	"slices"
	"strings"
	"testing"

	"brownout/scenarios"
)

func TestEveryRunOfTheTablesCanBePlanned(t *testing.T) {
	for _, c := range Cases() {
		switch {
		case (c.Lacks == "") == (c.Scenario == ""):
			t.Errorf("%s has scenario %q and lacks %q, want one of the two", c.Defect, c.Scenario, c.Lacks)
		case c.Lacks != "" && (c.CaughtBy != "" || c.Fast || c.Set != nil):
			t.Errorf("%s cannot be run, and yet there is more about it: %+v", c.Defect, c)
		}
	}
	if err := (Plan{Cases: Cases(), Figures: Figures(), Twins: Twins(), Alarms: []string{"steady"}, Repeats: 2}).Check(); err != nil {
		t.Error(err)
	}
}

func TestTheFastCasesAreAFewThatCanBeRun(t *testing.T) {
	fast, err := Choose(Cases(), nil, true)
	if err != nil || len(fast) < 4 || len(fast) > 6 || len(Runnable(fast)) != len(fast) {
		t.Errorf("Choose(fast) = %v, %v; want about five that can be run", fast, err)
	}
}

func TestFiguresAreThoseOfTheChosenDefects(t *testing.T) {
	var got []string
	for _, f := range FiguresOf([]Case{{Defect: "fallback-500"}, {Defect: "no-jitter"}, {Defect: "no-backoff"}}) {
		got = append(got, f.CaughtBy)
	}
	if want := []string{"outage goodput", "outage connects_peak{link=cache}", "outage probe_rate{link=cache}"}; !slices.Equal(got, want) {
		t.Errorf("FiguresOf = %q, want %q", got, want)
	}
}

func TestADefectIsSetForItsTargetOnly(t *testing.T) {
	c := Case{Defect: "no-timeout", Scenario: "steady", CaughtBy: "run wrong_answers"}
	broken, err1 := c.broken()
	clean, err2 := c.clean()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if got := broken.Scenario.Server["defect"]; got != "no-timeout" {
		t.Errorf("the broken server's setting defect = %q, want no-timeout", got)
	}
	if got, set := clean.Scenario.Server["defect"]; set {
		t.Errorf("the clean server's setting defect = %q, want none", got)
	}
	env, err := broken.Target.Environ(broken.Scenario.Server, nil)
	if err != nil || env["BROWNOUT_DEFECT"] != "no-timeout" {
		t.Errorf("the broken server's environment = %v, %v, want BROWNOUT_DEFECT=no-timeout", env, err)
	}
}

func TestEveryScenarioThatInjuresHasATwin(t *testing.T) {
	without := []string{"elasticache-test-failover-unscaled", "failover-lost-writes"} // see Twins
	catalog, err := scenarios.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range catalog {
		n := 0
		for _, twin := range Twins() {
			if twin.Scenario == s.Name {
				n++
			}
		}
		want := 0
		if s.Injured() && !slices.Contains(without, s.Name) {
			want = 1
		}
		if n != want {
			t.Errorf("%s has %d twins, want %d", s.Name, n, want)
		}
	}
}

func TestNullTwinsDifferInTheirFaultsOnly(t *testing.T) {
	for _, twin := range Twins() {
		with, err1 := twin.injured()
		without, err2 := twin.null()
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if !with.Scenario.Injured() || without.Scenario.Injured() {
			t.Errorf("%s: injured %t with, %t without; want true, false", twin.Scenario, with.Scenario.Injured(), without.Scenario.Injured())
		}
		if without.Pretend == nil || !without.Pretend.Injured() {
			t.Errorf("%s: the judge is not told of a fault", twin.Scenario)
		}
	}
}

func TestWhatCannotBePlannedIsSaid(t *testing.T) {
	for _, row := range []struct {
		name string
		plan Plan
		want string
	}{
		{"an expectation that the scenario does not have", Plan{Cases: []Case{{Defect: "d", Scenario: "steady", CaughtBy: "steady p95"}}}, `has no expectation "steady p95"`},
		{"a scenario that is not there", Plan{Cases: []Case{{Defect: "d", Scenario: "stedy", CaughtBy: "steady p99"}}}, "there is no scenario"},
		{"a value that is not there", Plan{Cases: []Case{{Defect: "d", Scenario: "steady", Set: []string{"phases.x.for=1s"}, CaughtBy: "steady p99"}}}, `there is no "x"`},
		{"twins without a fault", Plan{Twins: []Twin{{Scenario: "steady", Flips: "steady p99"}}}, "steady has no fault"},
		{"a target without defects", Plan{Cases: []Case{{Defect: "d", Scenario: "steady", Set: []string{"target=../../testdata/plain-target.yaml"}, CaughtBy: "steady p99"}}}, "has no settings"},
		{"a figure that its case does not have", Plan{
			Cases:   []Case{{Defect: "d", Scenario: "steady", CaughtBy: "steady p99"}},
			Figures: []Case{{Defect: "d", Scenario: "steady", CaughtBy: "steady p95"}},
		}, `has no expectation "steady p95"`},
		{"alarms of what is not there", Plan{Alarms: []string{"stedy"}, Repeats: 1}, "there is no scenario"},
	} {
		err := row.plan.Check()
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: Check() = %v, want %q in it", row.name, err, row.want)
		}
	}
}

func TestChoose(t *testing.T) {
	all := []Case{{Defect: "slow", Fast: true}, {Defect: "wrong"}, {Defect: "lazy", Lacks: "a figure of zeal"}}
	for _, row := range []struct {
		name  string
		names []string
		fast  bool
		want  []string
		wrong string
	}{
		{name: "all", want: []string{"slow", "wrong", "lazy"}},
		{name: "the fast ones", fast: true, want: []string{"slow"}},
		{name: "by name, in that order", names: []string{"wrong", "slow"}, want: []string{"wrong", "slow"}},
		{name: "one that is not there", names: []string{"wrongg"}, wrong: `there is no defect "wrongg"; did you mean wrong?`},
		{name: "one that cannot be run", names: []string{"lazy"}, wrong: "it takes a figure of zeal"},
	} {
		chosen, err := Choose(all, row.names, row.fast)
		var got []string
		for _, c := range chosen {
			got = append(got, c.Defect)
		}
		if row.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), row.wrong) {
				t.Errorf("%s: Choose = %v, want %q in it", row.name, err, row.wrong)
			}
		} else if err != nil || !slices.Equal(got, row.want) {
			t.Errorf("%s: Choose = %v, %v, want %v", row.name, got, err, row.want)
		}
	}
}

// A scenario of this package must not hide one of the catalogue.
func TestOwnScenariosHaveNamesOfTheirOwn(t *testing.T) {
	catalog, err := scenarios.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range catalog {
		if _, err := own.ReadFile("scenarios/" + s.Name + ".yaml"); err == nil {
			t.Errorf("%s is in the catalogue, and here", s.Name)
		}
	}
}
