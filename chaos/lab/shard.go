package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"brownout/chaos"
	"brownout/chaos/stack"
)

// electionTimeout guards against a cluster that elects nobody. With the lab's
// cluster-node-timeout of 2 s an election takes about 4 s.
const electionTimeout = 2 * time.Minute

// pollEvery is how often servers are asked whether they have done something.
const pollEvery = 10 * time.Millisecond

// shard is a shard of a cluster in a failover: the one with the first slot. It
// implements failover.Shard.
type shard struct {
	rotation
	host  host // of the old primary
	slots stack.Shard
	next  *stack.Node

	loading chaos.Reverter
}

// newShard finds the shard of the first slot, and who serves it now.
func newShard(ctx context.Context, turn rotation) (*shard, error) {
	s := turn.lab.Stack
	primaries, err := s.Primaries(ctx)
	if err != nil {
		return nil, err
	}
	if len(primaries) == 0 {
		return nil, errors.New("no node of the cluster calls itself primary")
	}
	all, err := s.Shards(ctx, primaries[0])
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		if one.From == 0 {
			return &shard{rotation: turn, host: host{lab: turn.lab, node: one.Primary}, slots: one, next: one.Primary}, nil
		}
	}
	return nil, fmt.Errorf("in the eyes of %s nobody serves slot 0", primaries[0].Name)
}

// Names implements failover.Site.
func (s *shard) Names() (old, next string) { return s.host.node.Name, s.next.Name }

// Vanish implements failover.Shard.
func (s *shard) Vanish(ctx context.Context) error {
	if len(s.slots.Replicas) == 0 {
		return fmt.Errorf("%s has no replica that could be elected", s.host.node.Name)
	}
	return s.host.vanish(ctx)
}

// Elected implements failover.Shard.
func (s *shard) Elected(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, electionTimeout)
	defer cancel()
	err := poll(ctx, func() (err error) {
		s.next, err = s.elected(ctx)
		return err
	})
	if err != nil {
		s.next = s.host.node
		return fmt.Errorf("waiting for another primary of slots %d to %d: %w", s.slots.From, s.slots.To, err)
	}
	return nil
}

// elected is who serves the slots in its own eyes and in those of the other
// primaries.
func (s *shard) elected(ctx context.Context) (*stack.Node, error) {
	primaries, err := s.lab.Stack.Primaries(ctx)
	if err != nil {
		return nil, err
	}
	var next *stack.Node
	for _, n := range primaries {
		all, err := s.lab.Stack.Shards(ctx, n)
		if err != nil {
			return nil, err
		}
		for _, one := range all {
			switch {
			case one.From != s.slots.From:
			case one.Primary == s.host.node:
				return nil, fmt.Errorf("%s still names %s", n.Name, one.Primary.Name)
			case next != nil && next != one.Primary:
				return nil, fmt.Errorf("%s names %s, another one %s", n.Name, one.Primary.Name, next.Name)
			default:
				next = one.Primary
			}
		}
	}
	if next == nil {
		return nil, errors.New("nobody serves them")
	}
	return next, nil
}

// Replace implements failover.Shard. The node remembers the cluster, where its slots
// belong to another by now: it follows that one before anybody can reach it.
func (s *shard) Replace(ctx context.Context) error {
	if err := s.host.node.Restart(ctx, true); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, electionTimeout)
	defer cancel()
	return poll(ctx, func() error { return isReplica(ctx, s.host.node) })
}

// Load implements failover.Shard. It also lets others reach the node: it answers
// LOADING before it could answer anything else.
func (s *shard) Load(ctx context.Context) error {
	own := s.lab.Link(s.host.node.Name)
	var err error
	s.loading, err = own.Inject(ctx, chaos.Fault{On: own.Name, Kind: chaos.Loading})
	return cmp.Or(err, s.host.appear(ctx))
}

// Loaded implements failover.Shard.
func (s *shard) Loaded(ctx context.Context) error {
	_, err := s.loading.Revert(ctx)
	return err
}

// Leave implements failover.Shard.
func (s *shard) Leave(ctx context.Context) error { return s.host.vanish(ctx) }

// Return implements failover.Shard.
func (s *shard) Return(ctx context.Context) error {
	return cmp.Or(s.Replace(ctx), s.host.appear(ctx))
}

// poll asks until the answer is nil, and returns the last one when ctx is done.
func poll(ctx context.Context, ask func() error) error {
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", err, ctx.Err())
		case <-time.After(pollEvery):
		}
	}
}
