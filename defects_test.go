package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"brownout/server/feature"
)

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

// asksFirst lets the database say a word before each answer of the cache.
type asksFirst struct {
	feature.Cache
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

// insists puts an entry into the cache until the cache takes it.
type insists struct{ feature.Cache }

func (i insists) Set(ctx context.Context, environment string, snapshot []byte) error {
	patience, done := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer done()
	for {
		err := i.Cache.Set(patience, environment, snapshot)
		if err == nil {
			return nil
		}
		select {
		case <-patience.Done():
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// trustsMisses takes the cache for the truth: an environment that was put into it
// and is there no more has no flags.
type trustsMisses struct {
	feature.Cache
	mu     sync.Mutex
	filled map[string]bool
}

func (c *trustsMisses) Get(ctx context.Context, environment string) ([]byte, error) {
	data, err := c.Cache.Get(ctx, environment)
	if !errors.Is(err, feature.ErrMiss) {
		return data, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.filled[environment] {
		return data, err
	}
	return feature.NewSnapshot(environment, math.MaxInt64, nil).Encode()
}

func (c *trustsMisses) Set(ctx context.Context, environment string, snapshot []byte) error {
	c.note(environment, true)
	return c.Cache.Set(ctx, environment, snapshot)
}

func (c *trustsMisses) Delete(ctx context.Context, environment string) error {
	c.note(environment, false)
	return c.Cache.Delete(ctx, environment)
}

func (c *trustsMisses) note(environment string, filled bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.filled[environment] = filled
}

// sulkTime is how long a dependency is not asked after it has failed once: longer
// than a run.
const sulkTime = time.Minute

// A sulk is a circuit breaker that stays open for far too long.
type sulk struct {
	mu    sync.Mutex
	until time.Time
}

var errSulk = fmt.Errorf("%w: it failed a while ago", feature.ErrUnavailable)

// ask asks, unless an earlier question failed. ErrMiss and ErrNotFound are answers.
func (s *sulk) ask(question func() error) error {
	s.mu.Lock()
	sulking := time.Now().Before(s.until)
	s.mu.Unlock()
	if sulking {
		return errSulk
	}
	err := question()
	if err != nil && !errors.Is(err, feature.ErrMiss) && !errors.Is(err, feature.ErrNotFound) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.until = time.Now().Add(sulkTime)
	}
	return err
}

type sulkingStore struct {
	feature.Store
	sulk sulk
}

func (s *sulkingStore) Snapshot(ctx context.Context, environment string) (got feature.Snapshot, err error) {
	err = s.sulk.ask(func() error { got, err = s.Store.Snapshot(ctx, environment); return err })
	return got, err
}

func (s *sulkingStore) Put(ctx context.Context, environment, key string, d feature.Draft) (r feature.Receipt, err error) {
	err = s.sulk.ask(func() error { r, err = s.Store.Put(ctx, environment, key, d); return err })
	return r, err
}

type sulkingCache struct {
	feature.Cache
	sulk sulk
}

func (c *sulkingCache) Get(ctx context.Context, environment string) (data []byte, err error) {
	err = c.sulk.ask(func() error { data, err = c.Cache.Get(ctx, environment); return err })
	return data, err
}

func (c *sulkingCache) Set(ctx context.Context, environment string, snapshot []byte) error {
	return c.sulk.ask(func() error { return c.Cache.Set(ctx, environment, snapshot) })
}

func (c *sulkingCache) Delete(ctx context.Context, environment string) error {
	return c.sulk.ask(func() error { return c.Cache.Delete(ctx, environment) })
}
