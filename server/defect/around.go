package defect

import (
	"context"
	"net/http"

	"brownout/server"
	"brownout/server/feature"
)

// aroundStore puts wrap around the store, and around what is around it already.
func aroundStore(wrap func(feature.Store) feature.Store) change {
	return func(c *server.Config) { c.Around.Store = after(c.Around.Store, wrap) }
}

func aroundCache(wrap func(feature.Cache) feature.Cache) change {
	return func(c *server.Config) { c.Around.Cache = after(c.Around.Cache, wrap) }
}

func aroundHandler(wrap func(http.Handler) http.Handler) change {
	return func(c *server.Config) { c.Around.Handler = after(c.Around.Handler, wrap) }
}

func after[T any](inner, outer func(T) T) func(T) T {
	if inner == nil {
		return outer
	}
	return func(part T) T { return outer(inner(part)) }
}

// A layer is around a cache and leaves it its own work. Wrappers embed it.
type layer struct{ feature.Cache }

// Run does what the cache has to do by itself.
func (l layer) Run(ctx context.Context, tell func(feature.CacheEvent)) {
	if runner, runs := l.Cache.(feature.Runner); runs {
		runner.Run(ctx, tell)
	}
}

// unguarded takes away what hides an old entry in the cache: the server knows which
// revision it has seen, and refuses what is below.
func unguarded(c *server.Config) { c.Profile.CheckRevision = false }
