package link_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"brownout/chaos"
	"brownout/chaos/link"
	"brownout/chaos/link/resp"
	"brownout/chaos/stack"
	"brownout/results"
)

// startRedis runs a real Redis until t ends.
func startRedis(t testing.TB) string {
	t.Helper()
	s, err := stack.Start(t.Context(), stack.Config{Cache: stack.Redis})
	if err != nil {
		t.Fatalf("starting Redis: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Errorf("stopping Redis: %v", err)
		}
	})
	return s.Cache.Addr
}

// A ledger keeps the exchanges of a link.
type ledger struct {
	mu  sync.Mutex
	all []results.Exchange
}

func (l *ledger) note(e results.Exchange) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, e)
}

// calls counts the exchanges by kind, as INFO commandstats names them.
func (l *ledger) calls() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	calls := map[string]int{}
	for _, e := range l.all {
		calls[strings.ToLower(e.Kind)]++
	}
	return calls
}

// startLink runs a gate until t ends.
func startLink(t testing.TB, cfg link.Config) *link.Gate {
	t.Helper()
	cfg.Name, cfg.Seed = "cache", 1
	g := link.New(cfg)
	if err := g.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return g
}

// put puts f in force as soon as the gate runs.
func put(t testing.TB, g *link.Gate, f chaos.Fault) chaos.Reverter {
	t.Helper()
	f.On = "cache"
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		r, err := g.Inject(t.Context(), f)
		if err == nil {
			return r
		}
		if time.Now().After(end) {
			t.Fatalf("Inject(%s): %v", f, err)
		}
	}
}

// TestAnswersAsGoRedisFeelsThem: what one command of a go-redis client with its
// defaults gets, and how often it asked on how many connections, for each answer.
func TestAnswersAsGoRedisFeelsThem(t *testing.T) {
	upstream := startRedis(t)
	for _, row := range []struct {
		kind     chaos.Kind
		write    bool
		live     bool   // the client has a connection when the fault comes
		err      string // its beginning; empty: EOF, a broken pipe or a reset, whichever comes first
		attempts int    // requests that were answered
		connects int    // connections made in the fault
	}{
		{chaos.Readonly, true, true, "READONLY You can't write against a read only replica.", 4, 3},
		{chaos.ReadonlyClose, true, true, "READONLY You can't write against a read only replica.", 4, 3},
		{chaos.ErrReadonly, true, true, "ERR READONLY You can't write against a read only replica.", 1, 0},
		{chaos.Loading, false, true, "LOADING Redis is loading the dataset in memory", 4, 0},
		{chaos.ClusterDown, false, true, "CLUSTERDOWN The cluster is down", 4, 0},
		{chaos.MasterDown, false, true, "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", 4, 0},
		{chaos.OOM, true, true, "OOM command not allowed when used memory > 'maxmemory'.", 1, 0},
		{chaos.NoAuth, false, true, "NOAUTH Authentication required.", 1, 0},
		{chaos.NoAuth, false, false, "NOAUTH Authentication required.", 4, 1}, // HELLO and what follows it
		{chaos.Garbage, false, true, "redis: can't parse", 1, 0},
		{chaos.MaxClients, false, false, "", 4, 4}, // takes the error for HELLO's, and meets the end
	} {
		t.Run(fmt.Sprintf("%s live=%v", row.kind, row.live), func(t *testing.T) {
			g := startLink(t, link.Config{Upstream: upstream, Protocol: resp.Protocol()})
			c := redis.NewClient(&redis.Options{Addr: g.Addr()})
			defer c.Close()
			do := func() error {
				if row.write {
					return c.Set(t.Context(), "key", "value", 0).Err()
				}
				return c.Get(t.Context(), "nothing").Err()
			}
			if row.live {
				if err := do(); err != nil && err != redis.Nil {
					t.Fatalf("before: %v", err)
				}
			}
			before := g.Stats().Opened
			r := put(t, g, chaos.Fault{Kind: row.kind})
			err := do()
			if err == nil || !strings.HasPrefix(err.Error(), row.err) || row.err == "" && !cutOff(err) {
				t.Errorf("error = %v, want %q", err, row.err)
			}
			connects := int(g.Stats().Opened - before)
			ev, rerr := r.Revert(t.Context())
			if rerr != nil {
				t.Fatal(rerr)
			}
			t.Logf("%v; %d connects; %+v", err, connects, ev)
			if connects != row.connects || ev.Bites != row.attempts || ev.Chances != ev.Bites {
				t.Errorf("%d requests answered of %d, %d connections made, want %d and %d", ev.Bites, ev.Chances, connects, row.attempts, row.connects)
			}
			if err := do(); err != nil && err != redis.Nil {
				t.Errorf("after the revert: %v", err)
			}
		})
	}
}

