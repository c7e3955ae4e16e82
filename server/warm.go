package server

import (
	"context"
	"maps"
	"math"
	"slices"
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
// anybody reads, so that what holds for fills holds for these. Only what is read at the
// start counts as asked for: a cache that is lost again and again keeps nothing in use.
type warmer struct {
	flags *flags
	lost  chan struct{} // has a token when the cache has lost its entries
}

func newWarmer(f *flags) *warmer { return &warmer{flags: f, lost: make(chan struct{}, 1)} }

// A reader is flags.read, or reads as that does.
type reader func(ctx context.Context, environment string) (*feature.Document, source, error)

func (w *warmer) again(ctx context.Context, environment string) (*feature.Document, source, error) {
	f := w.flags
	return f.find(ctx, reading{environment: environment, began: time.Now(), floor: f.floors.floor(environment), watched: true})
}

// run warms the environments of the start, and goes on until ctx ends.
func (w *warmer) run(ctx context.Context, first []string) {
	w.warm(ctx, first, w.flags.read)
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.lost:
			w.refill(ctx)
		}
	}
}

// warm tries each environment until it is in the cache. One round after a new loss is
// enough: it begins again.
func (w *warmer) warm(ctx context.Context, environments []string, read reader) {
	for _, environment := range environments {
		for ctx.Err() == nil && !warm(read(ctx, environment)) {
			select {
			case <-ctx.Done():
			case <-time.After(warmRetry):
			}
		}
	}
}

// refill reads what is in use, and leaves open whether it is.
func (w *warmer) refill(ctx context.Context) { w.warm(ctx, w.flags.inUse(), w.again) }

// warm reports whether a read has found its environment in the cache or put it there.
// Revision 0 is never cached: nobody has written the environment.
func warm(d *feature.Document, from source, err error) bool {
	return from.hit || from.stored || err == nil && d.Revision == 0
}

// inUse lists the environments that somebody has asked for lately.
func (f *flags) inUse() []string {
	floors, _, _ := f.floors.watched(0, math.MaxInt, time.Now().Add(-f.idle))
	return slices.Sorted(maps.Keys(floors))
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
