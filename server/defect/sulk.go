package defect

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"brownout/server"
	"brownout/server/feature"
)

// How long a dependency is not asked after it has failed once.
const (
	sulkForEver = time.Hour
	sulkLong    = 500 * time.Millisecond
)

// breakers are defects of what is done about a dependency that fails.
func breakers() []Defect {
	return []Defect{
		{"breaker-never-opens", "A Redis that does not answer is asked for every request.", func(c *server.Config) {
			c.Profile.Client.BreakAfter = 0
		}},
		{"breaker-never-closes", "A Redis that has failed once is never asked again.", aroundCache(func(c feature.Cache) feature.Cache {
			return &sulkingCache{layer: layer{c}, sulk: sulk{time: sulkForEver}}
		})},
		{"breaker-opens-at-once", "After one failed command Redis is not asked for half a second.", aroundCache(func(c feature.Cache) feature.Cache {
			return &sulkingCache{layer: layer{c}, sulk: sulk{time: sulkLong}}
		})},
		{"database-given-up", "A database that has failed once is never asked again.", aroundStore(func(s feature.Store) feature.Store {
			return &sulkingStore{Store: s, sulk: sulk{time: sulkForEver}}
		})},
	}
}

// A sulk is a circuit breaker that opens at the first failure and stays open.
type sulk struct {
	time time.Duration

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
		s.until = time.Now().Add(s.time)
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
	layer
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
