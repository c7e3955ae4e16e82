package stack

import (
	"context"
	"fmt"

	"brownout/chaos/stack/admin"
)

// settled is nil when the servers are in sync and the Sentinels content with them.
func (s *Stack) settled(ctx context.Context) error {
	if err := s.inSync(ctx, 1); err != nil {
		return err
	}
	return s.watched(ctx)
}

// watched is nil when every Sentinel sees the same primary, which agrees, and all
// the others, and knows of no trouble.
func (s *Stack) watched(ctx context.Context) error {
	primary, err := s.Primary(ctx)
	if err != nil {
		return err
	}
	for _, n := range s.Sentinels() {
		if err := s.sees(ctx, n, primary); err != nil {
			return fmt.Errorf("%s: %w", n.Name, err)
		}
	}
	return nil
}

// sees is nil when the Sentinel n sees primary and all the others, and no trouble.
func (s *Stack) sees(ctx context.Context, n, primary *Node) error {
	seen, err := n.admin.Monitored(ctx, SentinelPrimary)
	switch {
	case err != nil:
		return err
	case seen.Addr() != primary.Link:
		return fmt.Errorf("its primary is %s, not %s", seen.Addr(), primary.Link)
	case !seen.Is(admin.Master):
		return fmt.Errorf("it sees the primary as %q", seen["flags"])
	}
	replicas, err := n.admin.Replicas(ctx, SentinelPrimary)
	if err != nil {
		return err
	}
	if err := seesReplicas(replicas, primary.Link); err != nil {
		return err
	}
	others, err := n.admin.Sentinels(ctx, SentinelPrimary)
	if err != nil {
		return err
	}
	return seesOthers(others)
}

func seesReplicas(replicas []admin.Seen, primary string) error {
	for _, r := range replicas {
		follows := r["master-host"] + ":" + r["master-port"]
		if !r.Is(admin.Slave) || r["master-link-status"] != "ok" || r["slave-repl-offset"] == "0" || follows != primary {
			return fmt.Errorf("it sees replica %s as %q, link %s, offset %s, following %s",
				r.Addr(), r["flags"], r["master-link-status"], r["slave-repl-offset"], follows)
		}
	}
	if len(replicas) != sentinelReplicas {
		return fmt.Errorf("it knows %d replicas, want %d", len(replicas), sentinelReplicas)
	}
	return nil
}

func seesOthers(others []admin.Seen) error {
	for _, o := range others {
		if !o.Is(admin.Sentinel) {
			return fmt.Errorf("it sees sentinel %s as %q", o.Addr(), o["flags"])
		}
	}
	if len(others) != sentinels-1 {
		return fmt.Errorf("it knows %d other sentinels, want %d", len(others), sentinels-1)
	}
	return nil
}
