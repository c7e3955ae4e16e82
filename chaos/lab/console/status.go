package console

import (
	"context"
	"fmt"
	"io"
	"time"

	"brownout/chaos/stack"
)

// statusTimeout bounds what a server may take to say how it is.
const statusTimeout = time.Second

func (c *Console) runStatus(ctx context.Context, _ []string, out io.Writer) error {
	fmt.Fprintf(out, "%-12s %-21s %-21s %5s %8s %10s %10s\n", "link", "address", "leads to", "live", "connects", "bytes up", "down")
	for _, l := range c.lab.Links() {
		s := l.Stats()
		fmt.Fprintf(out, "%-12s %-21s %-21s %5d %8d %10d %10d\n", l.Name, l.Addr(), l.Upstream(), s.Live, s.Opened, s.Up, s.Down)
	}
	for _, n := range c.lab.Stack.Servers() {
		fmt.Fprintf(out, "%-12s %s\n", n.Name, role(ctx, n))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range c.inForce {
		fmt.Fprintf(out, "in force: %s\n", h.fault)
	}
	if c.failover {
		fmt.Fprintln(out, "a failover is going on")
	}
	return nil
}

// role says what a server of the cache says that it is.
func role(ctx context.Context, n *stack.Node) string {
	if p := n.Process(); p != nil && p.Exited() {
		return "gone"
	}
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	reply, err := n.Do(ctx, "ROLE")
	switch {
	case err != nil:
		return "does not answer: " + err.Error()
	case len(reply.List) >= 5:
		return fmt.Sprintf("replica of %s:%s, %s, offset %s", reply.List[1].Text, reply.List[2].Text, reply.List[3].Text, reply.List[4].Text)
	case len(reply.List) >= 3:
		return fmt.Sprintf("primary, %d replicas, offset %s", len(reply.List[2].List), reply.List[1].Text)
	}
	return "says nothing of its role"
}

func (c *Console) runURLs(_ context.Context, _ []string, out io.Writer) error {
	for _, a := range c.lab.Addresses() {
		fmt.Fprintf(out, "%-20s %s\n", a.Name, a.Value)
	}
	return nil
}
