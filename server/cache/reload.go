package cache

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// A reloader asks a cluster who serves what, now and then.
type reloader struct {
	cluster *redis.ClusterClient // nil: there is none
	every   time.Duration
	start   time.Time
	last    atomic.Int64 // when it was asked, in nanoseconds since start
}

func newReloader(client redis.UniversalClient, every time.Duration) *reloader {
	c, _ := client.(*redis.ClusterClient)
	return &reloader{cluster: c, every: every, start: time.Now().Add(-every)}
}

// ask asks in the background, unless it has been asked a moment ago.
func (r *reloader) ask(ctx context.Context) {
	if r.cluster == nil || r.every <= 0 {
		return
	}
	now, last := int64(time.Since(r.start)), r.last.Load()
	if now-last >= int64(r.every) && r.last.CompareAndSwap(last, now) {
		r.cluster.ReloadState(ctx)
	}
}
