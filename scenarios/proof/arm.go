package proof

import (
	"embed"
	"fmt"
	"slices"

	"brownout/results"
	"brownout/results/judge"
	"brownout/scenarios"
)

//go:embed scenarios/*.yaml targets/*.yaml
var own embed.FS

// defectSetting is the setting of a target that names a defect.
const defectSetting = "defect"

// arm finds a scenario and its target. defect may be "".
func arm(name string, set []string, defect string) (Arm, error) {
	var overrides []scenarios.Override
	for _, text := range set {
		o, err := scenarios.ParseOverride(text)
		if err != nil {
			return Arm{}, err
		}
		overrides = append(overrides, o)
	}
	s, err := find(name, overrides)
	if err != nil {
		return Arm{}, err
	}
	if defect != "" {
		s.Server = with(s.Server, defectSetting, defect)
	}
	t, err := findTarget(s.Target)
	if err != nil {
		return Arm{}, err
	}
	return Arm{Scenario: s, Target: t}, t.Check(s)
}

func with(settings map[string]string, name, value string) map[string]string {
	all := map[string]string{name: value}
	for n, v := range settings {
		all[n] = v
	}
	return all
}

// find looks among the scenarios of this package first.
func find(name string, overrides []scenarios.Override) (*scenarios.Scenario, error) {
	file := "scenarios/" + name + ".yaml"
	if data, err := own.ReadFile(file); err == nil {
		return scenarios.Parse("scenarios/proof/"+file, data, overrides...)
	}
	return scenarios.Find(name, overrides...)
}

func findTarget(name string) (*scenarios.Target, error) {
	file := "targets/" + name + ".yaml"
	if data, err := own.ReadFile(file); err == nil {
		return scenarios.ParseTarget("scenarios/proof/"+file, data)
	}
	return scenarios.FindTarget(name)
}

// broken is the arm with the defect, clean the one without.
func (c Case) broken() (Arm, error) { return c.arm(c.Defect) }

func (c Case) clean() (Arm, error) { return c.arm("") }

func (c Case) arm(defect string) (Arm, error) {
	a, err := arm(c.Scenario, c.Set, defect)
	if err == nil {
		err = expects(a.Scenario, c.CaughtBy)
	}
	if err != nil {
		return Arm{}, fmt.Errorf("planning the defect %s: %w", c.Defect, err)
	}
	return a, nil
}

// injured is the arm with the fault, null the one without.
func (t Twin) injured() (Arm, error) {
	a, err := arm(t.Scenario, t.Set, "")
	if err == nil {
		err = expects(a.Scenario, t.Flips)
	}
	if err == nil && !a.Scenario.Injured() {
		err = fmt.Errorf("%s has no fault", t.Scenario)
	}
	if err != nil {
		return Arm{}, fmt.Errorf("planning the twins of %s: %w", t.Scenario, err)
	}
	return a, nil
}

func (t Twin) null() (Arm, error) {
	a, err := t.injured()
	if err != nil {
		return Arm{}, err
	}
	a.Pretend = a.Scenario
	a.Scenario = a.Scenario.WithoutFaults()
	return a, nil
}

// expects returns an error when s has no such expectation: then nothing could be
// missed.
func expects(s *scenarios.Scenario, named string) error {
	var all []string
	for _, p := range s.Phases {
		for _, e := range slices.Concat(p.Expect, p.Require) {
			all = append(all, called(p.Name, e))
		}
	}
	for _, e := range s.Always {
		all = append(all, called("", e))
	}
	if !slices.Contains(all, named) {
		return fmt.Errorf("%s has no expectation %q; it has %q", s.Name, named, all)
	}
	return nil
}

// called names an expectation.
func called(phase string, e results.Expectation) string { return name(phase, judge.FigureName(e)) }

// name names a finding or an expectation: "outage p99", "run staleness".
func name(phase, figure string) string {
	if phase == "" {
		phase = "run"
	}
	return phase + " " + figure
}
