package resp

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
)

// commandStats returns calls + rejected_calls of INFO commandstats, by the kind of
// an exchange.
func commandStats(t *testing.T, direct *redis.Client) map[string]int {
	t.Helper()
	text, err := direct.Info(t.Context(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for line := range strings.Lines(text) {
		name, rest, found := strings.Cut(strings.TrimPrefix(line, "cmdstat_"), ":")
		if !found {
			continue
		}
		var calls, usec, rejected, failed int
		var per float64
		_, err := fmt.Sscanf(strings.TrimSpace(rest), "calls=%d,usec=%d,usec_per_call=%g,rejected_calls=%d,failed_calls=%d",
			&calls, &usec, &per, &rejected, &failed)
		if err != nil {
			t.Fatalf("reading %q: %v", line, err)
		}
		counts[strings.ToUpper(name)] = calls + rejected
	}
	delete(counts, "CONFIG|RESETSTAT") // ours
	return counts
}

// counts returns the number of exchanges of each kind that the server has answered.
func (p *proxy) counts() map[string]int {
	counts := map[string]int{}
	for _, e := range p.exchanges() {
		if !e.Injected {
			counts[e.Kind]++
		}
	}
	return counts
}

// traffic is what a client does whose every command must be counted. What the
// server does not know is in no row of its statistics: see notInStats.
func traffic(t *testing.T, c *redis.Client) {
	ctx := t.Context()
	for i := range 20 {
		c.Set(ctx, fmt.Sprint("flags:", i), strings.Repeat("x", i*1000), 0)
		c.Get(ctx, fmt.Sprint("flags:", i+5))
	}
	c.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range 100 {
			p.HSet(ctx, "hash", fmt.Sprint(i), i)
			p.HGetAll(ctx, "hash")
			p.Incr(ctx, "hash") // fails: it is no number
		}
		return nil
	})
	c.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, "a", 1, 0)
		p.ZAdd(ctx, "z", redis.Z{Score: 1.5, Member: "m"})
		p.ZRangeWithScores(ctx, "z", 0, -1)
		p.LPush(ctx, "a", 1) // fails when it is run
		return nil
	})
	c.Do(ctx, "GET")            // rejected: too few arguments
	c.Do(ctx, "CONFIG", "GET")  //
	c.Do(ctx, "OBJECT", "HELP") //
	c.Do(ctx, "CLIENT")         //
	c.Eval(ctx, "return KEYS[1]", []string{"k"})
	c.EvalSha(ctx, strings.Repeat("0", 40), nil)
	c.Do(ctx, "BLPOP", "nothing", "0.01")
	c.XAdd(ctx, &redis.XAddArgs{Stream: "s", Values: []string{"a", "b"}})
	c.XRead(ctx, &redis.XReadArgs{Streams: []string{"s", "0"}})
	c.GeoAdd(ctx, "geo", &redis.GeoLocation{Name: "x", Longitude: 1.5, Latitude: 2})
	c.GeoPos(ctx, "geo", "x", "y")
	c.Command(ctx)
	c.ConfigGet(ctx, "*")
	c.Info(ctx)
	c.Watch(ctx, func(tx *redis.Tx) error {
		tx.Get(ctx, "a")
		_, err := tx.TxPipelined(ctx, func(p redis.Pipeliner) error { p.Set(ctx, "a", 2, 0); return nil })
		return err
	}, "a")
	chat(t, c)
}

// chat subscribes, listens and leaves.
func chat(t *testing.T, c *redis.Client) {
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	sub := c.Subscribe(ctx, "news", "sports")
	for range 2 {
		if _, err := sub.Receive(ctx); err != nil {
			t.Fatalf("subscribing: %v", err)
		}
	}
	sub.PSubscribe(ctx, "n*")
	sub.Receive(ctx)
	for range 5 {
		c.Publish(ctx, "news", "x")
		for range 2 { // for the channel and for the pattern
			if _, err := sub.ReceiveMessage(ctx); err != nil {
				t.Fatalf("receiving: %v", err)
			}
		}
	}
	sub.Ping(ctx)
	sub.Receive(ctx)
	sub.Unsubscribe(ctx)
	sub.Receive(ctx)
	sub.Receive(ctx)
	if err := sub.Close(); err != nil {
		t.Errorf("closing the subscription: %v", err)
	}
}

