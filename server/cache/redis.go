package cache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"brownout/server/feature"

	"github.com/redis/go-redis/v9"
)

// keyPrefix stands before the environment in every key. The pattern is that of the
// service that this one stands for, and both can use one Redis. It forces a read of one
// flag to fetch the whole environment, in one round trip. It does not force decoding it
// each time: the bytes are compared with those that were decoded last (package server).
const keyPrefix = "feature_flags:"

// Redis keeps snapshots in Redis: one server, a primary that Sentinels name, or a
// cluster. Entries are plain strings.
type Redis struct {
	client  redis.UniversalClient
	conns   *conns
	life    life
	breaker *breaker
	lost    atomic.Pointer[string] // the environment that was asked about last without an answer
	reload  *reloader
	set     Settings
	log     *slog.Logger
}

// NewRedis makes a client; it does not connect. Settings of the client in the URL's
// query give way to s.Client.
func NewRedis(s Settings) (*Redis, error) {
	life, err := s.life()
	if err != nil {
		return nil, makeError(BackendRedis, err)
	}
	client, conns, err := connect(s)
	if err != nil {
		return nil, makeError(BackendRedis, err)
	}
	return &Redis{
		client: client, conns: conns, life: life, set: s, log: s.log(),
		breaker: newBreaker(s.Client.BreakAfter), reload: newReloader(client, s.Client.ReloadEvery),
	}, nil
}

// Name is "redis".
func (r *Redis) Name() string { return BackendRedis }

// Get is GET.
func (r *Redis) Get(ctx context.Context, environment string) (data []byte, err error) {
	err = r.do(ctx, "reading", environment, func() (err error) {
		data, err = r.client.Get(ctx, keyPrefix+environment).Bytes()
		return err
	})
	return data, err
}

// getLife is GET and PTTL in one round trip: an entry, and how long it has to live.
func (r *Redis) getLife(ctx context.Context, environment string) (data []byte, left time.Duration, err error) {
	err = r.do(ctx, "reading", environment, func() error {
		p := r.client.Pipeline()
		value, life := p.Get(ctx, keyPrefix+environment), p.PTTL(ctx, keyPrefix+environment)
		if _, err := p.Exec(ctx); err != nil {
			return err
		}
		left = life.Val()
		data, err = value.Bytes()
		return err
	})
	return data, left, err
}

// Set is SETEX, with whole seconds: the command of the service that this one stands
// for. (SET with EX does the same.)
func (r *Redis) Set(ctx context.Context, environment string, snapshot []byte) error {
	return r.do(ctx, "writing", environment, func() error {
		return r.client.SetEx(ctx, keyPrefix+environment, snapshot, r.life.draw()).Err()
	})
}

// Delete is DEL.
func (r *Redis) Delete(ctx context.Context, environment string) error {
	return r.do(ctx, "deleting", environment, func() error { return r.client.Del(ctx, keyPrefix+environment).Err() })
}

// publish is PUBLISH.
func (r *Redis) publish(ctx context.Context, channel, message string) error {
	return r.do(ctx, "telling other instances through", "", func() error { return r.client.Publish(ctx, channel, message).Err() })
}

// Ping is PING. It asks also while the breaker is open.
func (r *Redis) Ping(ctx context.Context) error { return wrap("pinging", r.client.Ping(ctx).Err()) }

// Close closes every connection, also those that somebody waits on.
func (r *Redis) Close() error {
	err := r.client.Close()
	r.conns.close()
	return err
}

// do carries out a command unless the breaker is open, and learns from how it went.
// environment is the one that the command is about, if it is about one.
func (r *Redis) do(ctx context.Context, doing, environment string, command func() error) error {
	if err := r.breaker.allow(); err != nil {
		return wrap(doing, err)
	}
	err := command()
	r.learn(ctx, environment, err)
	return wrap(doing, err)
}

// learn looks at how a command went.
func (r *Redis) learn(ctx context.Context, environment string, err error) {
	how := judge(ctx, err)
	switch how {
	case unknown:
		return
	case silent:
		if environment != "" {
			lost := environment
			r.lost.Store(&lost) // before a probe can begin
		}
	case refusedWrite:
		if r.set.Client.RenewConns {
			r.conns.renew()
		}
	}
	if how != answered {
		r.reload.ask(ctx)
	}
	r.breaker.count(how == silent, err)
}

// Run probes Redis while the breaker is open, opens the first connection and looks
// for a Redis that has lost its entries, as the settings say. It returns when ctx has
// ended.
func (r *Redis) Run(ctx context.Context, tell func(feature.CacheEvent)) {
	var g sync.WaitGroup
	g.Go(func() { r.breaker.run(ctx, r.turns(tell)) })
	if r.set.WatchEmpty {
		g.Go(func() { r.watchEmpty(ctx, tell) })
	}
	g.Wait()
}

// turns is what is done when the breaker opens and closes.
func (r *Redis) turns(tell func(feature.CacheEvent)) breakerLife {
	said := &notice{log: r.log}
	return breakerLife{
		start: r.greet,
		probe: r.probe,
		broken: func(err error) {
			if r.set.Client.RenewConns {
				r.conns.renew()
			}
			said.broken(err)
		},
		mended: func() {
			said.mended()
			tell(feature.CacheBack)
		},
	}
}

// wrap adds what was done, and gives what go-redis says the names of package feature.
func wrap(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, redis.Nil):
		return feature.ErrMiss
	case errors.Is(err, redis.ErrPoolTimeout):
		// A wait for the pool is the timeout that it is.
		return fmt.Errorf("%s the cache: %w: %w", doing, context.DeadlineExceeded, err)
	}
	return fmt.Errorf("%s the cache: %w", doing, err)
}
