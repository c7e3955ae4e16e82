package lab

import (
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"brownout/chaos/failover"
	"brownout/chaos/stack"
)

// A ledger is what one client has written, key after key.
type ledger struct {
	acknowledged []string
	refused      []string // what the client met, when it was not ok
}

// keep writes with one client until the plan is over, and then once more.
func keep(t *testing.T, c redis.UniversalClient, plan <-chan error) (l ledger) {
	for over := false; ; {
		key := fmt.Sprint("key-", len(l.acknowledged)+len(l.refused))
		if err := c.Set(t.Context(), key, "value", 0).Err(); err != nil {
			l.refused = append(l.refused, word(err))
		} else {
			l.acknowledged = append(l.acknowledged, key)
		}
		if over {
			return l
		}
		select {
		case err := <-plan:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
			over = true
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// TestAcknowledgedWritesAreLostAndNobodyIsTold: a client with go-redis' defaults
// meets no error in either plan, and what it wrote is gone. The writes before and
// those after are there.
func TestAcknowledgedWritesAreLostAndNobodyIsTold(t *testing.T) {
	// The demotion takes an InfoPeriod, which is 10 s unless they hurry.
	hurried := stack.SentinelSettings{InfoPeriod: 500 * time.Millisecond, PublishPeriod: 200 * time.Millisecond}
	for _, row := range []struct {
		plan  string
		cache string
		times failover.Times
	}{
		{"sentinel-failover", stack.Sentinel, nil},
		{"undemoted", stack.Replicated, failover.Times{"moved": 300 * time.Millisecond, "deleted": 900 * time.Millisecond}},
	} {
		t.Run(row.plan, func(t *testing.T) {
			l := openLab(t, Config{Stack: stack.Config{Cache: row.cache, Sentinels: hurried}})
			c := clientOf(t, l)
			if err := c.Set(t.Context(), "before", "value", 0).Err(); err != nil {
				t.Fatal(err)
			}
			p, _ := failover.Find(row.plan)
			times, err := p.Times(row.times)
			if err != nil {
				t.Fatal(err)
			}
			site, err := l.Site(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() {
				ended <- failover.Run(t.Context(), p.Steps(times, 1), site, func(d failover.Done) { t.Logf("%+v", d) })
			}()
			wrote := keep(t, c, ended)
			if err := l.Stack.Await(t.Context()); err != nil {
				t.Errorf("after the plan the topology is not whole: %v", err)
			}
			fresh := clientOf(t, l)
			lost := 0
			for _, key := range wrote.acknowledged {
				if fresh.Exists(t.Context(), key).Val() == 0 {
					lost++
				}
			}
			t.Logf("%d acknowledged, %d of them lost, refused %q", len(wrote.acknowledged), lost, wrote.refused)
			if lost == 0 {
				t.Errorf("none of %d acknowledged writes is lost", len(wrote.acknowledged))
			}
			if len(wrote.refused) > 0 {
				t.Errorf("the client met %q, want no error", wrote.refused)
			}
			last := wrote.acknowledged[len(wrote.acknowledged)-1]
			for _, key := range []string{"before", last} {
				if fresh.Exists(t.Context(), key).Val() == 0 {
					t.Errorf("%s is lost, too", key)
				}
			}
		})
	}
}
