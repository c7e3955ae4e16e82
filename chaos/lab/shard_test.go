package lab

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"brownout/chaos/failover"
	"brownout/chaos/stack"
)

// keyIn is a key whose slot lies in the third of all slots with that number.
func keyIn(t *testing.T, l *Lab, third int) string {
	t.Helper()
	for i := range 1000 {
		key := fmt.Sprint("key-", i)
		r, err := l.Stack.Cache.Do(t.Context(), "CLUSTER", "KEYSLOT", key)
		if err != nil {
			t.Fatal(err)
		}
		if slot, err := strconv.Atoi(r.Text); err == nil && slot*3/16384 == third {
			return key
		}
	}
	t.Fatalf("no key has a slot in third %d", third)
	return ""
}

// A writer keeps a diary of what it meets.
type writer struct {
	mu    sync.Mutex
	diary diary
}

// run writes to key until ctx is done.
func (w *writer) run(ctx context.Context, c *redis.Client, key string) {
	for ctx.Err() == nil {
		err := c.Set(ctx, key, "value", 0).Err()
		if ctx.Err() == nil {
			w.mu.Lock()
			w.diary.note(symptom(err))
			w.mu.Unlock()
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// met is what it has met until now. Go-redis looks at an idle socket before it uses
// it: that it was closed need not be met.
func (w *writer) met() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.diary), func(s string) bool { return s == "closed" })
}

// until waits until the writer has met what is wanted, at the most until a hang.
func (w *writer) until(want string) {
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if met := w.met(); len(met) > 0 && met[len(met)-1] == want {
			return
		}
	}
}

// TestWhatClientsMeetWhenAShardIsLost: at the dead primary, at its replica, and at
// another shard, in the order of the phases.
func TestWhatClientsMeetWhenAShardIsLost(t *testing.T) {
	l := openLab(t, Config{Stack: stack.Config{Cache: stack.Cluster, ClusterNodeTimeout: time.Second}})
	plan, _ := failover.Find("shard")
	first, second := keyIn(t, l, 0), keyIn(t, l, 1)
	rows := []struct {
		link, key string
		want      []string
	}{
		// While it comes back it says nothing, LOADING; and then who has the slot.
		{"cache-1", first, []string{"ok", "silence", "dial timeout", "LOADING", "MOVED", "silence", "dial timeout", "MOVED"}},
		{"cache-4", first, []string{"MOVED", "CLUSTERDOWN", "ok"}},
		{"cache-2", second, []string{"ok", "CLUSTERDOWN", "ok"}}, // the shard is not its own: cluster-require-full-coverage
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	writers := make([]writer, len(rows))
	for i, row := range rows {
		c := plain(t, l.Link(row.link).Addr())
		running.Go(func() { writers[i].run(ctx, c, row.key) })
		writers[i].until(row.want[0])
	}
	const ms = time.Millisecond
	steps := plan.Steps(failover.Times{"replaced": 6000 * ms, "loaded": 6500 * ms, "left": 7000 * ms, "returned": 8500 * ms}, 1)
	site := siteOf[failover.Shard](t, l)
	err := failover.Run(t.Context(), steps, site, func(d failover.Done) { t.Logf("%+v", d) })
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Stack.Await(t.Context()); err != nil {
		t.Errorf("after the plan the topology is not whole: %v", err)
	}
	for i, row := range rows {
		writers[i].until(row.want[len(row.want)-1])
		if diff := cmp.Diff(row.want, writers[i].met()); diff != "" {
			t.Errorf("at %s (-want +got):\n%s", row.link, diff)
		}
	}
	if old, next := site.Names(); old != "cache-1" || next != "cache-4" {
		t.Errorf("Names() = %s, %s, want cache-1, cache-4", old, next)
	}
}
