package server_test

import (
	"fmt"
	"net"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"brownout/server"
	"brownout/server/servertest"
)

// A valve is a TCP proxy that can hold every byte and let it flow again, as a
// network does that is cut and heals.
type valve struct {
	listener net.Listener
	to       string
	working  sync.WaitGroup

	mu     sync.Mutex
	closed bool
	open   []net.Conn
	hold   chan struct{} // nil: bytes flow; else they wait until it is closed

	forgotten []chan struct{}
}

func newValve(t *testing.T, to string) *valve {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	v := &valve{listener: l, to: to}
	v.working.Go(v.accept)
	t.Cleanup(v.close)
	return v
}

func (v *valve) accept() {
	for {
		in, err := v.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", v.to)
		if err != nil {
			in.Close()
			continue
		}
		v.mu.Lock()
		v.open = append(v.open, in, out)
		if v.closed {
			in.Close()
			out.Close()
		}
		v.mu.Unlock()
		v.working.Go(func() { v.pump(in, out) })
		v.working.Go(func() { v.pump(out, in) })
	}
}

func (v *valve) pump(from, to net.Conn) {
	defer to.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		v.mu.Lock()
		hold := v.hold
		v.mu.Unlock()
		if hold != nil {
			<-hold
		}
		if _, werr := to.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}

func (v *valve) shut() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.hold = make(chan struct{})
}

func (v *valve) heal() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.hold != nil {
		close(v.hold)
		v.hold = nil
	}
}

// forget leaves the connections that are open held until the end, and lets new
// ones flow.
func (v *valve) forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.forgotten = append(v.forgotten, v.hold)
	v.hold = nil
}

func (v *valve) close() {
	v.heal()
	v.mu.Lock()
	for _, hold := range v.forgotten {
		close(hold)
	}
	v.mu.Unlock()
	v.listener.Close()
	v.mu.Lock()
	v.closed = true
	for _, c := range v.open {
		c.Close()
	}
	v.mu.Unlock()
	v.working.Wait()
}

// load sends requests at a fixed rate, every so many of them a write (0: none),
// without waiting for answers, and returns how long each took.
func load(t *testing.T, s *servertest.Server, rate, writes int, lasting time.Duration) []time.Duration {
	t.Helper()
	var mu sync.Mutex
	var took []time.Duration
	var g sync.WaitGroup
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for i := range int(lasting.Seconds() * float64(rate)) {
		<-tick.C
		address, method, body := fmt.Sprintf("%s/v1/environments/e%d/flags/f", s.URL, i%3), "GET", ""
		if writes > 0 && i%writes == 0 {
			method, body = "PUT", `{"enabled":true,"value":`+strconv.Itoa(i)+`}`
		}
		g.Go(func() {
			start := time.Now()
			a, err := try(method, address, body)
			if err != nil || a.code >= 300 {
				t.Errorf("%s = %d %s, %v", method, a.code, a.body, err)
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, time.Since(start))
		})
	}
	g.Wait()
	slices.Sort(took)
	return took
}

// inRedisClient counts the goroutines that are in go-redis.
func inRedisClient() int { return goroutinesIn("redis/go-redis") }

// goroutinesIn counts the goroutines whose stack names code.
func goroutinesIn(code string) int {
	buf := make([]byte, 4<<20)
	count := 0
	for _, stack := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if strings.Contains(stack, code) {
			count++
		}
	}
	return count
}

func TestABlackholeUnderLoadCostsNoErrorAndLeavesNothingBehind(t *testing.T) {
	if testing.Short() {
		t.Skip("takes three seconds")
	}
	redis, err := url.Parse(servertest.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	v := newValve(t, redis.Host)
	s := servertest.Start(t, "resilient", silentRedis("redis://"+v.listener.Addr().String()))
	for i := range 3 {
		if a := request(t, "PUT", fmt.Sprintf("%s/v1/environments/e%d/flags/f", s.URL, i), `{"enabled":true,"value":1}`); a.code != 201 {
			t.Fatalf("PUT = %d %s, want 201", a.code, a.body)
		}
	}
	load(t, s, 300, 50, 500*time.Millisecond)
	v.shut()
	for _, writes := range []int{0, 50} {
		took := load(t, s, 300, writes, time.Second)
		t.Logf("during the blackhole, a write in %d: median %v, p99 %v, largest %v", writes, took[len(took)/2], took[len(took)*99/100], took[len(took)-1])
	}
	// Only a retry of an invalidation may be on its way.
	for deadline := time.Now().Add(guard); inRedisClient() > 3; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines are in the Redis client though nobody asks", inRedisClient())
		}
	}
	v.heal()
	healed := time.Now()
	for i := range 3 {
		for deadline := healed.Add(guard); ; time.Sleep(time.Millisecond) {
			a := request(t, "GET", fmt.Sprintf("%s/v1/environments/e%d/flags/f", s.URL, i), "")
			if a.source() == "redis;hit" {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("the cache is not used again: %q", a.source())
			}
		}
	}
	t.Logf("used again after %v", time.Since(healed))
}

// A database that falls silent for good must not take every place in the pool, nor
// keep the server from ending. pgx alone would do both, for 15 s.
func TestASilentDatabaseIsLetGo(t *testing.T) {
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
	direct, err := url.Parse(pg.URL())
	if err != nil {
		t.Fatal(err)
	}
	v := newValve(t, direct.Host)
	direct.Host = v.listener.Addr().String()
	const timeout = 200 * time.Millisecond
	address, stop, ended := startByHand(t, "resilient", func(c *server.Config) {
		c.DatabaseURL, c.Backend, c.DatabasePoolSize = direct.String(), "none", 1
		c.DatabaseTimeout, c.DatabaseConnectTimeout = timeout, timeout
	})
	list := address + "/v1/environments/e/flags"
	waitCode := func(code int) {
		t.Helper()
		for deadline := time.Now().Add(guard); request(t, "GET", list, "").code != code; {
			if time.Now().After(deadline) {
				t.Fatalf("GET never answers %d", code)
			}
		}
	}
	waitCode(200)
	v.shut()
	waitCode(503)
	// The silent connections stay silent, new ones work.
	silent := time.Now()
	v.forget()
	waitCode(200)
	t.Logf("used again after %v", time.Since(silent))
	if took := time.Since(silent); took > 10*time.Second {
		t.Errorf("the database is used again after %v, want some timeouts of %v", took, timeout)
	}
	v.shut()
	waitCode(503)
	stopping := time.Now()
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Serve() = %v, want nil", err)
	}
	t.Logf("stopped after %v", time.Since(stopping))
	if took := time.Since(stopping); took > 10*time.Second {
		t.Errorf("the server stopped after %v, want some timeouts of %v", took, timeout)
	}
}
