package stack

import (
	"context"
	"fmt"
	"strconv"

	"brownout/chaos/stack/admin"
)

// Primaries lists the cache nodes that call themselves primary now (ROLE). Nodes
// that do not answer are left out; it is an error when none answers.
func (s *Stack) Primaries(ctx context.Context) ([]*Node, error) {
	var primaries []*Node
	var errs []error
	servers := s.Servers()
	for i, answer := range askEach(ctx, servers) {
		switch {
		case answer.err != nil:
			errs = append(errs, answer.err)
		case answer.role.Name == admin.Master:
			primaries = append(primaries, servers[i])
		}
	}
	if len(errs) > 0 && len(errs) == len(servers) {
		return nil, fmt.Errorf("no cache node answers: %w", errs[0])
	}
	return primaries, nil
}

// Primary is the one cache node that calls itself primary now. Nodes that do not
// answer are left out.
func (s *Stack) Primary(ctx context.Context) (*Node, error) {
	all, err := s.Primaries(ctx)
	if err != nil {
		return nil, err
	}
	if len(all) != 1 {
		return nil, fmt.Errorf("%d cache nodes call themselves primary, want one", len(all))
	}
	return all[0], nil
}

// ByLink returns the node that the others find at addr, nil if there is none.
func (s *Stack) ByLink(addr string) *Node {
	for _, n := range s.Nodes {
		if n.Link == addr {
			return n
		}
	}
	return nil
}

// PrimaryBySentinel returns the node that the Sentinel n names as primary (SENTINEL
// GET-MASTER-ADDR-BY-NAME), which is what it tells clients.
func (s *Stack) PrimaryBySentinel(ctx context.Context, n *Node) (*Node, error) {
	addr, err := n.admin.MasterAddr(ctx, SentinelPrimary)
	if err != nil {
		return nil, fmt.Errorf("asking %s for the primary: %w", n.Name, err)
	}
	return s.found(n, addr)
}

func (s *Stack) found(by *Node, addr string) (*Node, error) {
	if n := s.ByLink(addr); n != nil {
		return n, nil
	}
	return nil, fmt.Errorf("%s names %s, where no node is", by.Name, addr)
}

// A Shard is a range of slots and who serves it.
type Shard struct {
	From, To int // both inclusive
	Primary  *Node
	Replicas []*Node
}

// Shards lists who serves which slots in the eyes of n, a node of a cluster (CLUSTER
// SLOTS), which is what it tells clients. Replicas that n thinks of as failed, or
// whose stream has not begun, are not listed.
func (s *Stack) Shards(ctx context.Context, n *Node) ([]Shard, error) {
	slots, err := n.admin.Slots(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking %s for the slots: %w", n.Name, err)
	}
	var shards []Shard
	for _, one := range slots {
		shard := Shard{From: one.From, To: one.To}
		if shard.Primary, err = s.found(n, one.Primary); err != nil {
			return nil, err
		}
		for _, addr := range one.Replicas {
			replica, err := s.found(n, addr)
			if err != nil {
				return nil, err
			}
			shard.Replicas = append(shard.Replicas, replica)
		}
		shards = append(shards, shard)
	}
	return shards, nil
}

// Lag is how many bytes of the stream of replication n is behind primary, connected
// to it or not. They are asked one after the other, primary last; the stream goes on
// meanwhile, so that it is not negative.
func (n *Node) Lag(ctx context.Context, primary *Node) (int64, error) {
	behind, err := n.offset(ctx)
	if err != nil {
		return 0, err
	}
	ahead, err := primary.offset(ctx)
	if err != nil {
		return 0, err
	}
	return ahead - behind, nil
}

// offset is how far the node's stream of replication has come. ROLE would not tell
// it of a replica that is not connected.
func (n *Node) offset(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	fields, err := n.admin.Info(ctx, "replication")
	if err != nil {
		return 0, fmt.Errorf("asking %s for its offset: %w", n.Name, err)
	}
	name := "master_repl_offset"
	if fields["role"] == admin.Slave {
		name = "slave_repl_offset"
	}
	offset, err := strconv.ParseInt(fields[name], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("asking %s for its offset: %w", n.Name, err)
	}
	return offset, nil
}
