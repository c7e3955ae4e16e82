package results

import "time"

// GoroutinesGrowth is the figure for which a target is asked how many goroutines it has.
const GoroutinesGrowth = "goroutines_growth"

// A Sample is one look at a process, or at the machine, while the run goes on.
type Sample struct {
	At          time.Duration `json:"at"`
	Process     string        `json:"process"`
	CPU         time.Duration `json:"cpu"`    // user and system time since the process (of all CPUs: the machine) started
	Memory      int64         `json:"memory"` // resident bytes
	Descriptors int           `json:"descriptors"`
	Threads     int           `json:"threads"`
	// Goroutines is what the target says of itself; 0: it does not say, or was not asked.
	Goroutines int `json:"goroutines,omitempty"`
	// Of ProcessMachine only: the CPU time that its hypervisor kept from it since it
	// started, and by how much its wall clock is ahead of the run's clock since the run
	// began.
	Steal time.Duration `json:"steal,omitempty"`
	Drift time.Duration `json:"drift,omitempty"`
}
