package scenarios

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"brownout/chaos/failover"
)

// A Failover is a plan that a phase begins, and how it is changed. Its times are
// the plan's own, with Times in their place, all multiplied by Scale.
type Failover struct {
	Plan  failover.Plan
	Scale float64 // 1: as published
	Times failover.Times
}

// String says the failover as events and reports call it.
func (f Failover) String() string {
	words := []string{"failover", f.Plan.Name}
	if f.Scale != 1 {
		words = append(words, fmt.Sprintf("scale=%g", f.Scale))
	}
	for _, name := range slices.Sorted(maps.Keys(f.Times)) {
		words = append(words, fmt.Sprintf("%s=%v", name, f.Times[name]))
	}
	return strings.Join(words, " ")
}

// Steps is the timetable. The scenario was checked when it was read.
func (f Failover) Steps() []failover.Step {
	times, _ := f.Plan.Times(f.Times)
	return f.Plan.Steps(times, f.Scale)
}

// The keys of a failover beside the times of its plan.
const (
	keyPlan  = "plan"
	keyScale = "scale"
)

// buildFailover reads the failover of a phase that lasts as long as given.
func (raw *phaseFile) buildFailover(p *problems, s *Scenario, lasts time.Duration) *Failover {
	if len(raw.Failover) == 0 {
		return nil
	}
	name := raw.Failover[keyPlan]
	plan, ok := failover.Find(name.text)
	if !ok {
		at := raw.Name.at
		if name.given() {
			at = name.at
		}
		p.add(at, "failover needs a plan; there are %s", strings.Join(failover.Names(), ", "))
		return nil
	}
	if !slices.Contains(plan.Needs, s.Stack.Topology()) {
		p.add(name.at, "the plan %s needs a cache of kind %s", plan.Name, strings.Join(plan.Needs, " or "))
	}
	f := &Failover{Plan: plan, Scale: 1, Times: failover.Times{}}
	raw.failoverTimes(p, f)
	for _, step := range f.Steps() {
		if step.Name == plan.Heals && step.At >= lasts {
			p.add(name.at, "the phase is over after %v, before the failover's step %s at %v; make it longer, or scale the failover", lasts, step.Name, step.At)
		}
	}
	return f
}

// failoverTimes reads the scale and the times that are given.
func (raw *phaseFile) failoverTimes(p *problems, f *Failover) {
	for _, key := range slices.Sorted(maps.Keys(raw.Failover)) {
		value := raw.Failover[key]
		switch key {
		case keyPlan:
		case keyScale:
			scale, err := strconv.ParseFloat(value.text, 64)
			if err != nil || scale <= 0 || scale > 1 {
				p.add(value.at, "%q is not a scale; write a number above 0 and not above 1, for example 0.1", value.text)
				continue
			}
			f.Scale = scale
		default:
			at := p.duration(value, 0)
			if _, err := f.Plan.Times(failover.Times{key: at}); err != nil {
				p.add(value.at, "%v", err)
				continue
			}
			f.Times[key] = at
		}
	}
}

// checkFailovers holds that every step is taken while there is load, and that one
// failover is over before the next begins.
func (raw *scenarioFile) checkFailovers(p *problems, s *Scenario) {
	var at, busy time.Duration
	for i, phase := range s.Phases {
		if f := phase.Failover; f != nil {
			place := raw.Phases[i].Failover[keyPlan].at
			steps := f.Steps()
			last := steps[len(steps)-1]
			switch end := at + last.At; {
			case at < busy:
				p.add(place, "the failover before is not over yet when this one begins")
			case end >= s.Duration():
				p.add(place, "the failover's last step, %s, comes at %v, and the load ends %v after the failover began; make phases longer, or scale the failover", last.Name, last.At, s.Duration()-at)
			}
			busy = at + last.At
		}
		at += phase.For
	}
}
