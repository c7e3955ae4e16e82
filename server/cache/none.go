package cache

import (
	"context"

	"brownout/server/feature"
)

// None is the cache that is not there.
type None struct{}

// Name is "none".
func (None) Name() string { return "none" }

// Get always returns feature.ErrNoCache.
func (None) Get(context.Context, string) ([]byte, error) { return nil, feature.ErrNoCache }

// Set keeps nothing and says so.
func (None) Set(context.Context, string, []byte) error { return feature.ErrNoCache }

// Delete has nothing to do.
func (None) Delete(context.Context, string) error { return nil }

// Ping finds nothing wrong.
func (None) Ping(context.Context) error { return nil }

// Close has nothing to do.
func (None) Close() error { return nil }
