package stack

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"brownout/chaos/ca"
	"brownout/chaos/stack/admin"
)

// The kinds of server.
const (
	Redis    = "redis"
	Valkey   = "valkey"
	Postgres = "postgres"
	None     = "none" // in a Config: do without
)

// The providers of a node.
const (
	External = "external" // a URL that the user gave
	Local    = "local"    // a server binary of this machine
	Docker   = "docker"   // a container of a Docker engine on this machine
)

// A Role is what a node is in its topology.
type Role string

// The roles. A failover changes them; see Stack.Primaries.
const (
	RolePrimary  Role = "primary" // also of a server that stands alone
	RoleReplica  Role = "replica"
	RoleSentinel Role = "sentinel"
)

// A Node is one server of the stack. Kind is the truth about it: a Config that
// asks for redis gets a valkey where no redis-server is found. Its fields do not
// change once Start has returned; its methods are safe for concurrent use.
type Node struct {
	// Name is what links, events and samples are called after: results.LinkCache or
	// results.LinkDatabase for a server that stands alone; cache-1, cache-2, … and
	// sentinel-1, … in a topology, primaries first.
	Name     string
	Kind     string // Redis, Valkey, Postgres; of a Sentinel what it is a mode of
	Provider string // External, Local, Docker
	Version  string // as the running server says it
	Role     Role   // at start
	Addr     string // its own host:port
	Link     string // host:port under which all others find it; see Config.Link
	// Source is the address from which the server connects to others, which tells it
	// from clients: 127.0.1.N for cache-N, 127.0.2.N for sentinel-N. Stacks share
	// them. Empty: it connects to nobody.
	Source string
	URL    string // with user, password and database; at Addr, see URLAt
	// TLS is what a client at Addr needs, usually the link: whom to trust and which
	// name to expect. It is there when Config.Link is called. Nil: the server does not
	// speak TLS, or, when it is external, as its URL says.
	TLS *tls.Config

	admin   admin.Server // how the harness itself reaches a cache or Sentinel
	program program      // nil: external
	ports   []*port      // kept for it

	restart sync.Mutex // held while the node is restarted
	mu      sync.Mutex
	process *Process // nil: external, or not started
}

// A program is how a node of our own is run.
type program interface {
	// spawn starts the process.
	spawn(ctx context.Context) (*Process, error)
	// ask asks the node who it is. It is no error when it is of use.
	ask(ctx context.Context, n *Node) (identity, error)
	// stop ends a process without waiting for its clients.
	stop(ctx context.Context, p *Process) error
}

// A store is a program that must be told to write what is in memory to the disk, and
// can remove that. What PostgreSQL has committed is in its files.
type store interface {
	save(ctx context.Context, n *Node) error
	erase() error
}

// An identity is what a server says about itself.
type identity struct {
	kind, version string
	pid           int // 0: it does not say
}

// Process returns the node's process, nil when it is external. After a Restart it
// is another one.
func (n *Node) Process() *Process {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.process
}

// localNode is a node that is to be started on this machine, with an address that is kept for it.
func localNode(name string, role Role, s Server, authority *ca.Authority) (*Node, error) {
	p, err := keepPort()
	if err != nil {
		return nil, err
	}
	return &Node{
		Name: name, Role: role, Kind: s.Kind, Version: s.Version, Provider: s.provider(),
		Addr: p.addr(), TLS: clientTLS(authority), ports: []*port{p},
	}, nil
}

// link asks for the address under which the others are to find the node.
func (n *Node) link(ctx context.Context, c Config) error {
	addr, err := c.Link(ctx, n)
	if err != nil {
		return fmt.Errorf("linking %s: %w", n.Name, err)
	}
	if _, err := netip.ParseAddrPort(addr); err != nil && n.Provider != External {
		return fmt.Errorf("linking %s: its address is %q; want an IP address and a port", n.Name, addr)
	}
	n.Link = addr
	return nil
}

// start starts a node for the first time and learns what it is.
func (n *Node) start(ctx context.Context) error {
	id, err := n.launch(ctx)
	if err != nil {
		return fmt.Errorf("starting %s: %w", n.Name, err)
	}
	n.Kind, n.Version = id.kind, id.version
	return nil
}

// launch starts the node's process and returns when it answers. A process that
// does not answer is the node's too: who stops the node stops it.
func (n *Node) launch(ctx context.Context) (id identity, err error) {
	p, err := n.program.spawn(ctx)
	if err != nil {
		return identity{}, err
	}
	n.mu.Lock()
	n.process = p
	n.mu.Unlock()
	err = await(ctx, func(ctx context.Context) error {
		id, err = n.program.ask(ctx, n)
		return err
	}, p)
	if err == nil {
		p.Ready(fmt.Sprintf("%s %s at %s", id.kind, id.version, n.Addr))
	}
	return id, err
}

// stop ends the node's process, if it has one.
func (n *Node) stop(ctx context.Context) error {
	p := n.Process()
	if p == nil {
		return nil
	}
	return n.program.stop(ctx, p)
}

// leave stops the node for good. What would keep its disk is removed, at once and
// also when ctx is done.
func (n *Node) leave(ctx context.Context) error {
	container, ok := n.program.(interface{ remove(context.Context) error })
	if !ok {
		return n.stop(ctx)
	}
	if p := n.Process(); p != nil {
		p.ask()
	}
	rctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), engineTimeout)
	defer cancel()
	if err := container.remove(rctx); err != nil {
		return err
	}
	if p := n.Process(); p != nil {
		_ = p.Wait(rctx) // how it ended is no matter of who leaves
	}
	return nil
}

// close stops the node and gives its ports back.
func (n *Node) close(ctx context.Context) error {
	err := n.leave(ctx)
	var errs []error
	for _, p := range n.ports {
		errs = append(errs, p.release())
	}
	return errors.Join(append(errs, err)...)
}