// notInStats are the kinds of the traffic that the server does not know.
var notInStats = []string{"CLIENT|SETINFO", "CLIENT|MAINT_NOTIFICATIONS"}

func TestEveryCommandOfTheServerIsCounted(t *testing.T) {
	for protocol := 2; protocol <= 3; protocol++ {
		t.Run(fmt.Sprint("RESP", protocol), func(t *testing.T) {
			node := startRedis(t)
			direct := client(t, node.Addr)
			if err := direct.ConfigResetStat(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			p := startProxy(t, node.Addr)
			c := redis.NewClient(&redis.Options{Addr: p.addr, Protocol: protocol})
			traffic(t, c)
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			p.stop()
			got := p.counts()
			for _, kind := range notInStats {
				delete(got, kind)
			}
			compare(t, "exchanges by kind, against commandstats", got, commandStats(t, direct))
			for _, aside := range p.asides() {
				t.Errorf("stepped aside: %q", aside)
			}
		})
	}
}

// TestWhatIsAnsweredDoesNotReachTheServer has answers come and go under load: what
// is not injected is what the server has counted.
func TestWhatIsAnsweredDoesNotReachTheServer(t *testing.T) {
	node := startRedis(t)
	direct := client(t, node.Addr)
	if err := direct.ConfigResetStat(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, node.Addr)
	c := redis.NewClient(&redis.Options{Addr: p.addr, MaxRetries: -1})
	var load, faults sync.WaitGroup
	over := make(chan struct{})
	faults.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-over:
				return
			default:
			}
			p.inject(&answer(states[i%len(states)].kind).Answer)
			runtime.Gosched()
			p.lift()
		}
	})
	for range 8 {
		load.Go(func() {
			for range 100 {
				c.Pipelined(t.Context(), func(p redis.Pipeliner) error {
					p.Set(t.Context(), "a", 1, 0)
					p.Get(t.Context(), "a")
					p.Ping(t.Context())
					return nil
				})
			}
		})
	}
	load.Wait()
	close(over)
	faults.Wait()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	p.stop()
	got := p.counts()
	for _, kind := range notInStats {
		delete(got, kind)
	}
	compare(t, "exchanges by kind, against commandstats", got, commandStats(t, direct))
	if p.injected("SET") == 0 || got["SET"] == 0 {
		t.Errorf("%d SETs were answered, %d not; the test wants some of both", p.injected("SET"), got["SET"])
	}
}

func TestWhatIsQueuedAndNotRunIsNotInCommandStats(t *testing.T) {
	node := startRedis(t)
	direct := client(t, node.Addr)
	if err := direct.ConfigResetStat(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, node.Addr)
	c := client(t, p.addr)
	conn := c.Conn()
	for _, command := range []string{"MULTI", "SET a 1", "DISCARD", "MULTI", "SET a 1", "GET", "EXEC", "NOSUCH"} {
		var args []any
		for _, word := range strings.Fields(command) {
			args = append(args, word)
		}
		conn.Do(t.Context(), args...)
	}
	conn.Close()
	got, want := p.counts(), commandStats(t, direct)
	delete(got, "HELLO")
	delete(want, "HELLO")
	compare(t, "exchanges", got, map[string]int{"MULTI": 2, "SET": 2, "DISCARD": 1, "GET": 1, "EXEC": 1, "NOSUCH": 1})
	compare(t, "commandstats", want, map[string]int{"MULTI": 2, "DISCARD": 1, "GET": 1, "EXEC": 1})
}
