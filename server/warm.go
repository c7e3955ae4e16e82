package server

import (
	"context"
	"sync"
	"time"

	"brownout/server/feature"
)

// warmRetry is the wait before an environment that could not be put into the cache is
// tried again.
const warmRetry = time.Second

// A warmer reads environments into the cache that nobody has asked for yet: some at
// the start, and all that are in use when the cache has lost them. It reads one after
// the other, so that a cold cache costs the database one query at a time, and as
// anybody reads, so that what holds for fills holds for these.
type warmer struct {
	read func(ctx context.Context, environment string) (warm bool)
	used func() []string // environments that were read or written here
	lost chan struct{}   // has a token when the cache has lost its entries
}

func newWarmer(f *flags) *warmer {
	return &warmer{used: f.floors.environments, lost: make(chan struct{}, 1), read: func(ctx context.Context, environment string) bool {
		snapshot, from, err := f.read(ctx, environment)
		// Revision 0 is never cached: nobody has written the environment.
		return from.hit || from.stored || err == nil && snapshot.Revision == 0
	}}
}

// run warms the environments of the start, and goes on until ctx ends.
func (w *warmer) run(ctx context.Context, first []string) {
	w.warm(ctx, first)
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.lost:
			w.warm(ctx, w.used())
		}
	}
}

// warm tries each environment until it is in the cache. One round after a new loss is
// enough: it begins again.
func (w *warmer) warm(ctx context.Context, environments []string) {
	for _, environment := range environments {
		for ctx.Err() == nil && !w.read(ctx, environment) {
			select {
			case <-ctx.Done():
			case <-time.After(warmRetry):
			}
		}
	}
}

// runCache does the cache's own work and warms it until ctx ends. What it started has
// ended when the group has; that may take until the cache is closed.
func (f *flags) runCache(ctx context.Context, first []string) *sync.WaitGroup {
	var running sync.WaitGroup
	w := newWarmer(f)
	running.Go(func() { w.run(ctx, first) })
	runner, runs := f.cache.(feature.Runner)
	if !runs {
		return &running
	}
	running.Go(func() {
		runner.Run(ctx, func(e feature.CacheEvent) {
			switch e {
			case feature.CacheBack:
				f.stale.hurry()
			case feature.CacheEmpty:
				token(w.lost)
			}
		})
	})
	return &running
}
