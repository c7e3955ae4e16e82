package link_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"brownout/chaos"
	"brownout/chaos/link"
	"brownout/chaos/link/resp"
)

// A situation is what one SET of a plain go-redis client meets, and what go-redis
// v9.23.0 was seen to do in it without a gate: how long until the error, and how
// many connections it made.
type situation struct {
	name    string
	fault   chaos.Fault // none: the upstream itself closes each connection
	change  func(*redis.Options)
	timeout time.Duration // of the context; 0: none
	least   time.Duration // seen
	most    time.Duration
	differs string // why ours need not be the same
}

func situations() []situation {
	ms, s := time.Millisecond, time.Second
	return []situation{
		{"READONLY", chaos.Fault{Kind: chaos.Readonly}, nil, 0, 70 * ms, 120 * ms, ""},
		{"ERR_READONLY", chaos.Fault{Kind: chaos.ErrReadonly}, nil, 0, 0, ms, ""},
		{"LOADING", chaos.Fault{Kind: chaos.Loading}, nil, 0, 90 * ms, 90 * ms, ""},
		{"peer_closes", chaos.Fault{}, nil, 0, 120 * ms, 120 * ms, "here the handshake is closed on, not the command"},
		{"refused", chaos.Fault{Kind: chaos.Refuse}, nil, 0, 1700 * ms, 1700 * ms, ""},
		{"silent", chaos.Fault{Kind: chaos.Blackhole}, nil, 0, 20100 * ms, 20100 * ms, "there the handshake was answered; go-redis does not repeat one"},
		{"silent,context_200ms", chaos.Fault{Kind: chaos.Blackhole}, nil, 200 * ms, 5 * s, 5 * s, ""},
		{"silent,context_200ms_enabled", chaos.Fault{Kind: chaos.Blackhole}, func(o *redis.Options) { o.ContextTimeoutEnabled = true }, 200 * ms, 201 * ms, 201 * ms, ""},
		{"SYN_dropped", chaos.Fault{Kind: chaos.Drop}, nil, 0, 101700 * ms, 101700 * ms, ""},
		{"SYN_dropped,context_1s", chaos.Fault{Kind: chaos.Drop}, nil, s, s, s, ""},
		{"SYN_dropped,DialTimeout_250ms", chaos.Fault{Kind: chaos.Drop}, func(o *redis.Options) { o.DialTimeout = 250 * ms }, 0, 6700 * ms, 6700 * ms, ""},
		{"READONLY,MaxRetries_10", chaos.Fault{Kind: chaos.Readonly}, func(o *redis.Options) {
			o.MaxRetries, o.MinRetryBackoff, o.MaxRetryBackoff = 10, 100*ms, 2*s
		}, 0, 11900 * ms, 11900 * ms, ""},
	}
}

// BenchmarkOneCommand shows, for each situation, how long one SET of go-redis takes
// through a gate, beside what was seen without one. All run at once: they wait
// nearly all of the time. It takes about 100 seconds; give it -benchtime 1x.
func BenchmarkOneCommand(b *testing.B) {
	upstream := startRedis(b)
	closing := startClosing(b)
	for b.Loop() {
		var all sync.WaitGroup
		for _, s := range situations() {
			all.Go(func() { s.measure(b, upstream, closing) })
		}
		all.Wait()
	}
}

func (s situation) measure(b *testing.B, upstream, closing string) {
	if s.fault.Kind == "" {
		upstream = closing
	}
	g := startLink(b, link.Config{Upstream: upstream, Protocol: resp.Protocol()})
	if s.fault.Kind != "" {
		r := put(b, g, s.fault)
		defer r.Revert(context.WithoutCancel(b.Context()))
	}
	o := &redis.Options{Addr: g.Addr()}
	if s.change != nil {
		s.change(o)
	}
	c := redis.NewClient(o)
	defer c.Close()
	ctx := b.Context()
	if s.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.timeout)
		defer cancel()
	}
	start := time.Now()
	err := c.Set(ctx, "key", "value", 0).Err()
	took := time.Since(start)
	if err == nil {
		b.Errorf("%s: SET succeeded", s.name)
		return
	}
	fmt.Printf("%-30s %7.3f s (seen %s) %s\n%32s%d connections: %v\n", s.name, took.Seconds(), s.seen(), s.differs, "", g.Stats().Opened, err)
	b.ReportMetric(took.Seconds(), s.name+"-s")
}

func (s situation) seen() string {
	if s.least == s.most {
		return fmt.Sprintf("%.3f s", s.least.Seconds())
	}
	return fmt.Sprintf("%.2f to %.2f s", s.least.Seconds(), s.most.Seconds())
}

// startClosing is a server that closes each connection at its first byte.
func startClosing(b *testing.B) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			io.ReadFull(c, make([]byte, 1))
			c.Close()
		}
	})
	b.Cleanup(func() { l.Close(); all.Wait() })
	return l.Addr().String()
}