func cutOff(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}

// TestCountsAreThoseOfTheServer: what the link counted is what INFO commandstats
// says, to the last command.
func TestCountsAreThoseOfTheServer(t *testing.T) {
	for _, protocol := range []int{2, 3} {
		t.Run(fmt.Sprintf("RESP%d", protocol), func(t *testing.T) {
			upstream := startRedis(t)
			direct := redis.NewClient(&redis.Options{Addr: upstream})
			defer direct.Close()
			if err := direct.ConfigResetStat(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			before := commandStats(t, direct)
			var seen ledger
			g := startLink(t, link.Config{Upstream: upstream, Protocol: resp.Protocol(), Exchange: seen.note})
			c := redis.NewClient(&redis.Options{Addr: g.Addr(), Protocol: protocol})
			traffic(t, c)
			c.Close()
			want := commandStats(t, direct)
			for name, n := range before {
				want[name] -= n
			}
			maps.DeleteFunc(want, func(name string, n int) bool {
				return n == 0 || name == "info" || name == "strlen" // ours; a script's
			})
			got := seen.calls()
			delete(got, "client|setinfo") // parts of CLIENT that this Redis does not know: it counts none
			delete(got, "client|maint_notifications")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("calls (-server +link):\n%s", diff)
			}
			if all := g.Connections(); slices.ContainsFunc(all, func(c results.Conn) bool { return c.Aside != "" }) {
				t.Errorf("connections = %+v, want none that was not followed", all)
			}
		})
	}
}

// traffic is a bit of everything, from several goroutines.
func traffic(t *testing.T, c *redis.Client) {
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			ctx := t.Context()
			for n := range 50 {
				key := fmt.Sprintf("flags:%d:%d", i, n)
				c.Set(ctx, key, strings.Repeat("x", 40*n*n), time.Minute)
				c.Get(ctx, key)
				c.Get(ctx, "nothing")
				c.HSet(ctx, "hash", key, n)
				c.HGetAll(ctx, "hash")
				c.Incr(ctx, "hash") // an error
				c.Pipelined(ctx, func(p redis.Pipeliner) error {
					for range 20 {
						p.Incr(ctx, "counter")
					}
					return nil
				})
				c.TxPipelined(ctx, func(p redis.Pipeliner) error {
					p.Del(ctx, key)
					p.ZAdd(ctx, "set", redis.Z{Score: 1, Member: key})
					return nil
				})
				c.Eval(ctx, "return {1, {2, redis.call('STRLEN', KEYS[1])}}", []string{key})
			}
		})
	}
	all.Wait()
}

// commandStats are the calls of each command that ended well or in an error. Scripts
// count what they call, which no link sees.
func commandStats(t *testing.T, c *redis.Client) map[string]int {
	t.Helper()
	text, err := c.Info(t.Context(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string]int{}
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		var n int
		name, rest, ok := strings.Cut(strings.TrimPrefix(s.Text(), "cmdstat_"), ":calls=")
		if ok {
			fmt.Sscanf(rest, "%d,", &n)
			calls[name] = n
		}
	}
	return calls
}
