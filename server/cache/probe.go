package cache

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"brownout/server/feature"
)

// probeWait bounds a probe of a client that sets itself no bounds.
const probeWait = time.Second

// greet opens the first connection, if that is asked for. Without a breaker it tries
// until there is one.
func (r *Redis) greet(ctx context.Context) error {
	if !r.set.Client.ConnectAtStart {
		return nil
	}
	err := r.knock(ctx)
	if err == nil || r.breaker.circuit != nil {
		return err
	}
	return r.probe(ctx)
}

// probe asks until Redis answers, or ctx ends.
func (r *Redis) probe(ctx context.Context) error {
	for wait := range backoff(r.set.Client.ProbeMin, r.set.Client.ProbeMax) {
		if err := pause(ctx, wait); err != nil {
			return err
		}
		if r.knock(ctx) == nil {
			return nil
		}
		r.reload.ask(ctx)
	}
	return nil // not reached: there is always another wait
}

// knock asks once: for the entry that was asked about in vain, if there is one, because
// a PING also comes through a link that is too slow for entries. In a cluster it is a
// PING to any node: one shard that is away must not keep the entries of all others away,
// and the breaker is one for all.
func (r *Redis) knock(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeWait)
	defer cancel()
	if lost := r.lost.Load(); lost != nil && r.reload.cluster == nil {
		err := r.client.Get(ctx, keyPrefix+*lost).Err()
		switch judge(ctx, err) {
		case answered:
			return nil
		case silent, unknown:
			return wrap("probing", err)
		}
	}
	return r.Ping(ctx)
}

// quiet is the shortest time between two lines about the same thing.
const quiet = time.Second

// A notice tells the log that Redis is given up, and that it is used again, at most
// once a second: a breaker may open and close more often than that. It is used by one
// goroutine.
type notice struct {
	log    *slog.Logger
	last   time.Time
	silent bool // the last one was not told
}

func (n *notice) broken(err error) {
	if n.silent = time.Since(n.last) < quiet; n.silent {
		return
	}
	n.last = time.Now()
	n.log.Warn("the cache is not asked any more", "class", feature.Class(err), "error", err)
}

func (n *notice) mended() {
	if !n.silent {
		n.log.Info("the cache is asked again")
	}
}

// The waits of a client that names none.
const (
	leastWait = 10 * time.Millisecond
	mostWait  = time.Second
)

// backoff yields waits without end: each is drawn at random from nothing to a bound
// that doubles from low to high ("full jitter":
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
func backoff(low, high time.Duration) func(func(time.Duration) bool) {
	if low <= 0 {
		low = leastWait
	}
	if high <= 0 {
		high = mostWait
	}
	return func(yield func(time.Duration) bool) {
		for bound := min(low, high); yield(rand.N(bound + 1)); bound = min(2*bound, high) {
		}
	}
}
