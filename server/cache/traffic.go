package cache

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// commandOther stands for the commands that a connection begins with, and those of
// Sentinels and clusters.
const commandOther = "other"

// Commands are the names under which Traffic counts commands.
func Commands() []string {
	return []string{"get", "pttl", "setex", "del", "publish", "set", "ping", commandOther}
}

// Traffic counts what is said to Redis and heard from it: what it costs where commands
// and bytes are paid for. It can be read at any time.
type Traffic struct {
	Sent, Received     atomic.Uint64 // bytes, of RESP; under TLS without what TLS adds
	Dials, FailedDials atomic.Uint64 // a dial that failed is one of Dials, too
	Failures           atomic.Uint64 // commands without an answer, or with an error for one

	commands map[string]*atomic.Uint64 // by name; the map is never changed
}

func newTraffic() *Traffic {
	t := &Traffic{commands: map[string]*atomic.Uint64{}}
	for _, name := range Commands() {
		t.commands[name] = &atomic.Uint64{}
	}
	return t
}

// Command is how often the command of that name, one of Commands, was asked for. One
// that go-redis has tried again, or sent on to another node, counts once.
func (t *Traffic) Command(name string) uint64 { return t.commands[name].Load() }

func (t *Traffic) count(c redis.Cmder, err error) {
	n, known := t.commands[c.Name()]
	if !known {
		n = t.commands[commandOther]
	}
	n.Add(1)
	if err != nil && !errors.Is(err, redis.Nil) {
		t.Failures.Add(1)
	}
}

// A meter is the hook of go-redis that counts.
type meter struct{ *Traffic }

// DialHook changes nothing: dials are counted where they are made.
func (m meter) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook counts a command.
func (m meter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, c redis.Cmder) error {
		err := next(ctx, c)
		m.count(c, err)
		return err
	}
}

// ProcessPipelineHook counts each command of a pipeline.
func (m meter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, all []redis.Cmder) error {
		err := next(ctx, all)
		for _, c := range all {
			m.count(c, c.Err())
		}
		return err
	}
}

// Metered is a cache whose traffic is counted.
type Metered interface {
	Traffic() *Traffic
	// Broken reports whether the cache is given up for now: it is asked by probes only.
	Broken() bool
}

// Traffic is what went to and fro so far.
func (r *Redis) Traffic() *Traffic { return r.conns.traffic }

// Broken reports whether the breaker is open.
func (r *Redis) Broken() bool { return r.breaker.circuit != nil && !r.breaker.circuit.IsClosed() }

// Traffic is that with Redis.
func (t *Tiered) Traffic() *Traffic { return t.far.Traffic() }

// Broken is that of Redis.
func (t *Tiered) Broken() bool { return t.far.Broken() }
