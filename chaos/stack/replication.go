package stack

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"brownout/chaos/stack/admin"
)

// startStreams waits until all replicas are connected, and then writes once to
// each primary, so that no offset is zero: a Redis 7.0 hides a replica whose offset
// is zero from CLUSTER SLOTS, and a Sentinel's first look at a replica tells more.
// FLUSHALL is a write that needs no key, and there is nothing yet to be flushed.
func (s *Stack) startStreams(ctx context.Context, primaries []*Node) error {
	nodes := s.Servers()
	if err := s.awaitAll(ctx, nodes, func(ctx context.Context) error { return s.connected(ctx, len(primaries)) }); err != nil {
		return err
	}
	for _, n := range primaries {
		if _, err := n.Do(ctx, "FLUSHALL"); err != nil {
			return fmt.Errorf("writing to %s: %w", n.Name, err)
		}
	}
	return s.awaitAll(ctx, nodes, func(ctx context.Context) error { return s.inSync(ctx, len(primaries)) })
}

// connected is nil when there are so many primaries, and every other node is a
// replica that is connected to one of them.
func (s *Stack) connected(ctx context.Context, primaries int) error {
	roles, err := askRoles(ctx, s.Servers())
	if err != nil {
		return err
	}
	return agree(roles, primaries)
}

// agree is nil when there are so many primaries among roles, and primaries and
// replicas know each other, by link.
func agree(roles map[*Node]admin.Role, primaries int) error {
	followed := map[string]bool{} // primaries, and whom they know
	for n, role := range roles {
		if role.Name == admin.Master {
			followed[n.Link] = true
			for _, replica := range role.Replicas {
				followed[replica] = true
			}
		}
	}
	found := 0
	for n, role := range roles {
		switch {
		case role.Name == admin.Master:
			found++
		case role.State != "connected":
			return fmt.Errorf("replica %s is in state %q", n.Name, role.State)
		case !followed[role.Primary]:
			return fmt.Errorf("replica %s follows %s, which is no primary", n.Name, role.Primary)
		case !followed[n.Link]:
			return fmt.Errorf("no primary knows replica %s", n.Name)
		}
	}
	if found != primaries {
		return fmt.Errorf("there are %d primaries, want %d", found, primaries)
	}
	return nil
}

// inSync is nil when, beside what connected asks for, every replica has got some of
// its primary's stream, and has it up to now.
func (s *Stack) inSync(ctx context.Context, primaries int) error {
	if err := s.connected(ctx, primaries); err != nil {
		return err
	}
	for _, n := range s.Servers() {
		fields, err := n.admin.Info(ctx, "replication")
		if err == nil && fields["role"] == admin.Slave {
			err = streaming(fields)
		}
		if err != nil {
			return fmt.Errorf("replica %s: %w", n.Name, err)
		}
	}
	return nil
}

// streaming is nil when INFO replication of a replica says that it is in sync.
func streaming(fields map[string]string) error {
	switch {
	case fields["master_link_status"] != "up":
		return fmt.Errorf("its link to the primary is %q", fields["master_link_status"])
	case fields["slave_repl_offset"] == "0":
		return errors.New("its offset is 0")
	}
	return nil
}

// askRoles asks nodes for their roles. All must answer.
func askRoles(ctx context.Context, nodes []*Node) (map[*Node]admin.Role, error) {
	roles := map[*Node]admin.Role{}
	for i, answer := range askEach(ctx, nodes) {
		if answer.err != nil {
			return nil, answer.err
		}
		roles[nodes[i]] = answer.role
	}
	return roles, nil
}

// A roleAnswer is what a node said to ROLE, or why it did not.
type roleAnswer struct {
	role admin.Role
	err  error
}

// askEach asks nodes for their roles, all at once.
func askEach(ctx context.Context, nodes []*Node) []roleAnswer {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	answers := make([]roleAnswer, len(nodes))
	var group sync.WaitGroup
	for i, n := range nodes {
		group.Go(func() {
			role, err := n.admin.Role(ctx)
			if err != nil {
				err = fmt.Errorf("asking %s for its role: %w", n.Name, err)
			}
			answers[i] = roleAnswer{role, err}
		})
	}
	group.Wait()
	return answers
}
