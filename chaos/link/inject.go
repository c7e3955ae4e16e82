package link

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"brownout/chaos"
	"brownout/results"
)

// An injury is a fault in force. The gate's faultMu is held when end and lift are
// called.
type injury interface {
	// attach puts it on a connection. It must not block.
	attach(*conn)
	// end closes the account. It is called once, before lift.
	end(now time.Duration) results.Evidence
	// lift takes it away. It is not called when the gate's end took it away.
	lift() error
}

// An injection is an injury with its place in the gate. It implements
// chaos.Reverter.
type injection struct {
	gate     *Gate
	to       string // only connections that lead there; empty: all
	fault    chaos.Fault
	injury   injury
	reach    reach
	ended    bool // evidence is set
	reverted bool
	evidence results.Evidence
}

// Inject implements chaos.Injector. It returns when f is in force on all live
// connections and on those to come. f must be valid, name this gate, and not be of
// a kind that is already in force here.
func (g *Gate) Inject(ctx context.Context, f chaos.Fault) (chaos.Reverter, error) {
	return g.InjectTo(ctx, f, "")
}

// InjectTo is Inject for the connections alone that lead to upstream (host:port),
// those to come included. A fault of the port (refuse, drop, flap) hits everyone.
// The same kind can be in force once for each upstream.
func (g *Gate) InjectTo(ctx context.Context, f chaos.Fault, upstream string) (chaos.Reverter, error) {
	if err := errors.Join(ctx.Err(), f.Validate(), g.mine(f)); err != nil {
		return nil, err
	}
	g.faultMu.Lock()
	defer g.faultMu.Unlock()
	if !g.running {
		return nil, fmt.Errorf("link %s is not running: it has no traffic to injure", g.cfg.Name)
	}
	for _, in := range g.inForce() {
		if in.fault.Kind == f.Kind && in.to == upstream {
			return nil, fmt.Errorf("%s is already in force on link %s: revert it first", f.Kind, g.cfg.Name)
		}
		if ownsPort(f.Kind) && ownsPort(in.fault.Kind) {
			return nil, fmt.Errorf("%s has the port of link %s: revert it before %s", in.fault.Kind, g.cfg.Name, f.Kind)
		}
	}
	in := &injection{gate: g, fault: f, to: upstream, reach: newReach(f, g.cfg.Seed)}
	var err error
	if in.injury, err = g.injure(f); err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = append(g.faults, in)
	for c := range g.live {
		in.meet(c)
	}
	return in, nil
}

// ownsPort says whether a fault opens, closes or stops the port while in force.
func ownsPort(k chaos.Kind) bool { return k == chaos.Refuse || k == chaos.Drop || k == chaos.Flap }

func (g *Gate) mine(f chaos.Fault) error {
	if f.On != g.cfg.Name {
		return fmt.Errorf("the fault is meant for link %q, this one is %q", f.On, g.cfg.Name)
	}
	if f.OnProcess() {
		return fmt.Errorf("%s is no fault of a link: link %s cannot put it in force", f.Kind, g.cfg.Name)
	}
	if need := f.Protocol(); need != "" && need != g.cfg.Protocol.Name {
		return fmt.Errorf("%s needs a link that speaks %s, which %s does not", f.Kind, need, g.cfg.Name)
	}
	return nil
}

// injure makes the injury of a valid fault.
func (g *Gate) injure(f chaos.Fault) (injury, error) {
	switch f.Kind {
	case chaos.Blackhole:
		return newBlackhole(f, g.now()), nil
	case chaos.Latency:
		return newLatency(f, g.cfg.Seed), nil
	case chaos.Reset:
		return newResetting(g.now()), nil
	case chaos.Drop:
		return newDrought(g)
	case chaos.Bandwidth:
		return newBandwidth(f), nil
	case chaos.Slice:
		return newSlicing(f), nil
	case chaos.LimitData:
		return newLimit(f), nil
	case chaos.SlowClose:
		return newSlowClose(f), nil
	case chaos.Flap:
		return newFlapping(g, f), nil
	case chaos.Refuse:
		return newRefusal(g), nil
	default:
		return newAnswering(f, g.cfg.Seed), nil
	}
}

// Revert implements chaos.Reverter. It waits for no peer: what was held begins to
// flow, and may still do so when Revert returns. The only step that waits is the
// last probes of a port that is refused or drops, half a second at the most. So ctx is not
// looked at: a fault is taken away also when ctx is done. After the end of Run it
// returns the evidence of that moment.
func (in *injection) Revert(context.Context) (results.Evidence, error) {
	g := in.gate
	g.faultMu.Lock()
	defer g.faultMu.Unlock()
	if in.reverted {
		return in.evidence, fmt.Errorf("%s has already been reverted", in.fault)
	}
	in.reverted = true
	if in.ended {
		return in.evidence, nil
	}
	in.end()
	g.forget(in)
	return in.evidence, in.injury.lift()
}

// meet puts the fault on c if it is meant for it. The gate's lock is held.
func (in *injection) meet(c *conn) {
	if in.to != "" && in.to != c.to {
		return
	}
	if in.reach.meets(c.id, in.gate.who(c)) {
		in.injury.attach(c)
	}
}

// end closes the account.
func (in *injection) end() {
	in.ended = true
	in.evidence = in.injury.end(in.gate.now())
	if ownsPort(in.fault.Kind) {
		return
	}
	in.gate.mu.Lock()
	defer in.gate.mu.Unlock()
	in.reach.report(&in.evidence)
}

// forget lets in be without effect on connections to come.
func (g *Gate) forget(in *injection) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = slices.DeleteFunc(g.faults, func(other *injection) bool { return other == in })
}
