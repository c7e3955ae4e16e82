package console

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"brownout/chaos/lab"
	"brownout/chaos/stack"
	"brownout/chaos/stack/admin"
)

// stateTimeout bounds what a server may take to say how it is.
const stateTimeout = time.Second

// table is a heading and a line about each link.
func (c *Console) table(ctx context.Context) []string {
	states := c.states(ctx)
	lines := []string{fmt.Sprintf("%-12s %-12s %5s %10s %8s  %s", "link", "leads to", "live", "commands/s", "errors", "the server behind it")}
	for _, l := range c.lab.Links() {
		to, state := l.Upstream(), ""
		if n := c.behind(l); n != nil {
			to, state = n.Name, states[n]
		}
		traffic := l.Traffic()
		lines = append(lines, fmt.Sprintf("%-12s %-12s %5d %10d %8d  %s", l.Name, to, l.Stats().Live, traffic.Rate, traffic.Errors, state))
	}
	return lines
}

// behind is the server that l leads to now.
func (c *Console) behind(l *lab.Link) *stack.Node {
	to := l.Upstream()
	for _, n := range c.lab.Stack.Nodes {
		if n.Addr == to {
			return n
		}
	}
	return nil
}

// A role is what a server says of itself, or why it does not.
type role struct {
	reply admin.Reply // to ROLE; empty: none
	text  string      // instead
}

// states asks all servers side by side, and says of each what it is.
func (c *Console) states(ctx context.Context) map[*stack.Node]string {
	ctx, cancel := context.WithTimeout(ctx, stateTimeout)
	defer cancel()
	var mu sync.Mutex
	var asking sync.WaitGroup
	roles := map[*stack.Node]role{}
	for _, n := range c.lab.Stack.Nodes {
		asking.Go(func() {
			r := ask(ctx, n, n == c.lab.Stack.Database)
			mu.Lock()
			defer mu.Unlock()
			roles[n] = r
		})
	}
	asking.Wait()
	states := map[*stack.Node]string{}
	for n, r := range roles {
		states[n] = r.say(roles)
	}
	return states
}

// ask asks a server of a cache for its role.
func ask(ctx context.Context, n *stack.Node, database bool) role {
	if p := n.Process(); p != nil && p.Exited() {
		return role{text: "gone"}
	}
	if database {
		return role{text: "runs"}
	}
	reply, err := n.Do(ctx, "ROLE")
	if err != nil {
		return role{text: "does not answer"}
	}
	return role{reply: reply}
}

// say puts the answer in words. roles are those of all servers.
func (r role) say(roles map[*stack.Node]role) string {
	list := r.reply.List
	switch {
	case len(list) == 0:
		return r.text
	case list[0].Text == "sentinel":
		return "sentinel"
	case list[0].Text == "slave" && len(list) >= 5:
		return "replica, " + r.lag(roles)
	case list[0].Text == "master" && len(list) >= 3:
		return "primary, replicas: " + fmt.Sprint(len(list[2].List))
	}
	return "says nothing of its role"
}

// lag is how far a replica is behind its primary, as far as both tell at nearly the
// same moment.
func (r role) lag(roles map[*stack.Node]role) string {
	list := r.reply.List
	if state := list[3].Text; state != "connected" {
		return "its primary is not connected (" + state + ")"
	}
	at := net.JoinHostPort(list[1].Text, list[2].Text)
	for n, primary := range roles {
		if n.Link == at && len(primary.reply.List) >= 2 {
			return fmt.Sprintf("%d bytes behind %s", max(0, number(primary.reply.List[1])-number(list[4])), n.Name)
		}
	}
	return "lag unknown"
}

// number is a reply as a number, 0 when it is none.
func number(r admin.Reply) int64 {
	n, _ := strconv.ParseInt(r.Text, 10, 64)
	return n
}
