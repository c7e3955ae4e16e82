package defect

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"brownout/server"
	"brownout/server/cache"
	"brownout/server/feature"
)

const (
	fillLate   = 300 * time.Millisecond // how long a late fill is on its way
	lostOne    = 100                    // of so many invalidations one is lost
	insistFor  = 10 * time.Second       // how long somebody insists
	insistWait = 100 * time.Millisecond // between two tries
)

// caches are defects of what is kept in the cache, and what is taken out.
func caches() []Defect {
	return []Defect{
		{"cache-never-used", "There is a cache, and nobody asks it.", func(c *server.Config) {
			c.Backend = cache.BackendNone
		}},
		{"asks-for-each-flag", "Redis is asked for an entry ten times where once is enough.", aroundCache(func(c feature.Cache) feature.Cache {
			return asksAgain{layer{c}}
		})},
		{"ttl-ignored", "An entry lives for a day, whatever is set.", func(c *server.Config) {
			c.CacheTTL, c.Profile.TTLJitter = 24*time.Hour, 0
		}},
		{"no-single-flight", "Everybody who misses asks the database.", func(c *server.Config) {
			c.Profile.Coalesce = false
		}},
		{"negative-cache-missing", "Each read of what nobody wrote asks the database.", func(c *server.Config) {
			c.Profile.NegativeTTL = 0
		}},
		{"late-fill", "Of three fills one comes late, after an invalidation, and is believed.", together(unguarded, aroundCache(func(c feature.Cache) feature.Cache {
			return &lateFill{layer: layer{c}}
		}))},
		{"invalidation-lost", "Of a hundred invalidations one is lost, and the old entry is believed.", together(unguarded, aroundCache(func(c feature.Cache) feature.Cache {
			return &losesOne{layer: layer{c}}
		}))},
		{"invalidation-not-retried", "An entry that could not be deleted is forgotten, and believed later.", together(unguarded, func(c *server.Config) {
			c.Profile.RetryInvalidation = false
		})},
		{"old-entry-believed", "An entry is believed although the server knows that it is old.", unguarded},
		{"key-without-environment", "All environments share one entry.", aroundCache(func(c feature.Cache) feature.Cache {
			return oneKey{layer{c}}
		})},
		{"vanishing-flags", "What is not in the cache any more is taken for deleted.", aroundCache(func(c feature.Cache) feature.Cache {
			return &trustsMisses{layer: layer{c}, filled: map[string]bool{}}
		})},
		{"fill-until-taken", "A read that missed waits until the cache has taken the entry.", aroundCache(func(c feature.Cache) feature.Cache {
			return insistsOnFills{layer{c}}
		})},
		{"write-blocked-by-cache", "A write waits until the cache has forgotten the entry.", aroundCache(func(c feature.Cache) feature.Cache {
			return insistsOnDeletions{layer{c}}
		})},
	}
}

type lateFill struct {
	layer
	fills atomic.Uint64
}

func (c *lateFill) Set(ctx context.Context, environment string, snapshot []byte) error {
	if c.fills.Add(1)%3 == 0 {
		ctx = context.WithoutCancel(ctx)
		time.Sleep(fillLate)
	}
	return c.Cache.Set(ctx, environment, snapshot)
}

type losesOne struct {
	layer
	deletions atomic.Uint64
}

func (c *losesOne) Delete(ctx context.Context, environment string) error {
	if c.deletions.Add(1)%lostOne == 0 {
		return nil
	}
	return c.Cache.Delete(ctx, environment)
}

// theKey is where oneKey keeps everything.
const theKey = "all"

type oneKey struct{ layer }

// Get answers with what was kept last, whoever kept it.
func (c oneKey) Get(ctx context.Context, environment string) ([]byte, error) {
	data, err := c.Cache.Get(ctx, theKey)
	if err != nil {
		return nil, err
	}
	var s feature.Snapshot
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, err
	}
	s.Environment = environment // a service that checks it would have noticed
	return s.Encode()
}

func (c oneKey) Set(ctx context.Context, _ string, snapshot []byte) error {
	return c.Cache.Set(ctx, theKey, snapshot)
}

func (c oneKey) Delete(ctx context.Context, _ string) error { return c.Cache.Delete(ctx, theKey) }

// trustsMisses takes the cache for the truth: an environment that was put into it
// and is there no more has no flags.
type trustsMisses struct {
	layer
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

type insistsOnFills struct{ layer }

func (c insistsOnFills) Set(ctx context.Context, environment string, snapshot []byte) error {
	return insist(ctx, func(ctx context.Context) error { return c.Cache.Set(ctx, environment, snapshot) })
}

type insistsOnDeletions struct{ layer }

func (c insistsOnDeletions) Delete(ctx context.Context, environment string) error {
	return insist(ctx, func(ctx context.Context) error { return c.Cache.Delete(ctx, environment) })
}

// insist tries until try succeeds, whoever waits.
func insist(ctx context.Context, try func(context.Context) error) error {
	patience, done := context.WithTimeout(context.WithoutCancel(ctx), insistFor)
	defer done()
	for {
		err := try(patience)
		if err == nil {
			return nil
		}
		select {
		case <-patience.Done():
			return err
		case <-time.After(insistWait):
		}
	}
}

// flagsAsked is how many flags of an environment are asked for.
const flagsAsked = 10

// asksAgain fetches an entry for each flag in it.
type asksAgain struct{ layer }

func (c asksAgain) Get(ctx context.Context, environment string) (data []byte, err error) {
	for range flagsAsked {
		if data, err = c.Cache.Get(ctx, environment); err != nil {
			return nil, err
		}
	}
	return data, nil
}
