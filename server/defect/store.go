package defect

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"brownout/server"
	"brownout/server/feature"
)

// stores are defects of what the database is asked, and when.
func stores() []Defect {
	return []Defect{
		{"ack-before-commit", "A write is acknowledged, whatever becomes of it.", aroundStore(func(s feature.Store) feature.Store { return acks{s} })},
		{"unknown-is-empty", "An environment that cannot be read has no flags.", aroundStore(func(s feature.Store) feature.Store { return makesUp{s} })},
		{"stale-for-ever", "After one failed query what was read before is answered for ever.", together(unguarded, aroundStore(func(s feature.Store) feature.Store {
			return &stuck{Store: s, last: map[string]feature.Snapshot{}}
		}))},
		{"pool-never-heals", "A connection whose query failed never comes back to the pool.", aroundStore(func(s feature.Store) feature.Store {
			return leaky{Store: s, places: make(chan struct{}, leakyPlaces)}
		})},
		{"asks-database-first", "The database is asked before an entry of the cache is believed.", asksDatabaseFirst},
		{"invalidation-before-commit", "An entry is deleted before the write is done, and a fill of that moment is believed.", together(unguarded, earlyInvalidation)},
	}
}

// acks acknowledges writes that the database has not done.
type acks struct{ feature.Store }

func (a acks) Put(ctx context.Context, environment, key string, d feature.Draft) (feature.Receipt, error) {
	r, err := a.Store.Put(ctx, environment, key, d)
	if err != nil {
		r = feature.Receipt{Flag: feature.Flag{Key: key, Draft: d}}
	}
	return r, nil
}

// makesUp says that there are no flags where it cannot know.
type makesUp struct{ feature.Store }

func (m makesUp) Snapshot(ctx context.Context, environment string) (feature.Snapshot, error) {
	s, err := m.Store.Snapshot(ctx, environment)
	if err != nil {
		s = feature.NewSnapshot(environment, 0, nil)
	}
	return s, nil
}

// stuck has given up on the database for what it has once read.
type stuck struct {
	feature.Store
	mu     sync.Mutex
	failed bool
	last   map[string]feature.Snapshot // environment → as it was read last
}

func (s *stuck) Snapshot(ctx context.Context, environment string) (feature.Snapshot, error) {
	s.mu.Lock()
	old, found := s.last[environment]
	failed := s.failed
	s.mu.Unlock()
	if failed && found {
		return old, nil
	}
	got, err := s.Store.Snapshot(ctx, environment)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.last[environment] = got
	} else {
		s.failed = true
	}
	return got, err
}

// leakyPlaces is the size of a pool that loses its connections.
const leakyPlaces = 10

var errNoPlace = fmt.Errorf("%w: no connection is free", feature.ErrUnavailable)

// leaky lets in as many operations as there are places, and loses a place with each
// one that fails.
type leaky struct {
	feature.Store
	places chan struct{}
}

func (l leaky) in(ctx context.Context, operation func() error) error {
	select {
	case l.places <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", errNoPlace, ctx.Err())
	}
	err := operation()
	if !errors.Is(err, feature.ErrUnavailable) {
		<-l.places
	}
	return err
}

func (l leaky) Snapshot(ctx context.Context, environment string) (got feature.Snapshot, err error) {
	err = l.in(ctx, func() error { got, err = l.Store.Snapshot(ctx, environment); return err })
	return got, err
}

func (l leaky) Put(ctx context.Context, environment, key string, d feature.Draft) (r feature.Receipt, err error) {
	err = l.in(ctx, func() error { r, err = l.Store.Put(ctx, environment, key, d); return err })
	return r, err
}

// asksDatabaseFirst lets the database say a word before each answer of the cache.
func asksDatabaseFirst(c *server.Config) {
	var database feature.Store
	aroundStore(func(s feature.Store) feature.Store { database = s; return s })(c)
	aroundCache(func(c feature.Cache) feature.Cache { return asksFirst{layer{c}, database} })(c)
}

type asksFirst struct {
	layer
	store feature.Store
}

func (a asksFirst) Get(ctx context.Context, environment string) ([]byte, error) {
	data, err := a.Cache.Get(ctx, environment)
	if err == nil {
		// Whatever it says: the entry is used. The budget of a lookup does not end it.
		_, _ = a.store.Snapshot(context.WithoutCancel(ctx), environment)
	}
	return data, err
}

// earlyInvalidation takes the invalidation from where it is, after the write, to
// before it.
func earlyInvalidation(c *server.Config) {
	e := &early{}
	aroundStore(func(s feature.Store) feature.Store { e.Store = s; return e })(c)
	aroundCache(func(c feature.Cache) feature.Cache { e.cache = c; return noDeletion{layer{c}} })(c)
}

// early deletes the entry, then writes.
type early struct {
	feature.Store
	cache feature.Cache
}

func (e *early) Put(ctx context.Context, environment, key string, d feature.Draft) (feature.Receipt, error) {
	_ = e.cache.Delete(ctx, environment)
	return e.Store.Put(ctx, environment, key, d)
}

// noDeletion has nothing more to delete.
type noDeletion struct{ layer }

func (noDeletion) Delete(context.Context, string) error { return nil }
