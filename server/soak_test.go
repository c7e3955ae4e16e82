package server_test

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"brownout/server"
	"brownout/server/servertest"
)

// The pools of the server that is soaked, so small that what leaks cannot be taken for
// an idle connection.
const (
	soakRedisPool    = 4
	soakDatabasePool = 2
)

// Ten times in twenty seconds of load Redis, PostgreSQL or both fall silent for a
// second, and speak again. Afterwards the process holds what it held before: goroutines,
// descriptors, memory.
func TestFaultsThatComeAndGoLeaveNothingBehind(t *testing.T) {
	if testing.Short() {
		t.Skip("takes twenty seconds")
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
			soak(t, backend, pg.URL())
		})
	}
}

func soak(t *testing.T, backend, databaseURL string) {
	redis, redisURL := servertest.NewRelay(t, servertest.Redis(t))
	database, databaseURL := servertest.NewRelay(t, databaseURL)
	s := startMeasured(t, roleServer, "CACHE="+backend, "REDIS_URL="+redisURL, "DATABASE_URL="+databaseURL,
		fmt.Sprint("CACHE_MAX_CONNECTIONS=", soakRedisPool), fmt.Sprint("DATABASE_POOL_SIZE=", soakDatabasePool))
	strain(t, s, backend, time.Second)
	base := settled(t, s, func(usage) bool { return true })
	for cycle := range 10 {
		silent := [][]*servertest.Relay{{redis, database}, {redis}, {database}}[cycle%3]
		for _, r := range silent {
			r.Hold(true)
		}
		strain(t, s, backend, time.Second)
		for _, r := range silent {
			r.Hold(false)
		}
		strain(t, s, backend, time.Second)
	}
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
	t.Logf("before %+v, after ten times %+v", base, got)
}

// strain sends reads and writes at a fixed rate. Writes may fail while PostgreSQL is
// silent, and so may reads of what this server has not read before; every request is
// answered.
func strain(t *testing.T, s *measured, backend string, lasting time.Duration) {
	t.Helper()
	const rate = 100
	tick := time.NewTicker(time.Second / rate)
	defer tick.Stop()
	var g sync.WaitGroup
	for i := range int(lasting.Seconds() * rate) {
		<-tick.C
		address, method, body := fmt.Sprintf("%s/v1/environments/%s%d/flags/f", s.url, backend, i%3), "GET", ""
		if i%20 < 3 {
			method, body = "PUT", `{"enabled":true,"value":`+strconv.Itoa(i)+`}`
		}
		g.Go(func() {
			if a, err := try(method, address, body); err != nil || a.code >= 500 && a.code != 503 {
				t.Errorf("%s = %d %s, %v", method, a.code, a.body, err)
			}
		})
	}
	g.Wait()
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
