package stack

import (
	"context"
	"fmt"

	"brownout/chaos/stack/admin"
)

// Do sends a command straight to a cache node or Sentinel, past its link, as a user
// who may do everything, and returns what comes back. An error reply is an
// *admin.Error.
func (n *Node) Do(ctx context.Context, words ...string) (admin.Reply, error) {
	r, err := n.admin.Do(ctx, words...)
	if err != nil {
		return admin.Reply{}, fmt.Errorf("telling %s %s: %w", n.Name, words[0], err)
	}
	return r, nil
}

// Promote makes a replica a primary (REPLICAOF NO ONE). Its former primary stays
// one. The node stays what it became when it is restarted.
func (n *Node) Promote(ctx context.Context) error { return n.replicaOf(ctx, "NO", "ONE") }

// Follow makes a node a replica of primary (REPLICAOF), through primary's link. It
// returns when the node has accepted it, which is before it is in sync; see
// Stack.Await. Connections stay open, and get READONLY for their writes.
func (n *Node) Follow(ctx context.Context, primary *Node) error {
	host, port := splitAddr(primary.Link)
	return n.replicaOf(ctx, host, port)
}

func (n *Node) replicaOf(ctx context.Context, host, port string) error {
	if _, err := n.Do(ctx, "REPLICAOF", host, port); err != nil {
		return err
	}
	if n.Provider == External {
		return nil // its configuration file is not ours
	}
	_, err := n.Do(ctx, "CONFIG", "REWRITE")
	return err
}

// SentinelFailover makes the Sentinel n fail over, without asking the others
// (SENTINEL FAILOVER). It returns when n has begun.
func (n *Node) SentinelFailover(ctx context.Context) error {
	_, err := n.Do(ctx, "SENTINEL", "FAILOVER", SentinelPrimary)
	return err
}

// The ways of a ClusterFailover, in the words of CLUSTER FAILOVER.
const (
	Agreed   = ""         // the primary stops its clients until the replica has everything
	Force    = "FORCE"    // the primary is not asked, the other primaries are
	TakeOver = "TAKEOVER" // nobody is asked
)

// ClusterFailover makes a replica of a cluster the primary of its shard. It returns
// when the replica has begun.
func (n *Node) ClusterFailover(ctx context.Context, way string) error {
	words := []string{"CLUSTER", "FAILOVER"}
	if way != Agreed {
		words = append(words, way)
	}
	_, err := n.Do(ctx, words...)
	return err
}

// AskRole asks a cache node what it is now (ROLE).
func (n *Node) AskRole(ctx context.Context) (Role, error) {
	role, err := n.admin.Role(ctx)
	if err != nil {
		return "", fmt.Errorf("asking %s for its role: %w", n.Name, err)
	}
	switch role.Name {
	case admin.Master:
		return RolePrimary, nil
	case admin.Slave:
		return RoleReplica, nil
	}
	return RoleSentinel, nil
}
