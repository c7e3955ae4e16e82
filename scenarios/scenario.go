// Package scenarios holds the file formats of scenarios and targets, and the
// catalogue that is embedded in the binary.
//
// A scenario is a list of phases; a phase is load, faults and expectations. A
// target says how the system under test is started, read and written. Both are
// YAML, read strictly: whatever is wrong is named with file, line, column and
// what would be right. Nothing is run here; that is scenarios/run.
package scenarios

import (
	"slices"
	"time"

	"brownout/chaos"
	"brownout/loadtest"
	"brownout/results"
)

// A Scenario is what is to happen to a target, and what must hold meanwhile.
type Scenario struct {
	Name   string
	Proves string   // the claim, in one sentence
	Tags   []string // for choosing: "bench", …
	Stack  Stack
	Target string // name or file of the target; default "brownout"
	// Instances is how many of the target are started; hits go to each in turn.
	Instances int
	// Cold: the first phase's faults are in force before the target is started.
	Cold   bool
	Server map[string]string // settings of the target, by the names of its file
	Data   Data
	Load   Load // default of every phase
	Phases []Phase
	Always []results.Expectation // of the whole run

	File   string // where it was read from
	Source []byte // the file as read
}

// Stack says which dependencies a scenario needs.
type Stack struct {
	Cache    string // one of Caches
	Engine   string // what runs in a topology of several servers: "redis" or "valkey"
	Replicas int    // of a replicated cache
	TLS      bool   // clients of the cache must speak TLS
	Password bool   // and give a password
	ACL      bool   // and may not do what ElastiCache forbids
	DNS      bool   // endpoints are names of a DNS server, not addresses
	Database string // "postgres" or "none"
}

// Data says what the target is filled with before the load.
type Data struct {
	Environments int
	Flags        int // per environment
}

// Load is what is asked of the target.
type Load struct {
	Rate    Rate
	Keys    string  // "zipf" or "uniform"
	Reads   float64 // share from 0 to 1; the rest are writes
	Skips   bool    // after a stall of the generator it leaves out what is too late, instead of catching up
	Timeout time.Duration
}

// A Rate is in requests per second; a ramp when its ends differ.
type Rate struct{ From, To float64 }

// A Phase is a named stretch of a scenario.
type Phase struct {
	Name   string
	For    time.Duration
	Rate   Rate
	Faults []chaos.Fault
	// Failover begins with the phase; nil: none.
	Failover *Failover
	Require  []results.Expectation // bounds that the run itself must keep: a miss is invalid
	Expect   []results.Expectation // bounds on the target: a miss is a fail
}

// Duration is the time that the load takes.
func (s *Scenario) Duration() time.Duration {
	var sum time.Duration
	for _, p := range s.Phases {
		sum += p.For
	}
	return sum
}

// Bounds reports whether the scenario bounds a figure somewhere.
func (s *Scenario) Bounds(figure string) bool {
	is := func(e results.Expectation) bool { return e.Figure == figure }
	for _, p := range s.Phases {
		if slices.ContainsFunc(p.Require, is) || slices.ContainsFunc(p.Expect, is) {
			return true
		}
	}
	return slices.ContainsFunc(s.Always, is)
}

// Schedule is the scenario's load as stages.
func (s *Scenario) Schedule() (loadtest.Schedule, error) {
	stages := make([]loadtest.Stage, len(s.Phases))
	for i, p := range s.Phases {
		stages[i] = loadtest.Stage{For: p.For, From: p.Rate.From, To: p.Rate.To}
	}
	return loadtest.NewSchedule(stages...)
}
