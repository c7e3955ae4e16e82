// Package chaos holds faults as values and the one rule about them: a fault that
// was put in force is always taken away again, also after cancellation.
//
// What a fault does to bytes is not decided here but by the Injector that owns
// the place it is pointed at: see chaos/link.
package chaos

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Fault says what is to be done to which link. Parameters that its kind does
// not know must be zero; Parameters says which kind takes what.
type Fault struct {
	On      string        // name of the link
	Kind    Kind          // what to do
	Latency time.Duration // the delay added, on average
	Jitter  time.Duration // each delay is Latency ± Jitter, uniformly
	Revert  OnRevert      // default Resume
	Up      time.Duration // how long the port is open at a time; default 500ms
	Down    time.Duration // how long it is closed at a time; default 500ms
	Rate    int           // bytes per second
	Size    int           // bytes of a piece, at the most
	Gap     time.Duration // time between pieces; default 1ms
	Bytes   int           // that a connection carries before it ends
	Live    OnLive        // default Keep

	Direction Direction // see Way
	Share     float64   // of the connections, from 0 to 1; 0: all
	Whom      Whom      // see Hits
	Empty     bool      // without its data
}

// OnRevert says what becomes of held bytes when a blackhole is taken away.
type OnRevert string

// What a blackhole does on revert.
const (
	Resume OnRevert = "resume" // held bytes flow on, as after a healed partition
	Close  OnRevert = "close"  // connections that were held are closed
)

// OnLive says what becomes of live connections when a fault for new ones is put in
// force.
type OnLive string

// What becomes of live connections.
const (
	Keep     OnLive = "keep"  // they live on
	CloseAll OnLive = "close" // they are closed with FIN, so that clients must connect again
)

// GapTime is Gap or its default.
func (f Fault) GapTime() time.Duration { return cmp.Or(f.Gap, time.Millisecond) }

// flapTime is the default of Up and Down.
const flapTime = 500 * time.Millisecond

// UpTime is Up or its default.
func (f Fault) UpTime() time.Duration { return cmp.Or(f.Up, flapTime) }

// DownTime is Down or its default.
func (f Fault) DownTime() time.Duration { return cmp.Or(f.Down, flapTime) }

// String says the fault in words, as reports show it.
func (f Fault) String() string {
	words := []string{string(f.Kind), "on", f.On}
	for _, p := range Parameters() {
		if !p.takes(f.Kind) {
			continue
		}
		if said := p.say(f); said != "" {
			words = append(words, said)
		}
	}
	return strings.Join(words, " ")
}

// A ParameterError says which parameter of a fault is wrong, and what would be right.
type ParameterError struct {
	Parameter string // as in a scenario file: "kind", "latency", …
	Problem   string
}

func (e *ParameterError) Error() string { return e.Parameter + ": " + e.Problem }

// Validate returns a *ParameterError for the first parameter that its kind does
// not take, or that has an impossible value. It does not know which links exist.
func (f Fault) Validate() error {
	if _, known := f.Kind.doc(); !known {
		return &ParameterError{"kind", fmt.Sprintf("unknown fault %q; there are %s", f.Kind, strings.Join(kindNames(), ", "))}
	}
	var taken []Parameter
	for _, p := range Parameters() {
		switch {
		case p.takes(f.Kind):
			taken = append(taken, p)
		case p.given(f):
			return &ParameterError{p.Name, fmt.Sprintf("%s takes no %s%s", f.Kind, p.Name, p.why)}
		}
	}
	for _, p := range taken {
		if problem := p.problem(f); problem != "" {
			return &ParameterError{p.Name, problem}
		}
	}
	return nil
}

// Set sets the parameter called name from text, as a scenario file writes it. The
// error is a *ParameterError.
func (f *Fault) Set(name, text string) error {
	all := Parameters()
	i := slices.IndexFunc(all, func(p Parameter) bool { return p.Name == name })
	if i < 0 {
		return &ParameterError{name, "there is no such parameter of a fault"}
	}
	if problem := all[i].read(f, text); problem != "" {
		return &ParameterError{name, problem}
	}
	return nil
}

func kindNames() []string {
	var names []string
	for _, k := range Kinds() {
		names = append(names, string(k.Kind))
	}
	return names
}
