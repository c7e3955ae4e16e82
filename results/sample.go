package results

import "time"

// A Sample is one look at a process while the run goes on.
type Sample struct {
	At          time.Duration `json:"at"`
	Process     string        `json:"process"`
	CPU         time.Duration `json:"cpu"`    // user and system time since the process started
	Memory      int64         `json:"memory"` // resident bytes
	Descriptors int           `json:"descriptors"`
	Threads     int           `json:"threads"`
}
