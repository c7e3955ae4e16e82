package chaos

import "slices"

// Kind names what a fault does.
type Kind string

// The kinds of fault that work on bytes and connections.
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
	// Blackhole accepts connections and holds every byte.
	Blackhole Kind = "blackhole"
	// Latency delays every byte.
	Latency Kind = "latency"
	// Bandwidth lets bytes through at a rate.
	Bandwidth Kind = "bandwidth"
	// Slice cuts what is sent into pieces, with gaps between them.
	Slice Kind = "slice"
	// LimitData ends a connection after so many bytes.
	LimitData Kind = "limit_data"
	// SlowClose passes the end of a connection on later.
	SlowClose Kind = "slow_close"
)

// Kinds lists the kinds of fault with a line about each, in the order of the
// documentation.
func Kinds() []KindDoc {
	kinds := slices.Concat(trafficKinds(), answerKinds(), processKinds())
	for i := range kinds {
		for _, p := range Parameters() {
			if p.takes(kinds[i].Kind) {
				kinds[i].Parameters = append(kinds[i].Parameters, p.Name)
			}
		}
	}
	return kinds
}

func trafficKinds() []KindDoc {
	return []KindDoc{
		{Kind: Refuse, Doc: "the port is closed: live connections are reset, new ones refused"},
		{Kind: Reset, Doc: "live connections are reset, new ones accepted and reset at once"},
		{Kind: Drop, Doc: "SYNs vanish: new connections time out, live ones are left alone"},
		{Kind: Flap, Doc: "the port is closed for down, open for up, and so on"},
		{Kind: Blackhole, Doc: "connections are accepted and every byte is held"},
		{Kind: Latency, Doc: "bytes come later by latency ± jitter"},
		{Kind: Bandwidth, Doc: "bytes pass at rate bytes per second, which all connections share"},
		{Kind: Slice, Doc: "bytes come in pieces of size bytes, with gap between them"},
		{Kind: LimitData, Doc: "a connection ends when it has carried that many bytes"},
		{Kind: SlowClose, Doc: "the end of a connection is passed on later by latency"},
	}
}

// KindDoc describes a kind of fault and the parameters it takes.
type KindDoc struct {
	Kind       Kind
	Doc        string
	Parameters []string // their names; Kinds fills it in from Parameters
	Protocol   string   // that a link must understand for it; empty: none
}

// doc finds the description of a kind.
func (k Kind) doc() (KindDoc, bool) {
	kinds := Kinds()
	i := slices.IndexFunc(kinds, func(d KindDoc) bool { return d.Kind == k })
	if i < 0 {
		return KindDoc{}, false
	}
	return kinds[i], true
}

// Protocol is the protocol that a link must understand for f; empty: none.
func (f Fault) Protocol() string {
	d, _ := f.Kind.doc()
	return d.Protocol
}
