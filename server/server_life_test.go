package server_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"brownout/server"
	"brownout/server/feature"
	"brownout/server/servertest"
)

// silentRedis is a configuration whose Redis accepts and never answers. It is not
// asked before the first request: that would find out.
func silentRedis(url string) func(*server.Config) {
	return func(c *server.Config) {
		c.Backend, c.RedisURL, c.Profile.Client.ConnectAtStart = "redis", url, false
	}
}

func TestASilentRedisHoldsSeedUntilItIsGone(t *testing.T) {
	silent := servertest.Silent(t)
	s := servertest.Start(t, "seed", silentRedis(silent.URL()), func(c *server.Config) {
		c.Profile.Client.Retries = 0 // the answer after the silence is not what this is about
	})
	s.MustPut(t, "e", "f", feature.Draft{Value: []byte("1")})
	got := make(chan answer, 1)
	go func() {
		a, _ := try("GET", flagURL(s), "")
		got <- a
	}()
	silent.WaitConns(t, 1)
	select {
	case a := <-got:
		t.Fatalf("GET = %d, %q while Redis is silent, want no answer", a.code, a.source())
	case <-time.After(500 * time.Millisecond): // ten times the budget of resilient
	}
	silent.Close()
	if a := <-got; a.code != 200 || a.source() != "redis;fwd=bypass;detail=error" {
		t.Errorf("GET after Redis closed = %d, %q, want 200 from the database", a.code, a.source())
	}
}

// The connection of the start is waited for without a limit, until the server stops.
func TestASilentRedisDoesNotKeepSeedFromStopping(t *testing.T) {
	for backend, conns := range map[string]int{
		"redis":  2, // the first connection, and the one that is to warm
		"tiered": 3, // and the subscription
	} {
		t.Run(backend, func(t *testing.T) {
			silent := servertest.Silent(t)
			servertest.Start(t, "seed", func(c *server.Config) { c.Backend, c.RedisURL, c.Warm = backend, silent.URL(), []string{"e"} })
			silent.WaitConns(t, conns)
		})
	}
}

func TestASilentRedisCostsResilientItsBudget(t *testing.T) {
	silent := servertest.Silent(t)
	s := servertest.Start(t, "resilient", silentRedis(silent.URL()))
	s.MustPut(t, "e", "f", feature.Draft{Value: []byte("1")})
	start := time.Now()
	wantValue(t, s, 1, "redis;fwd=bypass;detail=timeout")
	if took := time.Since(start); took < 40*time.Millisecond {
		t.Errorf("GET took %v, want about the budget of 50ms: was Redis asked?", took)
	}
	// The write cannot take the entry out; so the entry is not asked for.
	put(t, s, 2)
	wantValue(t, s, 2, "redis;fwd=bypass;detail=invalidation-pending")
}

// Nothing but the budget ends this lookup: the client has no limit of its own.
func TestTheBudgetAloneEndsALookup(t *testing.T) {
	silent := servertest.Silent(t)
	s := servertest.Start(t, "resilient", silentRedis(silent.URL()), func(c *server.Config) {
		k := &c.Profile.Client
		k.ReadTimeout, k.WriteTimeout, k.PoolTimeout = -1, -1, -1
	})
	s.MustPut(t, "e", "f", feature.Draft{Value: []byte("1")})
	wantValue(t, s, 1, "redis;fwd=bypass;detail=timeout")
}

func TestARedisThatRefusesCostsResilientNothing(t *testing.T) {
	silent := servertest.Silent(t)
	silent.Close()
	s := servertest.Start(t, "resilient", silentRedis(silent.URL()))
	s.MustPut(t, "e", "f", feature.Draft{Value: []byte("1")})
	wantValue(t, s, 1, "redis;fwd=bypass;detail=refused")
}

func TestRequestsInFlightAreFinishedOnShutdown(t *testing.T) {
	store := servertest.NewStore()
	loading, resume := make(chan struct{}), make(chan struct{})
	store.Before = func(_ context.Context, operation string) error {
		if operation == "snapshot" {
			close(loading)
			<-resume
		}
		return nil
	}
	url, stop, ended := startByHand(t, "seed", func(c *server.Config) { c.Store = store })
	got := make(chan answer, 1)
	go func() {
		a, _ := try("GET", url+"/v1/environments/e/flags", "")
		got <- a
	}()
	<-loading
	stop()
	// It stops listening, and waits.
	for deadline := time.Now().Add(guard); ; {
		c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			break
		}
		c.Close()
		if time.Now().After(deadline) {
			t.Fatal("the server still listens")
		}
	}
	select {
	case err := <-ended:
		t.Fatalf("Serve() = %v with a request in flight", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(resume)
	if a := <-got; a.code != 200 {
		t.Errorf("the request in flight = %d, want 200", a.code)
	}
	if err := <-ended; err != nil {
		t.Errorf("Serve() = %v, want nil", err)
	}
}

// A request that hangs in a silent cache cannot be finished; it must not keep the
// server from ending, nor outlive it.
func TestARequestThatHangsIsGivenUpOnShutdown(t *testing.T) {
	silent := servertest.Silent(t)
	url, stop, ended := startByHand(t, "seed", silentRedis(silent.URL()), func(c *server.Config) {
		c.ShutdownTimeout = 50 * time.Millisecond
		c.Store = servertest.NewStore()
	})
	failed := make(chan error, 1)
	go func() {
		_, err := try("GET", url+"/v1/environments/e/flags", "")
		failed <- err
	}()
	silent.WaitConns(t, 1)
	stop()
	select {
	case err := <-ended:
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Serve() = %v, want a deadline: it did not finish what it had begun", err)
		}
	case <-time.After(guard):
		t.Fatal("Serve did not return")
	}
	if err := <-failed; err == nil {
		t.Error("the request that hung was answered")
	}
}

