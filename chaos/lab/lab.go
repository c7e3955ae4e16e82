// Package lab brings up a stack with a link in front of every server, and takes it
// down again.
//
// The one idea: nothing talks to a server but through a link, neither clients nor
// the servers among themselves. Where clients find a server by a name that moves,
// the name is a link too: an endpoint.
//
// What is done to the lab while it stands is decided by others: scenarios/run, or a
// person. No load is sent and nothing is judged here.
package lab

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
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
}

// A Lab is a stack with its links. Its methods are safe for concurrent use.
type Lab struct {
	Stack *stack.Stack

	cfg     Config
	ctx     context.Context // of the links
	stop    context.CancelFunc
	running errgroup.Group

	mu    sync.Mutex
	links []*Link // in the order of opening
}

// A Link is a gate and what it leads to.
type Link struct {
	*link.Gate
	Name string
	Node *stack.Node // at the start; an endpoint can be pointed elsewhere
}

// Open brings a lab up. It is returned also with an error, and is then to be closed
// as well. The links live until Close, also when ctx is done.
func Open(ctx context.Context, c Config) (*Lab, error) {
	if c.Base.IsZero() {
		c.Base = time.Now()
	}
	l := &Lab{cfg: c}
	l.ctx, l.stop = context.WithCancel(context.WithoutCancel(ctx))
	sc := c.Stack
	sc.Base, sc.Record = c.Base, c.Record
	sc.Link = func(_ context.Context, n *stack.Node) (string, error) { return l.open(n.Name, n, n.Addr) }
	var err error
	if l.Stack, err = stack.Start(ctx, sc); err != nil {
		return l, fmt.Errorf("starting the stack: %w", err)
	}
	if sc.Cache == stack.Replicated {
		err = l.openEndpoints()
	}
	return l, err
}

func (l *Lab) openEndpoints() error {
	servers := l.Stack.Servers()
	if _, err := l.open(Primary, servers[0], servers[0].Addr); err != nil {
		return err
	}
	_, err := l.open(Reader, servers[1], servers[1].Addr)
	return err
}

// open opens a link called name before n and returns its address.
func (l *Lab) open(name string, n *stack.Node, upstream string) (string, error) {
	cfg := link.Config{
		Name: name, Listen: l.cfg.Listen[name], Upstream: upstream,
		Base: l.cfg.Base, Record: l.cfg.Record, Exchange: l.cfg.Exchange, Seed: l.cfg.Seed,
		Protocol: protocol(n), Roles: roles(),
	}
	if n.TLS != nil {
		shown, err := l.cfg.Stack.TLS.Issue("127.0.0.1", "localhost")
		if err != nil {
			return "", fmt.Errorf("opening link %s: %w", name, err)
		}
		cfg.TLS = &link.TLS{Client: &tls.Config{Certificates: []tls.Certificate{shown}}, Server: n.TLS}
	}
	gate := link.New(cfg)
	if err := gate.Listen(); err != nil {
		return "", err
	}
	l.mu.Lock()
	l.links = append(l.links, &Link{Gate: gate, Name: name, Node: n})
	l.mu.Unlock()
	l.running.Go(func() error { return gate.Run(l.ctx) })
	return gate.Addr(), nil
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
