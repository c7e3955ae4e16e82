package resp

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"brownout/chaos"

	"github.com/redis/go-redis/v9"
)

// symptoms are what a go-redis v9 client with its defaults makes of each answer,
// on a connection that it has used before: one SET.
var symptoms = []struct {
	kind     chaos.Kind
	err      string // what the caller gets begins so
	attempts int    // how often the command was sent
	dials    int    // connections that were made for it
	closed   int    // connections that the dialog closed
	later    int    // connections that the next SET needs, after the answer is lifted
}{
	{chaos.Readonly, readonlyText, 4, 3, 0, 1},
	{chaos.ReadonlyClose, readonlyText, 4, 3, 4, 1},
	{chaos.ErrReadonly, "ERR " + readonlyText, 1, 0, 0, 0},
	{chaos.Loading, loadingText, 4, 0, 0, 0},
	{chaos.ClusterDown, clusterText, 4, 0, 0, 0},
	{chaos.MasterDown, masterText, 4, 0, 0, 0},
	{chaos.OOM, oomText, 1, 0, 0, 0},
	{chaos.NoAuth, noAuthText, 1, 0, 0, 0},
	{chaos.Garbage, "redis: can't parse reply=", 1, 0, 0, 1},
}

func TestAClientShowsTheSymptomOfEachAnswer(t *testing.T) {
	node := startRedis(t)
	for protocol := 2; protocol <= 3; protocol++ {
		for _, tt := range symptoms {
			t.Run(fmt.Sprintf("RESP%d/%s", protocol, tt.kind), func(t *testing.T) {
				p := startProxy(t, node.Addr)
				c := defaultClient(t, p, protocol)
				if err := c.Set(t.Context(), "before", 1, 0).Err(); err != nil {
					t.Fatalf("SET before: %v", err)
				}
				a, dials := answer(tt.kind), p.accepted.Load()
				p.inject(&a.Answer)
				err := c.Set(t.Context(), "during", 1, 0).Err()
				if err == nil || !strings.HasPrefix(err.Error(), tt.err) {
					t.Errorf("SET during = %v, want %s", err, tt.err)
				}
				if got := p.injected("SET"); got != tt.attempts || a.bites.Load() != int64(tt.attempts) || a.chances.Load() != int64(tt.attempts) {
					t.Errorf("%d exchanges injected, %d of %d answered, want %d", got, a.bites.Load(), a.chances.Load(), tt.attempts)
				}
				if got := p.accepted.Load() - dials; got != int64(tt.dials) {
					t.Errorf("%d connections were made, want %d", got, tt.dials)
				}
				if got := p.hungUp.Load(); got != int64(tt.closed) {
					t.Errorf("%d connections were closed, want %d", got, tt.closed)
				}
				p.lift()
				dials = p.accepted.Load()
				if err := c.Set(t.Context(), "after", 1, 0).Err(); err != nil {
					t.Errorf("SET after: %v", err)
				}
				if got := p.accepted.Load() - dials; got != int64(tt.later) {
					t.Errorf("%d connections were made after, want %d", got, tt.later)
				}
				direct := client(t, node.Addr)
				if n := direct.Exists(t.Context(), "during").Val(); n != 0 {
					t.Error("the server has the value that was refused")
				}
			})
		}
	}
}

// injected counts the exchanges of a kind that were answered in Redis' name.
func (p *proxy) injected(kind string) (n int) {
	for _, e := range p.exchanges() {
		if e.Injected && e.Kind == kind {
			n++
		}
	}
	return n
}

// defaultClient returns a client as a program has it that sets nothing.
func defaultClient(t *testing.T, p *proxy, protocol int) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: p.addr, Protocol: protocol})
	t.Cleanup(func() { c.Close() })
	return c
}

func TestReadsPassWhatOnlyWritesAreRefused(t *testing.T) {
	node := startRedis(t)
	for _, kind := range []chaos.Kind{chaos.Readonly, chaos.ReadonlyClose, chaos.ErrReadonly, chaos.OOM} {
		p := startProxy(t, node.Addr)
		c := defaultClient(t, p, 3)
		p.inject(&answer(kind).Answer)
		if err := c.Get(t.Context(), "nothing").Err(); err != redis.Nil {
			t.Errorf("GET under %s = %v, want %v", kind, err, redis.Nil)
		}
	}
}

func TestMaxClientsTurnsAwayWhoComesNew(t *testing.T) {
	node := startRedis(t)
	p := startProxy(t, node.Addr)
	live := defaultClient(t, p, 3)
	live.Ping(t.Context())
	a := answer(chaos.MaxClients)
	p.inject(&a.Answer)
	if err := live.Set(t.Context(), "live", 1, 0).Err(); err != nil {
		t.Errorf("SET on a live connection: %v", err)
	}
	fresh := defaultClient(t, p, 3)
	// What a client hears of its handshake depends on what was faster, its write or
	// the FIN: the error, EOF, a reset or a broken pipe.
	if err := fresh.Set(t.Context(), "fresh", 1, 0).Err(); err == nil {
		t.Error("SET on a fresh connection gives no error")
	}
	if p.hungUp.Load() != 4 || a.chances.Load() != 4 || a.bites.Load() != 4 {
		t.Errorf("%d connections were closed, %d of %d answered, want 4: the first try and three more", p.hungUp.Load(), a.bites.Load(), a.chances.Load())
	}
	p.lift()
	if err := fresh.Set(t.Context(), "fresh", 1, 0).Err(); err != nil {
		t.Errorf("SET after: %v", err)
	}
	c := dialRedis(t, p.addr)
	if reply := c.ask("PING"); reply != "+PONG\r\n" {
		t.Errorf("PING = %q", reply)
	}
}

func TestMaxClientsSaysWhatRedisSays(t *testing.T) {
	p := startProxy(t, startRedis(t).Addr)
	p.inject(&answer(chaos.MaxClients).Answer)
	c := dialRedis(t, p.addr)
	if reply := c.read(); reply != "-ERR max number of clients reached\r\n" {
		t.Errorf("a fresh connection reads %q", reply)
	}
	if _, err := c.in.ReadByte(); err == nil {
		t.Error("the connection is not closed behind it")
	}
}

func TestATransactionOfAClientIsAborted(t *testing.T) {
	node := startRedis(t)
	p := startProxy(t, node.Addr)
	c := redis.NewClient(&redis.Options{Addr: p.addr, MaxRetries: -1, PoolSize: 1})
	t.Cleanup(func() { c.Close() })
	set := func(key string) error {
		_, err := c.TxPipelined(t.Context(), func(tx redis.Pipeliner) error {
			tx.Get(t.Context(), key)
			tx.Set(t.Context(), key, 1, 0)
			return nil
		})
		return err
	}
	set("before")
	dials := p.accepted.Load()
	p.inject(&answer(chaos.ErrReadonly).Answer) // the client keeps its connection
	if err := set("during"); err == nil || !strings.Contains(err.Error(), "READONLY") && !strings.Contains(err.Error(), "EXECABORT") {
		t.Errorf("a transaction = %v, want it refused", err)
	}
	p.lift()
	if err := set("after"); err != nil && err != redis.Nil {
		t.Errorf("a transaction after: %v", err)
	}
	direct := client(t, node.Addr)
	if n := direct.Exists(context.Background(), "during", "after").Val(); n != 1 {
		t.Errorf("%d keys, want that of the second transaction only", n)
	}
	if got := p.accepted.Load() - dials; got != 0 {
		t.Errorf("%d connections were made, want 0", got)
	}
}
