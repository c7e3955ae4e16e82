package results

import "time"

// State says whether a run folder holds a whole run.
type State string

// The states of a run.
const (
	StateRunning     State = "running" // still going on, or killed
	StateComplete    State = "complete"
	StateInterrupted State = "interrupted" // cancelled; the partial run is kept
	StateFailed      State = "failed"      // the harness could not carry it through
)

// Manifest says what a run was: everything needed to judge its streams and to
// run it again.
type Manifest struct {
	Format   int       `json:"format"` // of the run folder; see Format
	Scenario string    `json:"scenario"`
	Proves   string    `json:"proves"`
	State    State     `json:"state"`
	Problem  string    `json:"problem,omitempty"` // why State is failed
	Started  time.Time `json:"started"`
	Seed     uint64    `json:"seed"`

	Target       string            `json:"target"`
	Settings     map[string]string `json:"settings,omitempty"`     // the target's environment, without secrets
	Tells        Tells             `json:"tells"`                  // what an answer of the target says
	Dependencies []Dependency      `json:"dependencies,omitempty"` // the stack
	Machine      Machine           `json:"machine"`
	Versions     map[string]string `json:"versions,omitempty"` // brownout, go, kernel, …

	// Scale is what the times of a failover were multiplied by, Unscaled what was not
	// shortened with them: the run's times are not those of the published failover. 0:
	// nothing was shortened.
	Scale    float64 `json:"scale,omitempty"`
	Unscaled string  `json:"unscaled,omitempty"`

	Phases []Phase       `json:"phases"`
	Always []Expectation `json:"always,omitempty"`
}

// Format is the version of the run folder's layout.
const Format = 1

// Tells says what can be known from an answer of the target.
type Tells struct {
	Token   bool `json:"token"`
	Version bool `json:"version"`
	Source  bool `json:"source"`
	Writes  bool `json:"writes"` // the target can be written to
}

// A Dependency is one process of the stack.
type Dependency struct {
	Name     string `json:"name"`     // "cache", "database"
	Kind     string `json:"kind"`     // "redis", "valkey", "postgres"
	Provider string `json:"provider"` // "external", "local", "docker"
	Version  string `json:"version"`
}

// Machine says where the run took place.
type Machine struct {
	OS     string `json:"os"`
	Arch   string `json:"arch"`
	CPUs   int    `json:"cpus"`
	Kernel string `json:"kernel,omitempty"`
	Memory int64  `json:"memory,omitempty"` // bytes
}

// A Phase is a named stretch of the timeline as the scenario planned it. When it
// really began stands in the events.
type Phase struct {
	Name     string        `json:"name"`
	For      time.Duration `json:"for"`
	RateFrom float64       `json:"rate_from"`        // requests per second at its start
	RateTo   float64       `json:"rate_to"`          // and at its end
	Faults   []string      `json:"faults,omitempty"` // in words, a failover among them
	// Require are bounds that the run itself must keep for a judgement: a miss makes
	// it invalid. Expect are bounds on the target: a miss makes it fail.
	Require []Expectation `json:"require,omitempty"`
	Expect  []Expectation `json:"expect,omitempty"`
}

// An Expectation is a bound on a figure of a phase or of the whole run. What a
// figure means is defined in results/judge.
type Expectation struct {
	Figure string            `json:"figure"`          // "p99", "errors", "cache_hits", …
	Where  map[string]string `json:"where,omitempty"` // selects hits: op, source
	Op     string            `json:"op"`              // "<=", "<", ">=", ">", "=="
	Bound  float64           `json:"bound"`           // in the figure's unit: seconds, share from 0 to 1, per second, or a count
	Text   string            `json:"text"`            // as the scenario wrote it
	At     string            `json:"at,omitempty"`    // file:line:column in the scenario
}
