package chaos

import "strconv"

// Whom says whose connections a fault hits, or who somebody is.
type Whom string

// Those who use a link.
const (
	Everyone  Whom = "all"
	Clients   Whom = "clients"   // everybody who is neither of the others
	Replicas  Whom = "replicas"  // nodes that replicate from the dependency
	Sentinels Whom = "sentinels" // and those that watch it
)

// Hits says whether f is meant for who, one of Clients, Replicas and Sentinels. By
// default it is meant for all: a network or a node that fails does not choose, and
// the faults that cannot choose (refuse, drop, flap) then agree with the rest.
func (f Fault) Hits(who Whom) bool { return f.Whom == "" || f.Whom == Everyone || f.Whom == who }

// ShareAsked is Share or its default, 1.
func (f Fault) ShareAsked() float64 {
	if f.Share == 0 {
		return 1
	}
	return f.Share
}

func saidShare(share float64) string {
	if share == 0 {
		return ""
	}
	return "for " + strconv.FormatFloat(share*100, 'g', 4, 64) + "% of connections"
}

// atThePort is why a fault of the port or of the server takes no parameter of connections.
const atThePort = ": it works below connections, and hits everyone"

func reachParameters() []Parameter {
	return []Parameter{
		{
			Name: "direction", Doc: "which way of a connection; default down, of a blackhole both",
			value: word(func(f *Fault) *Direction { return &f.Direction }, DirectionDown, DirectionUp, DirectionBoth),
			takes: only(Blackhole, Latency, Bandwidth, Slice, LimitData, SlowClose),
			say:   func(f Fault) string { return f.Direction.said() },
		},
		{
			Name: "share", Doc: "the share of the connections that is hit; default 100%",
			value: share(func(f *Fault) *float64 { return &f.Share }),
			takes: allBut(Refuse, Drop, Flap, Kill, Stop, Restart, Flush, FullResync, Fill), why: atThePort,
			wrong: must("share must lie between 0% and 100%", func(f Fault) bool { return f.Share < 0 || f.Share > 1 }),
			say:   func(f Fault) string { return saidShare(f.Share) },
		},
		{
			Name: "whom", Doc: "whose connections are hit; default all",
			value: word(func(f *Fault) *Whom { return &f.Whom }, Everyone, Clients, Replicas, Sentinels),
			takes: allBut(Refuse, Drop, Flap, Kill, Stop, Restart, Flush, FullResync, Fill), why: atThePort,
			say: func(f Fault) string { return ifGiven(f.Whom, "of %v") },
		},
	}
}
