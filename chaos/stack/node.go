package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"syscall"
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
)

// A Node is one server of the stack. Kind is the truth about it: a Config that
// asks for redis gets a valkey where no redis-server is found.
type Node struct {
	Name     string   // results.LinkCache or results.LinkDatabase; events and samples use it too
	Kind     string   // Redis, Valkey, Postgres
	Provider string   // External, Local
	Version  string   // as the running server says it
	Addr     string   // host:port
	URL      string   // with user, password and database
	Process  *Process // nil: external
}

// URLAt returns the node's URL with its host and port replaced by addr
// ("host:port"), which is where a link to the node listens.
func (n *Node) URLAt(addr string) string {
	u, err := url.Parse(n.URL)
	if err != nil {
		return n.URL // not reached: Start has parsed it
	}
	u.Host = addr
	return u.String()
}

// localNode is a node that has been started and is not known to be ready.
func localNode(name string, s Server, p *Process, port int) *Node {
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	return &Node{Name: name, Kind: s.Kind, Version: s.Version, Provider: Local, Addr: addr, Process: p}
}

// ready returns a node that answered, or ends its process.
func ready(ctx context.Context, n *Node, err error) (*Node, error) {
	if err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		return nil, errors.Join(fmt.Errorf("starting %s: %w", n.Kind, err), n.stop(ctx))
	}
	n.Process.Ready(fmt.Sprintf("%s %s at %s", n.Kind, n.Version, n.Addr))
	return n, nil
}

func (n *Node) stop(ctx context.Context) error {
	if n.Process == nil {
		return nil
	}
	return n.Process.Stop(ctx, stopSignal(n.Kind))
}

// stopSignal is how a server is asked to end without waiting for its clients.
func stopSignal(kind string) syscall.Signal {
	if kind == Postgres {
		return syscall.SIGINT // fast shutdown; SIGTERM would wait for the clients
	}
	return syscall.SIGTERM
}

// parseURL parses the URL of an external server. It must name one host: a link
// can only be put in front of that.
func parseURL(text string, port string, schemes ...string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		var parse *url.Error // its text would show the password
		if errors.As(err, &parse) {
			err = parse.Err
		}
		return nil, fmt.Errorf("the URL cannot be read: %w", err)
	}
	switch {
	case !slices.Contains(schemes, u.Scheme):
		return nil, fmt.Errorf("the URL begins with %q; want %s://host:port", u.Scheme, schemes[0])
	case u.Hostname() == "":
		return nil, fmt.Errorf("%s names no host; want %s://host:port", u.Redacted(), schemes[0])
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), port)
	}
	return u, nil
}