// A handler cannot be stopped. What it uses must not be closed under it.
func TestServeOutlivesItsHandlers(t *testing.T) {
	store := servertest.NewStore()
	loading, resume := make(chan struct{}), make(chan struct{})
	store.Before = func(context.Context, string) error {
		close(loading)
		<-resume
		return nil
	}
	url, stop, ended := startByHand(t, "seed", func(c *server.Config) {
		c.Store = store
		c.ShutdownTimeout = 10 * time.Millisecond
	})
	failed := make(chan error, 1)
	go func() {
		_, err := try("GET", url+"/v1/environments/e/flags", "")
		failed <- err
	}()
	<-loading
	stop()
	<-failed // the connection is cut
	select {
	case err := <-ended:
		t.Fatalf("Serve() = %v while a handler runs", err)
	case <-time.After(100 * time.Millisecond):
	}
	close(resume)
	if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Serve() = %v, want a deadline", err)
	}
}

// startByHand is servertest.Start for tests that stop the server themselves.
func startByHand(t *testing.T, profile string, change ...func(*server.Config)) (url string, stop func(), ended <-chan error) {
	t.Helper()
	p, err := server.FindProfile(profile)
	if err != nil {
		t.Fatal(err)
	}
	cfg := server.DefaultConfig(p)
	for _, c := range change {
		c(&cfg)
	}
	s, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	result := make(chan error, 1)
	go func() { result <- s.Serve(ctx, l) }()
	return "http://" + l.Addr().String(), stop, result
}

// The whole server, as the command runs it, with PostgreSQL coming late, going and
// coming back.
func TestTheServerListensBeforeItsDatabaseIsUp(t *testing.T) {
	pg, err := servertest.NewPostgres()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pg.Close(); err != nil {
			t.Error(err)
		}
	})
	var log lockedBuffer
	cfg, err := server.FromEnviron(environ{"DATABASE_URL": pg.URL(), "LISTEN_ADDR": "127.0.0.1:0", "PROFILE": "resilient", "FLAG_LIMIT": "1"}.lookup)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Log = slog.New(slog.NewJSONHandler(&log, nil))
	s, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	url := "http://" + waitAddress(t, &log)

	want := func(code int, part string) {
		t.Helper()
		for deadline := time.Now().Add(guard); ; time.Sleep(10 * time.Millisecond) {
			a := request(t, "GET", url+"/readyz", "")
			if a.code == code && strings.Contains(a.body, part) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("GET /readyz = %d %s, want %d with %s", a.code, a.body, code, part)
			}
		}
	}
	want(503, `"error":"refused"`)
	if a := request(t, "PUT", url+"/v1/environments/e/flags/f", `{"enabled":true,"value":1}`); a.code != 503 {
		t.Errorf("PUT before the database is up = %d, want 503", a.code)
	}
	if err := pg.Start(); err != nil {
		t.Fatal(err)
	}
	want(200, `"ready":true`)
	if a := request(t, "PUT", url+"/v1/environments/e/flags/f", `{"enabled":true,"value":1}`); a.code != 201 {
		t.Errorf("PUT = %d %s, want 201", a.code, a.body)
	}
	if a := request(t, "PUT", url+"/v1/environments/e/flags/g", `{"enabled":true,"value":1}`); a.code != 409 {
		t.Errorf("PUT of one flag too many = %d %s, want 409", a.code, a.body)
	}
	read := func(key, source string, code int) {
		t.Helper()
		if a := request(t, "GET", url+"/v1/environments/"+key+"/flags/f", ""); a.code != code || a.source() != source {
			t.Errorf("GET = %d, %q, want %d, %q", a.code, a.source(), code, source)
		}
	}
	read("e", "memory;fwd=miss;stored", 200)
	if err := pg.Stop(); err != nil {
		t.Fatal(err)
	}
	want(200, `"name":"database","required":true,"ok":false`) // it has a snapshot to go on with
	read("e", "memory;hit", 200)                              // the cache needs no database
	read("other", "memory;fwd=miss", 503)
	if err := pg.Start(); err != nil {
		t.Fatal(err)
	}
	want(200, `"name":"database","required":true,"ok":true`)
	read("other", "memory;fwd=miss", 404)

	stop()
	if err := <-ended; err != nil {
		t.Errorf("Run() = %v, want nil", err)
	}
	if lines := strings.Count(log.String(), "\n"); lines > 20 {
		t.Errorf("%d lines of log, want one for each change:\n%s", lines, log.String())
	}
	if strings.Contains(log.String(), pg.URL()) {
		t.Errorf("the log shows the database URL:\n%s", log.String())
	}
}

// waitAddress reads the log until it says where the server listens.
func waitAddress(t *testing.T, log *lockedBuffer) string {
	t.Helper()
	line := regexp.MustCompile(`"msg":"listening","address":"([^"]+)"`)
	for deadline := time.Now().Add(guard); ; time.Sleep(time.Millisecond) {
		if found := line.FindStringSubmatch(log.String()); found != nil {
			return found[1]
		}
		if time.Now().After(deadline) {
			t.Fatalf("no address in the log:\n%s", log.String())
		}
	}
}
