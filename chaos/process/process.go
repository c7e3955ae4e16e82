// Package process injures the servers of a stack themselves, not the links to
// them: it kills them, stops them, starts them anew, empties or fills them, and
// lets replicas begin anew.
//
// The one idea: evidence comes from outside. Whether a server is dead, hung, empty
// or full is asked of the kernel (its process, its port; of a container its engine) and
// by commands of our own, while the fault is in force and after it, and never taken for granted
// because a signal was sent.
//
// What clients behind a link see of a server that is gone: the link accepts, fails
// to reach the server, and resets. With refuse on the link beside kill they see a
// closed port, as without a link.
//
// A fault counts as touching nothing when no client was connected to the server as
// it began. Not done here: servers that the harness did not start. They have no
// process to act on, and their data is somebody else's.
package process

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"brownout/chaos"
	"brownout/chaos/stack"
	"brownout/results"
)

// An Injector puts faults on one server, one at a time. It implements
// chaos.Injector.
type Injector struct {
	node *stack.Node

	mu   sync.Mutex
	busy chaos.Kind // in force; "": none
}

var _ chaos.Injector = (*Injector)(nil)

// New returns an Injector for node. It starts nothing.
func New(node *stack.Node) *Injector { return &Injector{node: node} }

// A harm is a fault on a server.
type harm interface {
	// begin puts it in force. What it leaves running ends with end.
	begin(ctx context.Context) error
	// end takes it away. It is called once, after a begin without an error.
	end(ctx context.Context) (results.Evidence, error)
}

// Inject implements chaos.Injector. It returns when the server has been told; the
// evidence says whether it followed.
func (in *Injector) Inject(ctx context.Context, f chaos.Fault) (chaos.Reverter, error) {
	if err := errors.Join(ctx.Err(), f.Validate(), in.mine(f)); err != nil {
		return nil, err
	}
	if err := in.occupy(f.Kind); err != nil {
		return nil, err
	}
	h := in.harm(f)
	if err := h.begin(ctx); err != nil {
		in.free()
		return nil, err
	}
	one := &injection{in: in, fault: f, harm: h}
	if p, ok := h.(interface{ over() <-chan struct{} }); ok {
		return &passing{injection: one, passed: p.over()}, nil
	}
	return one, nil
}

func (in *Injector) mine(f chaos.Fault) error {
	switch n := in.node; {
	case f.On != n.Name:
		return fmt.Errorf("the fault is meant for %q, this server is %q", f.On, n.Name)
	case !f.OnProcess():
		return fmt.Errorf("%s is a fault of links, not of servers", f.Kind)
	case n.Process() == nil:
		return fmt.Errorf("%s on %s: the server is not ours: it was lent by its URL", f.Kind, f.On)
	case n.Process().Exited():
		return fmt.Errorf("%s on %s: the server has ended", f.Kind, f.On)
	case n.Kind == stack.Postgres && (f.Protocol() == chaos.ProtocolRedis || f.Empty):
		return fmt.Errorf("%s cannot be put on a PostgreSQL", f)
	}
	return nil
}

func (in *Injector) occupy(k chaos.Kind) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.busy != "" {
		return fmt.Errorf("%s is in force on the server of %s: revert it before %s", in.busy, in.node.Name, k)
	}
	in.busy = k
	return nil
}

func (in *Injector) free() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.busy = ""
}

func (in *Injector) harm(f chaos.Fault) harm {
	switch f.Kind {
	case chaos.Kill:
		return &killing{node: in.node}
	case chaos.Stop:
		return &stopping{node: in.node}
	case chaos.Restart:
		return newRestarting(in.node, f.Empty)
	case chaos.Flush:
		return newFlushing(in.node)
	case chaos.FullResync:
		return &resyncing{node: in.node, passed: make(chan struct{})}
	default:
		return &filling{node: in.node}
	}
}

// An injection is a harm in force. It implements chaos.Reverter.
type injection struct {
	in    *Injector
	fault chaos.Fault
	harm  harm

	mu       sync.Mutex
	reverted bool
}

// Revert implements chaos.Reverter.
func (one *injection) Revert(ctx context.Context) (results.Evidence, error) {
	one.mu.Lock()
	defer one.mu.Unlock()
	if one.reverted {
		return results.Evidence{}, fmt.Errorf("%s has already been reverted", one.fault)
	}
	one.reverted = true
	defer one.in.free()
	return one.harm.end(ctx)
}

// A passing injection ends by itself. It implements chaos.Passer.
type passing struct {
	*injection
	passed <-chan struct{}
}

// Passed implements chaos.Passer.
func (p *passing) Passed() <-chan struct{} { return p.passed }
