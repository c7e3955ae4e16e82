// Package scenarios holds the file formats of scenarios and targets, and the
// catalogue that is embedded in the binary.
//
// A scenario is a list of phases; a phase is load, faults and expectations. A
// target says how the system under test is started, read and written. Both are
// YAML, read strictly: whatever is wrong is named with file, line, column and
// what would be right. Nothing is run here; that is scenarios/run.
package scenarios

import (
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
	Target string            // name or file of the target; default "brownout"
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
	Cache    string // "redis", "valkey" or "none"
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
	Timeout time.Duration
}

// A Rate is in requests per second; a ramp when its ends differ.
type Rate struct{ From, To float64 }

// A Phase is a named stretch of a scenario.
type Phase struct {
	Name    string
	For     time.Duration
	Rate    Rate
	Faults  []chaos.Fault
	Require []results.Expectation // bounds that the run itself must keep: a miss is invalid
	Expect  []results.Expectation // bounds on the target: a miss is a fail
}

// Duration is the time that the load takes.
func (s *Scenario) Duration() time.Duration {
	var sum time.Duration
	for _, p := range s.Phases {
		sum += p.For
	}
	return sum
}

// Schedule is the scenario's load as stages.
func (s *Scenario) Schedule() (loadtest.Schedule, error) {
	stages := make([]loadtest.Stage, len(s.Phases))
	for i, p := range s.Phases {
		stages[i] = loadtest.Stage{For: p.For, From: p.Rate.From, To: p.Rate.To}
	}
	return loadtest.NewSchedule(stages...)
}

// protocol is what the link called name speaks.
func (s *Scenario) protocol(name string) string {
	if name == results.LinkDatabase {
		return chaos.ProtocolPostgres
	}
	return chaos.ProtocolRedis
}

// users are those whose connections the stack's links carry.
func (s *Scenario) users() []chaos.Whom { return []chaos.Whom{chaos.Clients} }

// Links lists the names of the links that the scenario's stack has.
func (s *Scenario) Links() []string {
	var links []string
	if s.Stack.Cache != "none" {
		links = append(links, "cache")
	}
	if s.Stack.Database != "none" {
		links = append(links, "database")
	}
	return links
}
