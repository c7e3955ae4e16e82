package lab

import (
	"context"
	"fmt"

	"brownout/chaos/stack"
)

// sentinels is a cache that Sentinels watch, in a failover. It implements
// failover.Sentinels.
type sentinels struct {
	rotation
	old, next *stack.Node
}

// Names implements failover.Site.
func (s *sentinels) Names() (old, next string) { return s.old.Name, s.next.Name }

// Order implements failover.Sentinels.
func (s *sentinels) Order(ctx context.Context) error {
	return s.lab.Stack.Sentinels()[0].SentinelFailover(ctx)
}

// Promoted implements failover.Sentinels.
func (s *sentinels) Promoted(ctx context.Context) error {
	return s.wait(ctx, "the promotion", func(ctx context.Context) error {
		primaries, err := s.lab.Stack.Primaries(ctx)
		if err != nil {
			return err
		}
		for _, n := range primaries {
			if n != s.old {
				s.next = n
				return nil
			}
		}
		return fmt.Errorf("nobody but %s calls itself primary", s.old.Name)
	})
}

// Switched implements failover.Sentinels.
func (s *sentinels) Switched(ctx context.Context) error {
	return s.wait(ctx, "the Sentinels", func(ctx context.Context) error {
		for _, n := range s.lab.Stack.Sentinels() {
			named, err := s.lab.Stack.PrimaryBySentinel(ctx, n)
			if err != nil {
				return err
			}
			if named != s.next {
				return fmt.Errorf("%s names %s", n.Name, named.Name)
			}
		}
		return nil
	})
}

// Demoted implements failover.Sentinels.
func (s *sentinels) Demoted(ctx context.Context) error {
	return s.wait(ctx, "the demotion", func(ctx context.Context) error { return isReplica(ctx, s.old) })
}

func (s *sentinels) wait(ctx context.Context, what string, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, electionTimeout)
	defer cancel()
	if err := poll(ctx, func() error { return ask(ctx) }); err != nil {
		return fmt.Errorf("waiting for %s: %w", what, err)
	}
	return nil
}

// isReplica is nil when n calls itself a replica.
func isReplica(ctx context.Context, n *stack.Node) error {
	role, err := n.AskRole(ctx)
	if err == nil && role != stack.RoleReplica {
		err = fmt.Errorf("%s is %s, want a replica", n.Name, role)
	}
	return err
}
