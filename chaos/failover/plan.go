// Package failover holds timetables of what a managed Redis does in a failover,
// and carries them out.
//
// The one idea: a plan is a list of steps, each at a time that was published or
// observed and that can be changed. Only what is done here is held to the
// timetable; what servers make of it (elections, synchronisation) takes as long as
// it takes, and is written down.
package failover

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Parameter is a time of a plan.
type Parameter struct {
	Name    string
	Default time.Duration
	Doc     string // what happens then
	Source  string // where the figure was published, or that it is assumed
}

// A Step is one thing that a plan does.
type Step struct {
	At   time.Duration // after the plan began
	Name string        // one word: "promote"
	Text string        // what is told when it has happened, in ElastiCache's words where it has some; see Site for {old} and {new}; {after} is the time since the plan began
	Do   func(ctx context.Context, s Site) error

	// Outcome marks a step that waits for what servers do by themselves. How long that
	// takes is found out and not asked for: it is never late, and steps that were due
	// meanwhile are due when it has ended.
	Outcome bool
}

// A Plan is a timetable.
type Plan struct {
	Name       string
	Doc        string
	Needs      []string // topologies of chaos/stack that it can be carried out on
	Heals      string   // the step after which clients can go on
	Parameters []Parameter
	steps      func(at Times) []Step
}

// Times are the times of a plan, by parameter.
type Times map[string]time.Duration

// Times returns the plan's times with those of changed in their place. Unknown
// names and times below 0 are errors.
func (p Plan) Times(changed Times) (Times, error) {
	times := Times{}
	for _, param := range p.Parameters {
		times[param.Name] = param.Default
	}
	for name, at := range changed {
		if _, ok := times[name]; !ok {
			return nil, fmt.Errorf("%s has no time %q; it has %s", p.Name, name, strings.Join(p.names(), ", "))
		}
		if at < 0 {
			return nil, fmt.Errorf("%s: %s must be 0 or more, for example 5s", p.Name, name)
		}
		times[name] = at
	}
	return times, nil
}

func (p Plan) names() []string {
	var names []string
	for _, param := range p.Parameters {
		names = append(names, param.Name)
	}
	return names
}

// Steps returns the timetable in the order of time. Times are multiplied by scale:
// it shortens what is waited for here, and nothing of what clients and servers wait
// for.
func (p Plan) Steps(times Times, scale float64) []Step {
	steps := p.steps(times)
	for i := range steps {
		steps[i].At = time.Duration(float64(steps[i].At) * scale)
		steps[i].Do = p.fits(steps[i].Do)
	}
	slices.SortStableFunc(steps, func(a, b Step) int { return int(a.At - b.At) })
	return steps
}

// Unscaled names timers of clients that a scale does not change, to be said with
// every run that has one.
const Unscaled = "the kernel's SYN retries (1 s, 2 s, 4 s), clients' dial timeouts, back-off and breaker probes"
