package chaos

import "slices"

// The kinds of fault on the dependency itself, not on the link to it. Their
// Injector is chaos/process. They need a server that the harness started: what a
// user lends is neither stopped nor emptied.
const (
	// Kill ends the server and its descendants by SIGKILL. Revert starts it again on
	// the same address, with what its disk holds.
	Kill Kind = "kill"
	// Stop stops the server and its descendants by SIGSTOP, as a host that hangs:
	// connections are still made, by its kernel, and nobody answers.
	Stop Kind = "stop"
	// Restart stops the server cleanly and starts it again at once. It passes by
	// itself, when the server answers.
	Restart Kind = "restart"
	// Flush deletes all keys at one moment (FLUSHALL), and so passes at once.
	Flush Kind = "flush"
	// FullResync lets a replica forget where in its primary's stream it is, so that it
	// asks for all data anew. It passes by itself, when the replica is in sync again.
	FullResync Kind = "full_resync"
	// Fill puts the server over its maxmemory, with noeviction: commands that need
	// memory are answered OOM.
	Fill Kind = "fill"
)

// processKinds documents them, in the order of the documentation.
func processKinds() []KindDoc {
	return []KindDoc{
		{Kind: Kill, Doc: "the server is killed (SIGKILL), and started again at the end with what its disk holds"},
		{Kind: Stop, Doc: "the server is stopped (SIGSTOP): connections are made and nobody answers"},
		{Kind: Restart, Doc: "the server is stopped cleanly and started again at once"},
		{Kind: Flush, Doc: "all keys are deleted at once (FLUSHALL)", Protocol: ProtocolRedis},
		{Kind: FullResync, Doc: "a replica synchronises from nothing: all data is sent to it anew", Protocol: ProtocolRedis},
		{Kind: Fill, Doc: "the server is full: commands that need memory are answered OOM by the server itself", Protocol: ProtocolRedis},
	}
}

func processParameters() []Parameter {
	return []Parameter{{
		Name: "empty", Doc: "true: a cache comes back without its data",
		value: yes(func(f *Fault) *bool { return &f.Empty }),
		takes: only(Restart),
		say: func(f Fault) string {
			if f.Empty {
				return "empty"
			}
			return ""
		},
	}}
}

// OnProcess reports whether f is put on the dependency itself, and not on the
// link to it.
func (f Fault) OnProcess() bool {
	return slices.ContainsFunc(processKinds(), func(k KindDoc) bool { return k.Kind == f.Kind })
}

// Passes reports whether f ends by itself: it is not in force until it is taken
// away, but happens once.
func (f Fault) Passes() bool { return f.Kind == Restart || f.Kind == Flush || f.Kind == FullResync }
