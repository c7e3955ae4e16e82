package cache

import (
	"context"
	"errors"
	"time"

	"brownout/server/feature"

	"github.com/redis/go-redis/v9"
)

// marker is a key that is there as long as Redis has lost nothing. No environment
// has a name with an exclamation mark.
const marker = keyPrefix + "!marker"

const (
	markerLife = time.Hour   // it is made anew with every look
	lookEvery  = time.Second // how long a loss stays unnoticed
)

// watchEmpty tells when the marker is gone: Redis was flushed, has restarted empty,
// or another one without our entries has taken its place. Of several instances that
// look, one is told: the first that does. In a cluster the marker is on one node, and
// stands for that one only. It takes Redis 6.2 (SET with GET).
func (r *Redis) watchEmpty(ctx context.Context, tell func(feature.CacheEvent)) {
	for pause(ctx, lookEvery) == nil {
		if lost, err := r.look(ctx); err == nil && lost {
			r.log.Warn("the cache has lost its entries")
			tell(feature.CacheEmpty)
		}
	}
}

// look makes the marker and reports whether it was missing.
func (r *Redis) look(ctx context.Context) (lost bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, probeWait)
	defer cancel()
	err = r.do(ctx, "looking at", "", func() error {
		return r.client.SetArgs(ctx, marker, "1", redis.SetArgs{TTL: markerLife, Get: true}).Err()
	})
	if errors.Is(err, feature.ErrMiss) {
		return true, nil
	}
	return false, err
}
