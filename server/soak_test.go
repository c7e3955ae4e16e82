package server_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brownout/server"
	"brownout/server/servertest"
)

// soakVariable says how long the soak lasts, as 10m; see `make soak`.
const soakVariable = "SOAK"

// The soak injures for as long as it then leaves alone. Each injury comes once at least.
const (
	soakHalf    = time.Second
	soakDefault = 20 * time.Second
	soakRate    = 100 // requests a second, of each backend
)

// The pools of the server that is soaked, so small that what leaks cannot be taken for
// an idle connection.
const (
	soakRedisPool    = 4
	soakDatabasePool = 2
)

// Under a steady load Redis, PostgreSQL or both fail in one way after the other, every
// other second. Afterwards the process holds what it held before: goroutines,
// descriptors, memory.
func TestFaultsThatComeAndGoLeaveNothingBehind(t *testing.T) {
	if testing.Short() {
		t.Skip("takes twenty seconds")
	}
	lasting := soakDefault
	if text := os.Getenv(soakVariable); text != "" {
		var err error
		if lasting, err = time.ParseDuration(text); err != nil || lasting <= 0 {
			t.Fatalf("%s is %q, want a duration above zero, as 10m", soakVariable, text)
		}
	}
	pg, err := servertest.NewPostgres()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pg.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := pg.Start(); err != nil {
		t.Fatal(err)
	}
	for _, backend := range []string{server.BackendRedis, server.BackendTiered} {
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			soak(t, backend, pg.URL(), lasting)
		})
	}
}

func soak(t *testing.T, backend, databaseURL string, lasting time.Duration) {
	w, redisURL, databaseURL := newWays(t, servertest.Redis(t), databaseURL)
	s := startMeasured(t, roleServer, "CACHE="+backend, "REDIS_URL="+redisURL, "DATABASE_URL="+databaseURL,
		fmt.Sprint("CACHE_MAX_CONNECTIONS=", soakRedisPool), fmt.Sprint("DATABASE_POOL_SIZE=", soakDatabasePool))
	var strained sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	answers := &answers{}
	strained.Go(func() { strain(ctx, t, s, backend, answers) })
	held := holdings{s: s}
	held.watch(t, 2*soakHalf)
	stop()
	strained.Wait()
	base := settled(t, s, func(usage) bool { return true })

	ctx, stop = context.WithCancel(t.Context())
	strained.Go(func() { strain(ctx, t, s, backend, answers) })
	cycles := max(int(lasting/(2*soakHalf)), len(injuries()))
	for cycle := range cycles {
		hurt := injuries()[cycle%len(injuries())]
		w.injure(t, hurt, func() { held.watch(t, soakHalf) })
		held.watch(t, soakHalf)
	}
	stop()
	strained.Wait()
	// Two goroutines for what is being probed or retried just now; connections that the
	// pools keep.
	most := usage{
		Goroutines:  base.Goroutines + 2,
		Descriptors: base.Descriptors + soakRedisPool + soakDatabasePool,
		Heap:        base.Heap + base.Heap/2 + 1<<20,
	}
	got := settled(t, s, func(u usage) bool {
		return u.Goroutines <= most.Goroutines && u.Descriptors <= most.Descriptors && u.Heap <= most.Heap
	})
	t.Logf("%d injuries, %d requests, %d answered 503\nbefore: %v\nmost:   %v\nafter:  %v",
		cycles, answers.all.Load(), answers.refused.Load(), held.say(base), held.say(held.most), held.say(got))
}

// answers counts them.
type answers struct{ all, refused atomic.Int64 }

// strain sends reads and writes at a fixed rate until ctx ends. Writes may fail while
// PostgreSQL is away, and so may reads of what this server has not read before; every
// request is answered.
func strain(ctx context.Context, t *testing.T, s *measured, backend string, n *answers) {
	tick := time.NewTicker(time.Second / soakRate)
	defer tick.Stop()
	var g sync.WaitGroup
	defer g.Wait()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		address, method, body := fmt.Sprintf("%s/v1/environments/%s%d/flags/f", s.url, backend, i%3), "GET", ""
		if i%20 < 3 {
			method, body = "PUT", `{"enabled":true,"value":`+strconv.Itoa(i)+`}`
		}
		g.Go(func() {
			a, err := try(method, address, body)
			n.all.Add(1)
			if a.code == http.StatusServiceUnavailable {
				n.refused.Add(1)
			} else if err != nil || a.code >= 500 {
				t.Errorf("%s = %d %s, %v", method, a.code, a.body, err)
			}
		})
	}
}

// settled waits until the process holds what is enough, at rest.
func settled(t *testing.T, s *measured, enough func(usage) bool) usage {
	t.Helper()
	http.DefaultClient.CloseIdleConnections()
	time.Sleep(100 * time.Millisecond) // it decides nothing: what is not over then is waited for
	u := s.used(t, askLeft)
	for deadline := time.Now().Add(guard); !enough(u); u = s.used(t, askLeft) {
		if time.Now().After(deadline) {
			t.Errorf("the process holds %+v, which is more than it held before", u)
			return u
		}
		http.DefaultClient.CloseIdleConnections()
		time.Sleep(10 * time.Millisecond)
	}
	return u
}
