package lab

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"

	"brownout/chaos/stack"
)

// An Address is one thing that a client needs to find what is in the lab, under the
// name of a variable.
type Address struct{ Name, Value string }

// Addresses lists what clients need: a URL and its parts, for each thing that they
// can connect to.
func (l *Lab) Addresses() []Address {
	var all []Address
	switch l.cfg.Stack.Cache {
	case stack.Replicated:
		all = append(parts("REDIS", l.url(Primary)), Address{"REDIS_READER_URL", l.url(Reader)})
	case stack.Sentinel:
		all = append(all, Address{"REDIS_SENTINELS", l.list(l.Stack.Sentinels())}, Address{"REDIS_SENTINEL_PRIMARY", stack.SentinelPrimary})
	case stack.Cluster:
		all = append(all, Address{"REDIS_CLUSTER_NODES", l.list(l.Stack.Servers())})
	case stack.Redis, stack.Valkey:
		all = parts("REDIS", l.url(l.Stack.Cache.Name))
	}
	if file := l.PasswordFile(); file != "" {
		all = append(all, Address{"REDIS_PASSWORD_FILE", file})
	}
	if l.Stack.Database != nil {
		all = append(all, parts("DATABASE", l.url(l.Stack.Database.Name))...)
	}
	if l.Stack.CAFile != "" {
		all = append(all, Address{"CA_FILE", l.Stack.CAFile})
	}
	if r, ok := l.Resolver(); ok {
		all = append(all, Address{"DNS", r.Addr})
	}
	return all
}

// CacheURL is the URL at which clients find the cache, empty without one. That of
// a replicated cache leads to the primary. Sentinels and clusters have no URL form
// that all clients know: theirs is the one that go-redis reads (ParseFailoverURL,
// ParseClusterURL), with +sentinel or +cluster in its scheme to tell them apart.
func (l *Lab) CacheURL() string {
	switch l.cfg.Stack.Cache {
	case stack.Replicated:
		return l.url(Primary)
	case stack.Sentinel:
		return l.listURL("+sentinel", l.Stack.Sentinels(), url.Values{"master_name": {stack.SentinelPrimary}})
	case stack.Cluster:
		return l.listURL("+cluster", l.Stack.Servers(), url.Values{})
	}
	if l.Stack.Cache == nil {
		return ""
	}
	return l.url(l.Stack.Cache.Name)
}

// listURL names several nodes, and the user of the first server. At Sentinels, who
// ask for none, it stands where go-redis looks for that of the servers.
func (l *Lab) listURL(suffix string, nodes []*stack.Node, query url.Values) string {
	u, err := url.Parse(l.current(l.Stack.Cache.URL))
	if err != nil {
		return "" // not reached: the URL was made here
	}
	u.Scheme, u.Host = u.Scheme+suffix, nodes[0].Link
	for _, n := range nodes[1:] {
		query.Add("addr", n.Link)
	}
	if password, ok := u.User.Password(); ok && l.cfg.Stack.Cache == stack.Sentinel {
		query.Set("username", u.User.Username())
		query.Set("password", password)
		u.User = nil
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// Topology is what the cache is; see chaos/stack.
func (l *Lab) Topology() string { return l.cfg.Stack.Cache }

// Password is what clients of the cache must give now, empty for none.
func (l *Lab) Password() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return cmp.Or(l.password, l.cfg.Stack.Password)
}

// DatabaseURL is the URL at which clients find the database, empty without one.
func (l *Lab) DatabaseURL() string {
	if l.Stack.Database == nil {
		return ""
	}
	return l.url(l.Stack.Database.Name)
}

// Behind is the server that a link leads to: its own, or for an endpoint the one
// that has its part now.
func (l *Lab) Behind(ctx context.Context, name string) (*stack.Node, error) {
	one := l.Link(name)
	switch {
	case one == nil:
		return nil, fmt.Errorf("there is no link %q", name)
	case name == Primary:
		return l.Stack.Primary(ctx)
	}
	for _, n := range l.Stack.Nodes {
		if n.Addr == one.Upstream() {
			return n, nil
		}
	}
	return one.Node, nil
}

// url is that of what a link leads to, at the link.
func (l *Lab) url(name string) string {
	one := l.Link(name)
	text := one.Node.URLAt(one.Addr())
	if one.Node == l.Stack.Database {
		return text
	}
	return l.current(text)
}

func (l *Lab) list(nodes []*stack.Node) string {
	var addrs []string
	for _, n := range nodes {
		addrs = append(addrs, n.Link)
	}
	return strings.Join(addrs, ",")
}

// parts are a URL, and what it is made of for those who want it so.
func parts(prefix, text string) []Address {
	all := []Address{{prefix + "_URL", text}}
	u, err := url.Parse(text)
	if err != nil {
		return all // not reached: the URL was made here
	}
	host, port, _ := net.SplitHostPort(u.Host)
	all = append(all, Address{prefix + "_HOST", host}, Address{prefix + "_PORT", port})
	if u.User == nil {
		return all
	}
	if name := u.User.Username(); name != "" {
		all = append(all, Address{prefix + "_USER", name})
	}
	if password, ok := u.User.Password(); ok {
		all = append(all, Address{prefix + "_PASSWORD", password})
	}
	return all
}
