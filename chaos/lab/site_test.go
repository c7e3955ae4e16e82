package lab

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"brownout/chaos/failover"
	"brownout/chaos/stack"
)

// openLab brings up a lab until t ends.
func openLab(t *testing.T, c Config) *Lab {
	t.Helper()
	l, err := Open(t.Context(), c)
	t.Cleanup(func() {
		if err := l.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return l
}

// plain is a client that tries everything once, so that it tells what it meets.
func plain(t *testing.T, addr string) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{
		Addr: addr, MaxRetries: -1, DialerRetries: 1, PoolSize: 500, MaxActiveConns: 1,
		DialTimeout: 200 * time.Millisecond, ReadTimeout: 200 * time.Millisecond, PoolTimeout: 5 * time.Second,
	})
	t.Cleanup(func() { c.Close() })
	return c
}

// symptom is what a client met, in a word.
func symptom(err error) string {
	var op *net.OpError
	switch {
	case err == nil:
		return "ok"
	case isAnswer(err):
		return strings.Fields(err.Error())[0]
	case errors.As(err, &op) && op.Op == "dial" && op.Timeout():
		return "dial timeout"
	case strings.Contains(err.Error(), "i/o timeout"):
		return "silence"
	default:
		return "closed" // EOF, a reset, a broken pipe
	}
}

// isAnswer reports whether a Redis said it.
func isAnswer(err error) bool {
	var answer redis.Error
	return errors.As(err, &answer)
}

// A diary is the symptoms that a client met one after the other, each written down
// when it changed.
type diary []string

func (d *diary) note(word string) {
	if len(*d) == 0 || (*d)[len(*d)-1] != word {
		*d = append(*d, word)
	}
}

// live writes and reads until done, and then until all is well.
func live(t *testing.T, l *Lab, done <-chan error) (writes, reads diary) {
	writer, reader := plain(t, l.Link(Primary).Addr()), plain(t, l.Link(Reader).Addr())
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		writes.note(symptom(writer.Set(t.Context(), "key", "value", 0).Err()))
		err := reader.Get(t.Context(), "key").Err()
		if errors.Is(err, redis.Nil) {
			err = nil
		}
		reads.note(symptom(err))
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
			done = nil
		default:
		}
		if done == nil && writes[len(writes)-1] == "ok" && reads[len(reads)-1] == "ok" {
			return writes, reads
		}
	}
	t.Fatalf("it never got well: writes %q, reads %q", writes, reads)
	return nil, nil
}

// TestWhatAClientMeetsInEachPlan: the symptoms of the phases come in their order.
func TestWhatAClientMeetsInEachPlan(t *testing.T) {
	const ms = time.Millisecond
	for _, row := range []struct {
		plan   string
		times  failover.Times
		writes []string
		reads  []string // that must be among them, in this order
	}{
		{
			"unplanned", failover.Times{"promoted": 300 * ms, "moved": 1200 * ms, "replaced": 1600 * ms, "loaded": 2600 * ms},
			[]string{"ok", "silence", "dial timeout", "ok"}, []string{"ok"},
		},
		{
			"az-power", failover.Times{"promoted": 300 * ms, "moved": 1200 * ms, "restored": 1600 * ms, "loaded": 2600 * ms},
			[]string{"ok", "silence", "dial timeout", "ok"}, []string{"ok"},
		},
		{
			"test-failover", failover.Times{"promoted": 300 * ms, "moved": 1200 * ms, "replaced": 1600 * ms, "loaded": 2600 * ms},
			[]string{"ok", "dial timeout", "ok"}, []string{"ok"},
		},
		{
			"planned", failover.Times{"moved": 600 * ms, "deleted": 1500 * ms},
			[]string{"ok", "READONLY", "ok"}, []string{"ok"},
		},
		{
			"planned-keep", failover.Times{"moved": 600 * ms, "deleted": 1500 * ms},
			[]string{"ok", "READONLY", "ok"}, []string{"ok"},
		},
	} {
		t.Run(row.plan, func(t *testing.T) {
			l := openLab(t, Config{Stack: stack.Config{Cache: stack.Replicated}})
			plan, _ := failover.Find(row.plan)
			times, err := plan.Times(row.times)
			if err != nil {
				t.Fatal(err)
			}
			site, err := l.Site(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() {
				time.Sleep(100 * time.Millisecond) // a client is at work
				ended <- failover.Run(t.Context(), plan.Steps(times, 1), site, func(d failover.Done) { t.Logf("%+v", d) })
			}()
			writes, reads := live(t, l, ended)
			// Go-redis looks at an idle socket before it uses it: it need not meet the end.
			writes = slices.DeleteFunc(writes, func(s string) bool { return s == "closed" })
			t.Logf("writes %q, reads %q", writes, reads)
			if diff := cmp.Diff(row.writes, []string(writes)); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
			for _, want := range row.reads {
				if !slices.Contains(reads, want) {
					t.Errorf("reads = %q, want %q among them", reads, want)
				}
			}
			old, next := site.Names()
			if old != "cache-1" || next != "cache-2" {
				t.Errorf("Names() = %s, %s, want cache-1, cache-2", old, next)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if err := l.Stack.Await(ctx); err != nil {
				t.Errorf("after the plan the topology is not whole: %v", err)
			}
		})
	}
}
