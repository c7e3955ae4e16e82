// Package lab brings up a stack with a link in front of every server, and takes it
// down again.
//
// The one idea: nothing talks to a server but through a link, neither clients nor
// the servers among themselves. Where clients find a server by a name that moves,
// the name is a link too: an endpoint.
//
// A name can be moved in two ways. In address mode (any client, nothing to set up) an
// endpoint is one gate, which new connections are led elsewhere by. A dial that waits
// while the old node's SYNs vanish so reaches the new node with its next SYN, and
// whoever keeps an address that it has looked up is not found out. In DNS mode
// (Config.DNS, on Linux) an endpoint is a record of a small DNS server, and each
// server has an address of its own, with the same port: a dial of the old address
// never gets through, and caches of answers, the client's and those on its way, show
// for as long as they keep to them. A server that is replaced comes back at another
// address. Clients must ask the lab's DNS server (Resolver). Faults on an endpoint
// are put on the address where it leads then, and stay there. In both modes the rest
// is the same, names of links included.
//
// Not shown in either: what else a name can do (CNAMEs, several answers, IPv6), and
// how long a real DNS takes to spread a change. The waits of a failover plan stand
// for that.
//
// What is done to the lab while it stands is decided by others: scenarios/run, or a
// person. No load is sent and nothing is judged here.
package lab

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"brownout/chaos"
	"brownout/chaos/link"
	"brownout/chaos/link/pgwire"
	"brownout/chaos/link/resp"
	"brownout/chaos/link/wire"
	"brownout/chaos/stack"
	"brownout/results"
)

// The endpoints of a replicated cache.
const (
	Primary = results.LinkPrimary // leads to the primary
	Reader  = results.LinkReader  // leads to a replica
)

// closeTimeout bounds the taking down of the stack.
const closeTimeout = 5 * time.Second

// Config says what Open is to bring up.
type Config struct {
	Stack    stack.Config           // Link is the lab's own
	Listen   map[string]string      // address of a link, by its name; default: any of 127.0.0.1
	Base     time.Time              // start of the run's clock; default: now
	Record   func(results.Event)    // default: discard
	Exchange func(results.Exchange) // default: discard
	Seed     uint64                 // of faults
	DNS      bool                   // DNS mode; default: address mode
	TTL      time.Duration          // of names in DNS mode, at least 1s; default 5s
}

// A Lab is a stack with its links. Its methods are safe for concurrent use.
type Lab struct {
	Stack *stack.Stack

	cfg     Config
	ctx     context.Context // of the links
	stop    context.CancelFunc
	running errgroup.Group

	zone       *zone  // nil: address mode
	resolvConf string // path; empty: none

	own  Tap
	taps sync.RWMutex
	tap  *Tap // beside own; nil: none

	mu       sync.Mutex
	links    []*Link // in the order of opening
	password string  // that was handed over last; empty: the first one
}

// A Gate is how clients come to a server: a *link.Gate, or in DNS mode one at each
// address that a name has led to. What it has in common with a link.Gate is
// documented there.
type Gate interface {
	chaos.Injector
	InjectTo(ctx context.Context, f chaos.Fault, upstream string) (chaos.Reverter, error)
	Addr() string // that clients dial, host:port; in DNS mode the host is a name
	Upstream() string
	Point(upstream string) error
	HangUp(upstream string) int
	Stats() link.Stats
	Clients() int
	Connections() []results.Conn
}

// A Link is a gate and what it leads to.
type Link struct {
	Gate
	Name string
	Node *stack.Node // at the start; an endpoint can be pointed elsewhere

	base  time.Time // of the clock of meter
	meter meter
}

// Open brings a lab up. It is returned also with an error, and is then to be closed
// as well. The links live until Close, also when ctx is done.
func Open(ctx context.Context, c Config) (*Lab, error) {
	if c.Base.IsZero() {
		c.Base = time.Now()
	}
	if c.Record == nil {
		c.Record = func(results.Event) {}
	}
	if c.Exchange == nil {
		c.Exchange = func(results.Exchange) {}
	}
	l := &Lab{cfg: c}
	l.cfg.Record, l.cfg.Exchange = l.event, l.exchange
	l.own = Tap{c.Record, c.Exchange}
	l.ctx, l.stop = context.WithCancel(context.WithoutCancel(ctx))
	if c.DNS {
		if err := l.openZone(); err != nil {
			return l, err
		}
	}
	sc := c.Stack
	sc.Base, sc.Record = c.Base, l.event
	sc.Link = func(_ context.Context, n *stack.Node) (string, error) { return l.open(n.Name, n, n.Addr) }
	var err error
	if l.Stack, err = stack.Start(ctx, sc); err != nil {
		return l, fmt.Errorf("starting the stack: %w", err)
	}
	if sc.Cache == stack.Replicated {
		err = l.openEndpoints()
	}
	return l, errors.Join(err, l.writeResolvConf())
}

