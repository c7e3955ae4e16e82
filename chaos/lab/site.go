package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"brownout/chaos"
	"brownout/chaos/failover"
	"brownout/chaos/stack"
)

// Site is the cache as it is now, for one failover; the next one needs a new site.
// What can be done to it depends on its kind: see package failover. The error says
// that there is no cache, or that it has no primary.
func (l *Lab) Site(ctx context.Context) (failover.Site, error) {
	turn := rotation{lab: l}
	switch l.cfg.Stack.Cache {
	case stack.Replicated, stack.Sentinel:
		now, err := l.Stack.Primary(ctx)
		if err != nil {
			return nil, fmt.Errorf("looking for the primary: %w", err)
		}
		if l.cfg.Stack.Cache == stack.Sentinel {
			return &sentinels{turn, now, now}, nil
		}
		return &endpoints{rotation: turn, primary: l.Link(Primary).Gate, reader: l.Link(Reader).Gate, old: now, next: now, host: host{lab: l, node: now}}, nil
	case stack.Cluster:
		s, err := newShard(ctx, turn)
		if err != nil {
			return nil, fmt.Errorf("looking for a shard: %w", err)
		}
		return s, nil
	}
	if l.Stack.Cache == nil {
		return nil, errors.New("there is no cache that a plan could be carried out on")
	}
	return &proxied{sole: sole{turn, l.Stack.Cache.Name}}, nil
}

// endpoints is a replicated cache in a failover. It implements failover.Endpoints.
type endpoints struct {
	rotation
	primary, reader Gate
	old, next       *stack.Node
	shut            chaos.Reverter // the primary's address takes no dials
	host            host           // of the old primary
	loading         chaos.Reverter
}

// Names implements failover.Site.
func (s *endpoints) Names() (old, next string) { return s.old.Name, s.next.Name }

// Vanish implements failover.Endpoints.
func (s *endpoints) Vanish(ctx context.Context) error {
	silent := chaos.Fault{On: Primary, Kind: chaos.Blackhole, Revert: chaos.Close}
	// Connections to the old address stay silent for as long as they live: this fault
	// is not taken away.
	if _, err := s.primary.InjectTo(ctx, silent, s.old.Addr); err != nil {
		return err
	}
	if err := s.close(ctx); err != nil {
		return err
	}
	return s.host.vanish(ctx)
}

// HangUp implements failover.Endpoints.
func (s *endpoints) HangUp(ctx context.Context) error {
	if err := s.close(ctx); err != nil {
		return err
	}
	s.primary.HangUp(s.old.Addr)
	return nil
}

// close lets dials of the primary's name time out.
func (s *endpoints) close(ctx context.Context) (err error) {
	s.shut, err = s.primary.Inject(ctx, chaos.Fault{On: Primary, Kind: chaos.Drop})
	return err
}

// Promote implements failover.Endpoints.
func (s *endpoints) Promote(ctx context.Context) error {
	next, err := s.leastBehind(ctx)
	if err != nil {
		return err
	}
	if err := next.Promote(ctx); err != nil {
		return err
	}
	s.next = next
	for _, n := range s.lab.Stack.Servers() {
		if n != next && n != s.old {
			if err := n.Follow(ctx, next); err != nil {
				return err
			}
		}
	}
	return nil
}

// leastBehind is the replica whose stream has come farthest.
func (s *endpoints) leastBehind(ctx context.Context) (*stack.Node, error) {
	var best *stack.Node
	most := int64(-1)
	for _, n := range s.lab.Stack.Servers() {
		if n == s.old {
			continue
		}
		offset, err := replicated(ctx, n)
		if err != nil {
			return nil, err
		}
		if offset > most {
			best, most = n, offset
		}
	}
	if best == nil {
		return nil, errors.New("there is no replica to promote")
	}
	return best, nil
}

// replicated is how far the stream of a replica has come, in bytes.
func replicated(ctx context.Context, n *stack.Node) (int64, error) {
	info, err := n.Do(ctx, "INFO", "replication")
	if err != nil {
		return 0, fmt.Errorf("asking %s how far it is: %w", n.Name, err)
	}
	for line := range strings.Lines(info.Text) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "slave_repl_offset:"); ok {
			return strconv.ParseInt(text, 10, 64)
		}
	}
	return 0, nil // it is no replica: the last choice
}

// Demote implements failover.Endpoints.
func (s *endpoints) Demote(ctx context.Context) error { return s.old.Follow(ctx, s.next) }

// CloseOnWrite implements failover.Endpoints. Redis knows no such setting: the link
// answers in the old primary's name.
func (s *endpoints) CloseOnWrite(ctx context.Context) error {
	_, err := s.primary.InjectTo(ctx, chaos.Fault{On: Primary, Kind: chaos.ReadonlyClose}, s.old.Addr)
	return err
}

// Move implements failover.Endpoints.
func (s *endpoints) Move(ctx context.Context) error {
	if err := s.primary.Point(s.next.Addr); err != nil {
		return err
	}
	if s.shut == nil || s.lab.zone != nil { // nobody comes to an old address again
		return nil
	}
	_, err := s.shut.Revert(ctx)
	return err
}

// Replace implements failover.Endpoints. The reader endpoint leads to the replacement
// from then on; connections that it has stay where they are.
func (s *endpoints) Replace(ctx context.Context) error {
	err := errors.Join(s.host.appear(ctx), s.lab.leave(ctx, s.old))
	return cmp.Or(err, s.old.Restart(ctx, true), s.old.Follow(ctx, s.next), s.reader.Point(s.old.Addr))
}

// Load implements failover.Endpoints. The data of a lab loads in no time: the link
// answers LOADING in the replacement's name.
func (s *endpoints) Load(ctx context.Context) (err error) {
	s.loading, err = s.reader.InjectTo(ctx, chaos.Fault{On: Reader, Kind: chaos.Loading}, s.old.Addr)
	return err
}

// Loaded implements failover.Endpoints.
func (s *endpoints) Loaded(ctx context.Context) error {
	if s.loading == nil {
		return nil
	}
	_, err := s.loading.Revert(ctx)
	return err
}

// Delete implements failover.Endpoints. A new node takes the old one's place at once, so
// that the cache has a replica.
func (s *endpoints) Delete(ctx context.Context) error {
	s.primary.HangUp(s.old.Addr)
	s.reader.HangUp(s.old.Addr)
	return s.Replace(ctx)
}
