package stack

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
)

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

// splitAddr splits an address that is known to be host:port.
func splitAddr(addr string) (host, port string) {
	host, port, _ = net.SplitHostPort(addr)
	return host, port
}
