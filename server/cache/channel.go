package cache

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// The channels. No environment has a name with an exclamation mark.
const (
	invalidated = keyPrefix + "!invalidated" // "ID ENVIRONMENT": instance ID has deleted it
	heartbeat   = keyPrefix + "!heartbeat:"  // and the instance that listens: "NANOSECONDS" since it was made
)

// beats is how many heartbeats there are in the time that a copy may be out of date.
const beats = 4

// A channel is how an instance hears of the invalidations of others: Redis' publish
// and subscribe, on one connection.
//
// A connection that is open proves nothing: it may be half dead, or lead to a primary
// that is none any more while everybody else publishes elsewhere. So each instance
// also publishes heartbeats to itself, through the client that it uses for all else.
// What it hears was sent where invalidations are sent.
//
// Note: CLIENT TRACKING (broadcasting) would also tell of keys that others delete,
// and needs no PUBLISH. But it is per connection and node: a cluster takes one
// connection for each primary, made anew with every change of the topology; and
// go-redis' own client-side caching (v9.23.0, experimental) knows only single servers
// and no credentials that change. One subscription serves all topologies, because a
// cluster carries messages to all nodes.
type channel struct {
	far       *Redis
	staleness time.Duration
	drop      func(environment string)
	id        string
	start     time.Time
	log       *slog.Logger

	mu    sync.Mutex
	since time.Time // when it began to listen; zero: it does not
	heard time.Time // when the last heartbeat that it heard was sent
}

func newChannel(far *Redis, staleness time.Duration, drop func(string)) *channel {
	return &channel{far: far, staleness: staleness, drop: drop, id: rand.Text(), start: time.Now(), log: far.log}
}

// covers reports whether what was right at that time is either young enough or would
// have been invalidated.
func (c *channel) covers(made time.Time) bool {
	if time.Since(made) <= c.staleness {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.since.IsZero() && !made.Before(c.since) && time.Since(c.heard) <= c.staleness
}

// tell tells the others.
func (c *channel) tell(ctx context.Context, environment string) error {
	return c.far.publish(ctx, invalidated, c.id+" "+environment)
}

// run listens until ctx ends, and begins again whenever it hears nothing.
func (c *channel) run(ctx context.Context) {
	for ctx.Err() == nil {
		c.relisten(ctx)
	}
}

// relisten tries to listen until it has heard something, and then until it hears
// nothing any more.
func (c *channel) relisten(ctx context.Context) {
	for wait := range backoff(c.far.set.Client.ProbeMin, c.far.set.Client.ProbeMax) {
		err := c.session(ctx)
		heard := c.end()
		if ctx.Err() != nil {
			return
		}
		if heard {
			c.log.Warn("invalidations by other instances are not heard", "error", err)
			return
		}
		c.far.reload.ask(ctx)
		if pause(ctx, wait) != nil {
			return
		}
	}
}

// end forgets the session and reports whether anything was heard in it.
func (c *channel) end() (heard bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	heard = !c.heard.IsZero()
	c.since, c.heard = time.Time{}, time.Time{}
	return heard
}

// session listens on one connection.
func (c *channel) session(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	sub := c.far.client.Subscribe(ctx)
	stop := context.AfterFunc(ctx, func() { sub.Close() }) // a read does not end with ctx
	var g sync.WaitGroup
	defer g.Wait()
	defer cancel()
	defer stop()
	defer sub.Close()
	if err := sub.Subscribe(ctx, invalidated, heartbeat+c.id); err != nil {
		return fmt.Errorf("subscribing: %w", err)
	}
	g.Go(func() { c.beat(ctx) })
	return c.listen(ctx, sub)
}

// beat sends heartbeats until ctx ends. One that fails is not heard, and that tells.
func (c *channel) beat(ctx context.Context) {
	for {
		sent := strconv.FormatInt(int64(time.Since(c.start)), 10)
		_ = c.far.publish(ctx, heartbeat+c.id, sent)
		if pause(ctx, c.staleness/beats) != nil {
			return
		}
	}
}

// listen takes messages until there has been no heartbeat for too long.
func (c *channel) listen(ctx context.Context, sub *redis.PubSub) error {
	begun := time.Now()
	for confirmed := 0; ; {
		got, err := sub.ReceiveTimeout(ctx, c.staleness)
		if err != nil {
			return fmt.Errorf("listening: %w", err)
		}
		switch m := got.(type) {
		case *redis.Subscription:
			if confirmed++; confirmed == 2 {
				c.begin()
			}
		case *redis.Message:
			c.take(m)
		}
		if c.silence(begun) > c.staleness {
			return fmt.Errorf("listening: no heartbeat for %v", c.staleness)
		}
	}
}

// begin notes that from now on everything is heard.
func (c *channel) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since = time.Now()
}

// take takes a message. Others may publish here too; what cannot be read is dropped.
func (c *channel) take(m *redis.Message) {
	if m.Channel == invalidated {
		if id, environment, ok := strings.Cut(m.Payload, " "); ok && id != c.id {
			c.drop(environment)
		}
		return
	}
	sent, err := strconv.ParseInt(m.Payload, 10, 64)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// One that was not sent yet is somebody else's, and would count for ever.
	if at := c.start.Add(time.Duration(sent)); at.After(c.since) && at.After(c.heard) && !at.After(time.Now()) {
		c.heard = at
	}
}

// silence is how long no heartbeat was heard in a session that began at that time.
func (c *channel) silence(begun time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.heard.After(begun) {
		begun = c.heard
	}
	return time.Since(begun)
}
