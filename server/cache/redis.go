package cache

import (
	"context"
	"errors"
	"fmt"
	"time"

	"brownout/server/feature"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// keyPrefix stands before the environment in every key.
const keyPrefix = "feature_flags:"

// forever is longer than any process lives. go-redis has no word for "wait as
// long as it takes" where a pool is concerned.
const forever = 10 * 365 * 24 * time.Hour

// Client is how the Redis client behaves. A negative duration means no limit.
type Client struct {
	DialTimeout  time.Duration
	ReadTimeout  time.Duration // per attempt
	WriteTimeout time.Duration // per attempt
	PoolTimeout  time.Duration // wait for a connection
	PoolSize     int           // connections kept; also the failed dials after which go-redis stops dialling for up to a second. 0: 10 per CPU
	MaxConns     int           // connections at all. 0: no limit
	MaxDials     int           // dials at the same time. 0: PoolSize
	Retries      int           // further attempts of a command
	DialAttempts int           // per attempt of a command, 1 or more
	MinBackoff   time.Duration // before the first retry; it doubles
	MaxBackoff   time.Duration // before any retry
	// ObeyContext ends a command when its context ends. Without it go-redis looks at
	// the context only between attempts.
	ObeyContext bool
	// ShortHandshake leaves out of a new connection what needs further round trips
	// (CLIENT SETINFO, CLIENT MAINT_NOTIFICATIONS).
	ShortHandshake bool
}

// Redis keeps snapshots in a Redis server. Entries are plain strings.
type Redis struct {
	client *redis.Client
	ttl    time.Duration
}

// NewRedis makes a client; it does not connect. url is as redis.ParseURL reads it;
// settings of the client in its query give way to c. ttl must be whole seconds.
func NewRedis(url string, c Client, ttl time.Duration) (*Redis, error) {
	if ttl < time.Second || ttl%time.Second != 0 {
		return nil, fmt.Errorf("making the redis cache: entries live for %v, want whole seconds", ttl)
	}
	options, err := redis.ParseURL(url)
	if err != nil {
		// Not err: it quotes the URL, which may hold a password.
		return nil, errors.New("making the redis cache: the URL cannot be read, want redis://host:port/0 or rediss://…")
	}
	c.apply(options)
	// go-redis prints each failed dial on standard error. The state of the cache is
	// logged by its owner.
	logging.Disable()
	return &Redis{client: redis.NewClient(options), ttl: ttl}, nil
}

func (c Client) apply(o *redis.Options) {
	o.DialTimeout = c.DialTimeout
	o.ReadTimeout, o.WriteTimeout = orNone(c.ReadTimeout), orNone(c.WriteTimeout)
	o.PoolTimeout = c.PoolTimeout
	if c.PoolTimeout < 0 {
		o.PoolTimeout = forever
	}
	o.PoolSize, o.MaxActiveConns, o.MaxConcurrentDials = c.PoolSize, c.MaxConns, c.MaxDials
	o.MaxRetries = c.Retries
	if c.Retries == 0 {
		o.MaxRetries = -1 // 0 would mean 3
	}
	o.MinRetryBackoff, o.MaxRetryBackoff = c.MinBackoff, c.MaxBackoff
	o.DialerRetries = c.DialAttempts
	o.DialerRetryBackoff = c.dialBackoff
	o.ContextTimeoutEnabled = c.ObeyContext
	// Pipelines are not used, so neither is their pool.
	o.PipelinePoolSize = -1
	if c.ShortHandshake {
		o.DisableIdentity = true
		o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	}
}

// orNone turns any negative duration into go-redis' -1: no limit. (-2 means
// something else there.)
func orNone(d time.Duration) time.Duration { return max(d, -1) }

// dialBackoff doubles from MinBackoff to MaxBackoff. attempt counts from 0.
func (c Client) dialBackoff(attempt int) time.Duration {
	d := c.MinBackoff
	for range attempt {
		if d *= 2; d >= c.MaxBackoff {
			return c.MaxBackoff
		}
	}
	return d
}

// Name is "redis".
func (r *Redis) Name() string { return "redis" }

// Get is GET.
func (r *Redis) Get(ctx context.Context, environment string) ([]byte, error) {
	data, err := r.client.Get(ctx, keyPrefix+environment).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, feature.ErrMiss
	}
	return data, wrap("reading", err)
}

// Set is SETEX, with whole seconds.
func (r *Redis) Set(ctx context.Context, environment string, snapshot []byte) error {
	//lint:ignore SA1019 SETEX is the command of the service that this one stands for, and taps see it
	return wrap("writing", r.client.SetEx(ctx, keyPrefix+environment, snapshot, r.ttl).Err())
}

// Delete is DEL.
func (r *Redis) Delete(ctx context.Context, environment string) error {
	return wrap("deleting", r.client.Del(ctx, keyPrefix+environment).Err())
}

// Ping is PING.
func (r *Redis) Ping(ctx context.Context) error {
	return wrap("pinging", r.client.Ping(ctx).Err())
}

// Close closes every connection, also those that somebody waits on.
func (r *Redis) Close() error { return r.client.Close() }

// wrap adds what was done, and makes a wait for the pool the timeout that it is.
func wrap(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, redis.ErrPoolTimeout):
		return fmt.Errorf("%s the cache: %w: %w", doing, context.DeadlineExceeded, err)
	}
	return fmt.Errorf("%s the cache: %w", doing, err)
}
