package cache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"brownout/server/feature"
)

// Tiered keeps copies in this process in front of Redis. Instances tell each other
// through Redis what they have deleted (see channel).
//
// A copy is used while this instance is sure to hear of invalidations, and otherwise
// while it is younger than Settings.Staleness. So Redis may be away: an environment
// is then read from the database once in that time, and not for every request.
type Tiered struct {
	near *Memory
	far  *Redis
	heed *channel
	log  *slog.Logger

	mu   sync.Mutex
	turn uint64 // one more with each invalidation; see keep
}

// NewTiered makes the cache; it does not connect. Without Run it hears of nothing,
// and every copy is used until it is s.Staleness old.
func NewTiered(s Settings) (*Tiered, error) {
	if s.Staleness <= 0 {
		return nil, makeError(BackendTiered, fmt.Errorf("the staleness is %v, want more than 0", s.Staleness))
	}
	near, err := NewMemory(s)
	if err != nil {
		return nil, makeError(BackendTiered, err)
	}
	far, err := NewRedis(s)
	if err != nil {
		return nil, makeError(BackendTiered, err)
	}
	t := &Tiered{near: near, far: far, log: s.log()}
	t.heed = newChannel(far, s.Staleness, t.drop)
	return t, nil
}

// Name is "tiered".
func (t *Tiered) Name() string { return BackendTiered }

// Get returns the copy, or what Redis has. A Redis that fails is a miss, so that the
// caller brings a new copy.
func (t *Tiered) Get(ctx context.Context, environment string) ([]byte, error) {
	if data, found := t.Peek(environment); found {
		return data, nil
	}
	turn, asked := t.now(), time.Now()
	data, left, err := t.far.getLife(ctx, environment)
	switch {
	case err == nil:
		t.keep(environment, data, asked, left, turn)
		return data, nil
	case errors.Is(err, feature.ErrMiss):
		return nil, err
	}
	return nil, fmt.Errorf("%w: %w", feature.ErrMiss, err)
}

// Peek returns the copy, if it may be used.
func (t *Tiered) Peek(environment string) ([]byte, bool) {
	e, found := t.near.entries.GetIfPresent(environment)
	if !found || !t.heed.covers(e.made) {
		return nil, false
	}
	return e.data, true
}

// now is the turn in which a read begins.
func (t *Tiered) now() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.turn
}

// keep makes a copy of what was asked for at that time and lives on for left, unless
// there was an invalidation since: the copy may then be of what has been deleted.
func (t *Tiered) keep(environment string, data []byte, asked time.Time, left time.Duration, turn uint64) {
	if left == noExpiry {
		left = t.near.life.ttl // not our entry
	}
	left -= time.Since(asked)
	t.mu.Lock()
	defer t.mu.Unlock()
	if left > 0 && turn == t.turn {
		t.near.keep(environment, kept{data: data, made: asked, life: left})
	}
}

// noExpiry is how go-redis says that a key has no time to live.
const noExpiry time.Duration = -1

// drop removes a copy, and keeps those from being made that are under way.
func (t *Tiered) drop(environment string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turn++
	t.near.entries.Invalidate(environment)
}

// Set keeps a copy and tells Redis. It is no error when only the copy could be kept.
func (t *Tiered) Set(ctx context.Context, environment string, snapshot []byte) error {
	t.mu.Lock()
	t.near.keep(environment, kept{data: snapshot, made: time.Now(), life: t.near.life.draw()})
	t.mu.Unlock()
	if err := t.far.Set(ctx, environment, snapshot); err != nil {
		t.log.Debug("keeping a copy only", "environment", environment, "error", err)
	}
	return nil
}

// Delete removes the entry from Redis and every copy of it. The copy here is dropped
// last, too: a read that came before the DEL may have made it meanwhile.
func (t *Tiered) Delete(ctx context.Context, environment string) error {
	t.drop(environment)
	defer t.drop(environment)
	if err := t.far.Delete(ctx, environment); err != nil {
		return err
	}
	return t.heed.tell(ctx, environment)
}

// Ping is PING.
func (t *Tiered) Ping(ctx context.Context) error { return t.far.Ping(ctx) }

// Close closes every connection, also those that somebody waits on.
func (t *Tiered) Close() error { return t.far.Close() }

// Run hears what other instances delete, and does what Redis.Run does.
func (t *Tiered) Run(ctx context.Context, tell func(feature.CacheEvent)) {
	var g sync.WaitGroup
	g.Go(func() { t.far.Run(ctx, tell) })
	g.Go(func() { t.heed.run(ctx) })
	g.Wait()
}
