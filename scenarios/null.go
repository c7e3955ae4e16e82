package scenarios

import "slices"

// WithoutFaults is the scenario with nothing broken: no fault, no failover, no cold
// start under faults. All else, what it expects among it, stays. s stays as it is.
func (s *Scenario) WithoutFaults() *Scenario {
	twin := *s
	twin.Cold = false
	twin.Phases = slices.Clone(s.Phases)
	for i := range twin.Phases {
		twin.Phases[i].Faults, twin.Phases[i].Failover = nil, nil
	}
	return &twin
}

// Injured reports whether the scenario breaks anything.
func (s *Scenario) Injured() bool {
	return slices.ContainsFunc(s.Phases, func(p Phase) bool { return len(p.Faults) > 0 || p.Failover != nil })
}
