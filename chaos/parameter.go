package chaos

import (
	"fmt"
	"slices"
	"time"
)

// A Parameter is a field of a Fault that some kinds take.
type Parameter struct {
	Name string // as in a scenario file
	Doc  string
	value
	takes func(Kind) bool
	why   string             // behind "takes no …": why others do not
	wrong func(Fault) string // what is wrong with the value where a kind takes it; "": nothing; nil: the form says it all
	say   func(Fault) string // the value in words; "": nothing to say
}

// Parameters lists the parameters of faults. Adding one is a field of Fault and a
// row here.
func Parameters() []Parameter {
	return slices.Concat(delayParameters(), portParameters(), flowParameters(), reachParameters(), processParameters())
}

func delayParameters() []Parameter {
	return []Parameter{
		{
			Name: "latency", Doc: "the delay added, on average",
			value: duration(func(f *Fault) *time.Duration { return &f.Latency }),
			takes: only(Latency, SlowClose, SlowQuery),
			wrong: needs("a delay above 0, for example 200ms", func(f Fault) bool { return f.Latency <= 0 }),
			say:   func(f Fault) string { return f.Latency.String() },
		},
		{
			Name: "jitter", Doc: "each delay is latency ± jitter, uniformly",
			value: duration(func(f *Fault) *time.Duration { return &f.Jitter }),
			takes: only(Latency),
			wrong: must("jitter must lie between 0 and the latency", func(f Fault) bool { return f.Jitter < 0 || f.Jitter > f.Latency }),
			say:   func(f Fault) string { return ifGiven(f.Jitter, "± %v") },
		},
	}
}

func portParameters() []Parameter {
	return []Parameter{
		{
			Name: "down", Doc: "how long the port is closed at a time; default 500ms",
			value: duration(func(f *Fault) *time.Duration { return &f.Down }),
			takes: only(Flap),
			wrong: must("down must be above 0, for example 500ms", func(f Fault) bool { return f.Down < 0 }),
			say:   func(f Fault) string { return fmt.Sprintf("%v down", f.DownTime()) },
		},
		{
			Name: "up", Doc: "how long the port is open at a time; default 500ms",
			value: duration(func(f *Fault) *time.Duration { return &f.Up }),
			takes: only(Flap),
			wrong: must("up must be above 0, for example 500ms", func(f Fault) bool { return f.Up < 0 }),
			say:   func(f Fault) string { return fmt.Sprintf("%v up", f.UpTime()) },
		},
	}
}

func flowParameters() []Parameter {
	return []Parameter{
		{
			Name: "rate", Doc: "bytes per second",
			value: count(func(f *Fault) *int { return &f.Rate }),
			takes: only(Bandwidth),
			wrong: needs("a rate above 0 in bytes per second, for example 65536", func(f Fault) bool { return f.Rate <= 0 }),
			say:   func(f Fault) string { return fmt.Sprintf("%d bytes/s", f.Rate) },
		},
		{
			Name: "size", Doc: "bytes of a piece, at the most",
			value: count(func(f *Fault) *int { return &f.Size }),
			takes: only(Slice),
			wrong: needs("a size above 0 in bytes, for example 16", func(f Fault) bool { return f.Size <= 0 }),
			say:   func(f Fault) string { return fmt.Sprintf("%d bytes", f.Size) },
		},
		{
			Name: "gap", Doc: "time between pieces; default 1ms",
			value: duration(func(f *Fault) *time.Duration { return &f.Gap }),
			takes: only(Slice),
			wrong: must("gap must be above 0, for example 1ms", func(f Fault) bool { return f.Gap < 0 }),
			say:   func(f Fault) string { return fmt.Sprintf("every %v", f.GapTime()) },
		},
		{
			Name: "bytes", Doc: "how many a connection carries before it ends, from when the fault came in force",
			value: count(func(f *Fault) *int { return &f.Bytes }),
			takes: only(LimitData),
			wrong: needs("bytes above 0, for example 1024", func(f Fault) bool { return f.Bytes <= 0 }),
			say:   func(f Fault) string { return fmt.Sprintf("after %d bytes", f.Bytes) },
		},
		{
			Name: "revert", Doc: "what becomes of held bytes on revert; default resume",
			value: word(func(f *Fault) *OnRevert { return &f.Revert }, Resume, Close),
			takes: only(Blackhole),
			say:   func(f Fault) string { return ifGiven(f.Revert, "then %v") },
		},
		{
			Name: "live", Doc: "what becomes of live connections; default keep",
			value: word(func(f *Fault) *OnLive { return &f.Live }, Keep, CloseAll),
			takes: only(MaxClients, TooManyConnections),
			say:   func(f Fault) string { return ifGiven(f.Live, "live ones: %v") },
		},
	}
}

func only(kinds ...Kind) func(Kind) bool {
	return func(k Kind) bool { return slices.Contains(kinds, k) }
}

func allBut(kinds ...Kind) func(Kind) bool {
	return func(k Kind) bool { return !slices.Contains(kinds, k) }
}

// must says problem where bad is true.
func must(problem string, bad func(Fault) bool) func(Fault) string {
	return func(f Fault) string {
		if bad(f) {
			return problem
		}
		return ""
	}
}

// needs says that the kind needs what, where it is missing.
func needs(what string, missing func(Fault) bool) func(Fault) string {
	return func(f Fault) string {
		if missing(f) {
			return string(f.Kind) + " needs " + what
		}
		return ""
	}
}

// ifGiven formats a value that is not zero.
func ifGiven[T comparable](value T, format string) string {
	var zero T
	if value == zero {
		return ""
	}
	return fmt.Sprintf(format, value)
}
