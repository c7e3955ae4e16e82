package lab

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"brownout/chaos"
	"brownout/chaos/link"
	"brownout/results"
)

// A named gate is a name, and a gate at an address of its own for each server that
// the name has led to. It implements Gate.
type named struct {
	name string // of the link, which all of its gates have
	zone *zone
	open func(listen, upstream string, nth int) (*link.Gate, error)

	mu     sync.Mutex
	stands []*stand // in the order of opening
	now    *stand   // where the name leads
}

// A stand is where one server is found.
type stand struct {
	*link.Gate
	upstream string
	left     bool // by its server: another one has its place, at another address
}

var _ Gate = (*named)(nil)

// Addr implements Gate: the name and the port.
func (n *named) Addr() string {
	return net.JoinHostPort(n.zone.server.Name(n.name), n.zone.port(usualPort(n.name)))
}

// Upstream implements Gate.
func (n *named) Upstream() string { return n.current().upstream }

func (n *named) current() *stand {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.now
}

func (n *named) all() []*stand {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]*stand(nil), n.stands...)
}

// Point implements Gate: the record changes.
func (n *named) Point(upstream string) error {
	s, err := n.standOf(upstream)
	if err != nil {
		return err
	}
	ip, err := netip.ParseAddrPort(s.Addr())
	if err != nil {
		return fmt.Errorf("pointing %s: %w", n.name, err) // not reached: a gate knows its address
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now = s
	n.zone.server.Point(n.name, ip.Addr())
	return nil
}

// standOf is where the server at upstream is found, which is opened if need be.
func (n *named) standOf(upstream string) (*stand, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.stands {
		if s.upstream == upstream && !s.left {
			return s, nil
		}
	}
	gate, err := n.zone.bind(usualPort(n.name), func(listen string) (*link.Gate, error) {
		return n.open(listen, upstream, len(n.stands))
	})
	if err != nil {
		return nil, err
	}
	s := &stand{Gate: gate, upstream: upstream}
	n.stands = append(n.stands, s)
	return s, nil
}

// leave gives the addresses of the server at upstream up, because it was replaced:
// SYNs to them vanish from now on, as to an address that no host has. What is
// connected stays so.
func (n *named) leave(ctx context.Context, upstream string) error {
	for _, s := range n.vacate(upstream) {
		if s.HasPort() {
			continue // it stays in force
		}
		if _, err := s.Inject(ctx, chaos.Fault{On: n.name, Kind: chaos.Drop}); err != nil {
			return fmt.Errorf("leaving %s: %w", s.Addr(), err)
		}
	}
	return nil
}

// vacate marks the stands of upstream as left, and returns them.
func (n *named) vacate(upstream string) []*stand {
	n.mu.Lock()
	defer n.mu.Unlock()
	var left []*stand
	for _, s := range n.stands {
		if s.upstream == upstream && !s.left {
			s.left = true
			left = append(left, s)
		}
	}
	return left
}

// Inject implements Gate: at the address where the name leads now. The fault stays
// there when the name is moved.
func (n *named) Inject(ctx context.Context, f chaos.Fault) (chaos.Reverter, error) {
	return n.current().Inject(ctx, f)
}

// InjectTo implements Gate: at the address of the server at upstream.
func (n *named) InjectTo(ctx context.Context, f chaos.Fault, upstream string) (chaos.Reverter, error) {
	s, err := n.standOf(upstream)
	if err != nil {
		return nil, err
	}
	return s.InjectTo(ctx, f, upstream)
}

// HangUp implements Gate.
func (n *named) HangUp(upstream string) int {
	closed := 0
	for _, s := range n.all() {
		closed += s.HangUp(upstream)
	}
	return closed
}

// Stats implements Gate: the sum over all addresses.
func (n *named) Stats() link.Stats {
	var sum link.Stats
	for _, s := range n.all() {
		one := s.Stats()
		sum.Live += one.Live
		sum.Opened += one.Opened
		sum.Up += one.Up
		sum.Down += one.Down
	}
	return sum
}

// Clients implements Gate.
func (n *named) Clients() int {
	sum := 0
	for _, s := range n.all() {
		sum += s.Clients()
	}
	return sum
}

// Connections implements Gate.
func (n *named) Connections() []results.Conn {
	var all []results.Conn
	for nth, s := range n.all() {
		for _, c := range s.Connections() {
			c.ID = numbered(c.ID, nth)
			all = append(all, c)
		}
	}
	return all
}

// numbered is the number that connection id of a link's nth gate has in the link:
// each gate counts from 1.
func numbered(id uint64, nth int) uint64 { return id + uint64(nth)<<32 }

// renumber makes a gate record the numbers that its connections have in the link.
func renumber(c *link.Config, nth int) {
	record, exchange := c.Record, c.Exchange
	c.Record = func(e results.Event) {
		if e.Conn != nil {
			conn := *e.Conn
			conn.ID = numbered(conn.ID, nth)
			e.Conn = &conn
		}
		record(e)
	}
	c.Exchange = func(e results.Exchange) {
		e.Conn = numbered(e.Conn, nth)
		exchange(e)
	}
}