func (l *Lab) openEndpoints() error {
	servers := l.Stack.Servers()
	if _, err := l.open(Primary, servers[0], servers[0].Addr); err != nil {
		return err
	}
	_, err := l.open(Reader, servers[1], servers[1].Addr)
	return err
}

// open opens a link called name before n and returns the address at which others
// find n.
func (l *Lab) open(name string, n *stack.Node, upstream string) (string, error) {
	one := &Link{Name: name, Node: n, base: l.cfg.Base}
	var gate *link.Gate
	if l.zone == nil {
		var err error
		if gate, err = l.openGate(one, l.cfg.Listen[name], upstream, 0); err != nil {
			return "", err
		}
		one.Gate = gate
	} else {
		all := &named{name: name, zone: l.zone}
		all.open = func(listen, upstream string, nth int) (*link.Gate, error) {
			return l.openGate(one, listen, upstream, nth)
		}
		if err := all.Point(upstream); err != nil {
			return "", err
		}
		one.Gate, gate = all, all.current().Gate
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.links = append(l.links, one)
	return gate.Addr(), nil
}

// openGate opens the nth gate of a link and lets it run.
func (l *Lab) openGate(one *Link, listen, upstream string, nth int) (*link.Gate, error) {
	cfg := link.Config{
		Name: one.Name, Listen: listen, Upstream: upstream,
		Base: l.cfg.Base, Record: l.cfg.Record, Seed: l.cfg.Seed,
		Exchange: func(e results.Exchange) { one.meter.count(e); l.cfg.Exchange(e) },
		Protocol: protocol(one.Node), Roles: roles(),
	}
	if nth > 0 {
		renumber(&cfg, nth)
	}
	if server := one.Node.TLS; server != nil {
		shown, err := l.cfg.Stack.TLS.Issue(l.hosts(one.Name, listen)...)
		if err != nil {
			return nil, fmt.Errorf("opening link %s: %w", one.Name, err)
		}
		cfg.TLS = &link.TLS{Client: &tls.Config{Certificates: []tls.Certificate{shown}}, Server: server}
	}
	gate := link.New(cfg)
	if err := gate.Listen(); err != nil {
		return nil, err
	}
	l.running.Go(func() error { return gate.Run(l.ctx) })
	<-gate.Began() // Run fails before only if the gate had run already
	return gate, nil
}

// hosts are those under which clients may know a gate.
func (l *Lab) hosts(name, listen string) []string {
	all := []string{"127.0.0.1", "localhost"}
	if l.zone != nil {
		ip, _, _ := net.SplitHostPort(listen)
		all = append(all, l.zone.server.Name(name), ip)
	}
	return all
}

// mostNodes is more than any topology has of a kind.
const mostNodes = 16

// roles tells servers from clients by the addresses that they connect from; see
// stack.Node.
func roles() map[netip.Addr]chaos.Whom {
	all := map[netip.Addr]chaos.Whom{}
	for n := range byte(mostNodes) {
		all[netip.AddrFrom4([4]byte{127, 0, 1, n})] = chaos.Replicas
		all[netip.AddrFrom4([4]byte{127, 0, 2, n})] = chaos.Sentinels
	}
	return all
}

// protocol is what n speaks.
func protocol(n *stack.Node) wire.Protocol {
	if n.Name == results.LinkDatabase {
		return pgwire.Protocol()
	}
	return resp.Protocol()
}

// Links lists the links: those of servers, then endpoints.
func (l *Lab) Links() []*Link {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]*Link(nil), l.links...)
}

// Link returns the link called name, nil if there is none.
func (l *Lab) Link(name string) *Link {
	for _, one := range l.Links() {
		if one.Name == name {
			return one
		}
	}
	return nil
}

// Close ends links and stack. The error says what could not be ended in order, or
// what a link could not do while it lived.
func (l *Lab) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	l.stop()
	err := l.running.Wait()
	if l.Stack != nil {
		err = errors.Join(err, l.Stack.Close(ctx))
	}
	return err
}
