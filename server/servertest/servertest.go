// Package servertest helps tests that need a flag server or what stands behind
// one.
//
// The one idea: what is started here stops by itself when the test ends, and says
// so if it cannot. Start is a whole server over real HTTP with a store in memory;
// Postgres and Redis are real servers; TestStore is what any store has to pass, so
// that the store in memory does not drift away from PostgreSQL.
//
// Nothing here makes a dependency slow or broken beyond what Store's hooks do.
package servertest

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"brownout/server"
	"brownout/server/cache"
	"brownout/server/feature"
)

// memoryLimit is more than any test caches.
const memoryLimit = 16 << 20

// A Server is a running flag server.
type Server struct {
	URL   string // http://host:port
	Store *Store // nil if the configuration brought its own
}

// Start starts a server with the given profile, a store in memory and a cache in
// memory. change may replace any of it.
func Start(t testing.TB, profile string, change ...func(*server.Config)) *Server {
	t.Helper()
	p, err := server.FindProfile(profile)
	if err != nil {
		t.Fatal(err)
	}
	store := NewStore()
	cfg := server.DefaultConfig(p)
	cfg.Store = store
	for _, c := range change {
		c(&cfg)
	}
	if cfg.Cache == nil && cfg.Backend == server.BackendMemory {
		if cfg.Cache, err = cache.NewMemory(cache.Settings{TTL: cfg.CacheTTL, MemoryLimit: memoryLimit}); err != nil {
			t.Fatal(err)
		}
	}
	if cfg.Store != feature.Store(store) {
		store = nil
	}
	return &Server{URL: "http://" + Serve(t, cfg), Store: store}
}

// Serve runs a server until the test ends and returns its address.
func Serve(t testing.TB, cfg server.Config) string {
	t.Helper()
	s, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		// Shutdown waits 5 s for a connection that was opened and never used, as a
		// client does when another one became free first.
		http.DefaultClient.CloseIdleConnections()
		stop()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the server stopped with: %v", err)
			}
		case <-time.After(time.Minute):
			t.Error("the server did not stop within a minute")
		}
	})
	return l.Addr().String()
}

// MustPut writes a flag over the server's store, past its cache, before the test
// begins to use it.
func (s *Server) MustPut(t testing.TB, environment, key string, d feature.Draft) feature.Flag {
	t.Helper()
	r, err := s.Store.Put(t.Context(), environment, key, d)
	if err != nil {
		t.Fatalf("Put(%s, %s): %v", environment, key, err)
	}
	return r.Flag
}
