package lab

import (
	"net"
	"testing"
	"time"

	"brownout/chaos/failover"
	"brownout/chaos/stack"
)

// TestWhatAClientMeetsBehindAProxy: a default client waits and sees no error; of the
// connections there are, some are ended and some live on.
func TestWhatAClientMeetsBehindAProxy(t *testing.T) {
	l := openLab(t, Config{Stack: stack.Config{Cache: stack.Redis}})
	c, cache := clientOf(t, l), l.Link("cache")
	ping := func(after string) time.Duration {
		began := time.Now()
		if err := c.Ping(t.Context()).Err(); err != nil {
			t.Errorf("PING after %s: %v, want a default client to meet no error", after, err)
		}
		return time.Since(began)
	}
	ping("nothing")
	const idle = 60
	for range idle {
		conn, err := net.Dial("tcp", cache.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	for end := time.Now().Add(30 * time.Second); cache.Clients() <= idle && time.Now().Before(end); {
		time.Sleep(time.Millisecond) // the link accepts in its own time
	}
	before := cache.Clients()
	plan, _ := failover.Find("serverless")
	site, err := l.Site(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	times, err := plan.Times(nil)
	if err != nil {
		t.Fatal(err)
	}
	err = failover.Run(t.Context(), plan.Steps(times, 0.01), site, func(d failover.Done) {
		t.Logf("%+v", d)
		switch took := ping(d.Step); d.Step {
		case "slow":
			if took < proxyDelay {
				t.Errorf("PING took %v behind a slow proxy, want at least %v", took, proxyDelay)
			}
		case "cut":
			if left := cache.Clients(); left < before/2 || left >= before {
				t.Errorf("%d of %d connections are left, want a few of them gone", left, before)
			}
		}
	})
	if err != nil {
		t.Fatalf("Run: %v", err)
	}
	if p := site.(*proxied); p.slow != nil {
		t.Error("the proxy is still slow after the plan")
	}
}
