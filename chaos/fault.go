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

// Kind names what a fault does.
type Kind string

// The kinds of fault.
const (
	// Refuse makes the dependency's port closed: live connections are reset, new
	// ones are refused.
	Refuse Kind = "refuse"
	// Reset resets live connections, and new ones as soon as they are accepted.
	Reset Kind = "reset"
	// Drop lets SYNs vanish: new connections time out. Live ones are left alone.
	Drop Kind = "drop"
	// Flap is Refuse that comes and goes.
	Flap Kind = "flap"
	// Blackhole accepts connections and holds every byte, in both directions.
	Blackhole Kind = "blackhole"
	// Latency delays every byte that comes back from the dependency.
	Latency Kind = "latency"
	// Bandwidth lets what comes back through at a rate.
	Bandwidth Kind = "bandwidth"
	// Slice cuts what comes back into pieces, with gaps between them.
	Slice Kind = "slice"
)

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

// A Fault says what is to be done to which link. Parameters that its kind does
// not know must be zero.
type Fault struct {
	On      string        // name of the link
	Kind    Kind          // what to do
	Latency time.Duration // latency: the delay added, on average
	Jitter  time.Duration // latency: each delay is Latency ± Jitter, uniformly
	Revert  OnRevert      // blackhole: default Resume
	Up      time.Duration // flap: how long the port is open at a time; default 500ms
	Down    time.Duration // flap: how long it is closed at a time; default 500ms
	Rate    int           // bandwidth: bytes per second
	Size    int           // slice: bytes of a piece, at the most
	Gap     time.Duration // slice: time between pieces; default 1ms
	Live    OnLive        // max_clients, too_many_connections: default Keep
}

// GapTime is Gap or its default.
func (f Fault) GapTime() time.Duration { return cmp.Or(f.Gap, time.Millisecond) }

// flapTime is the default of Up and Down.
const flapTime = 500 * time.Millisecond

// UpTime is Up or its default.
func (f Fault) UpTime() time.Duration { return cmp.Or(f.Up, flapTime) }

// DownTime is Down or its default.
func (f Fault) DownTime() time.Duration { return cmp.Or(f.Down, flapTime) }

// Kinds lists the kinds of fault with a line about each, in the order of the
// documentation.
func Kinds() []KindDoc {
	return append([]KindDoc{
		{Refuse, "the port is closed: live connections are reset, new ones refused", nil, ""},
		{Reset, "live connections are reset, new ones accepted and reset at once", nil, ""},
		{Drop, "SYNs vanish: new connections time out, live ones are left alone", nil, ""},
		{Flap, "the port is closed for down, open for up, and so on", []string{"up", "down"}, ""},
		{Blackhole, "connections are accepted and every byte is held", []string{"revert"}, ""},
		{Latency, "answers come later by latency ± jitter", []string{"latency", "jitter"}, ""},
		{Bandwidth, "answers come at rate bytes per second, which all connections share", []string{"rate"}, ""},
		{Slice, "answers come in pieces of size bytes, with gap between them", []string{"size", "gap"}, ""},
	}, answerKinds()...)
}

// KindDoc describes a kind of fault and the parameters it takes.
type KindDoc struct {
	Kind       Kind
	Doc        string
	Parameters []string
	Protocol   string // that a link must understand for it; empty: none
}

// Protocol is the protocol that a link must understand for f; empty: none.
func (f Fault) Protocol() string {
	for _, k := range Kinds() {
		if k.Kind == f.Kind {
			return k.Protocol
		}
	}
	return ""
}

// String says the fault in words, as reports show it.
func (f Fault) String() string {
	words := []string{string(f.Kind), "on", f.On}
	if f.Latency > 0 {
		words = append(words, f.Latency.String())
	}
	if f.Jitter > 0 {
		words = append(words, "± "+f.Jitter.String())
	}
	if f.Revert != "" {
		words = append(words, "then "+string(f.Revert))
	}
	if f.Live != "" {
		words = append(words, "live ones:", string(f.Live))
	}
	if f.Kind == Flap {
		words = append(words, f.DownTime().String(), "down", f.UpTime().String(), "up")
	}
	if f.Kind == Bandwidth {
		words = append(words, fmt.Sprintf("%d bytes/s", f.Rate))
	}
	if f.Kind == Slice {
		words = append(words, fmt.Sprintf("%d bytes every %v", f.Size, f.GapTime()))
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
	kinds := Kinds()
	i := slices.IndexFunc(kinds, func(k KindDoc) bool { return k.Kind == f.Kind })
	if i < 0 {
		names := make([]string, len(kinds))
		for i, k := range kinds {
			names[i] = string(k.Kind)
		}
		return &ParameterError{"kind", fmt.Sprintf("unknown fault %q; there are %s", f.Kind, strings.Join(names, ", "))}
	}
	for _, name := range f.given() {
		if !slices.Contains(kinds[i].Parameters, name) {
			return &ParameterError{name, fmt.Sprintf("%s takes no %s", f.Kind, name)}
		}
	}
	return f.validateValues()
}

// given names the parameters that are not zero.
func (f Fault) given() []string {
	var names []string
	if f.Latency != 0 {
		names = append(names, "latency")
	}
	if f.Jitter != 0 {
		names = append(names, "jitter")
	}
	if f.Revert != "" {
		names = append(names, "revert")
	}
	if f.Up != 0 {
		names = append(names, "up")
	}
	if f.Down != 0 {
		names = append(names, "down")
	}
	if f.Rate != 0 {
		names = append(names, "rate")
	}
	if f.Size != 0 {
		names = append(names, "size")
	}
	if f.Gap != 0 {
		names = append(names, "gap")
	}
	if f.Live != "" {
		names = append(names, "live")
	}
	return names
}

func (f Fault) validateValues() error {
	switch {
	case (f.Kind == Latency || f.Kind == SlowQuery) && f.Latency <= 0:
		return &ParameterError{"latency", string(f.Kind) + " needs a delay above 0, for example 200ms"}
	case f.Jitter < 0 || f.Jitter > f.Latency:
		return &ParameterError{"jitter", "jitter must lie between 0 and the latency"}
	case f.Up < 0:
		return &ParameterError{"up", "up must be above 0, for example 500ms"}
	case f.Down < 0:
		return &ParameterError{"down", "down must be above 0, for example 500ms"}
	case f.Kind == Bandwidth && f.Rate <= 0:
		return &ParameterError{"rate", "bandwidth needs a rate above 0 in bytes per second, for example 65536"}
	case f.Kind == Slice && f.Size <= 0:
		return &ParameterError{"size", "slice needs a size above 0 in bytes, for example 16"}
	case f.Gap < 0:
		return &ParameterError{"gap", "gap must be above 0, for example 1ms"}
	case f.Live != "" && f.Live != Keep && f.Live != CloseAll:
		return &ParameterError{"live", fmt.Sprintf("unknown %q; there are keep, close", f.Live)}
	case f.Revert != "" && f.Revert != Resume && f.Revert != Close:
		return &ParameterError{"revert", fmt.Sprintf("unknown %q; there are resume, close", f.Revert)}
	}
	return nil
}
