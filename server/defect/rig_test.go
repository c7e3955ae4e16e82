package defect

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"brownout/server"
	"brownout/server/feature"
	"brownout/server/servertest"
)

// A rig is a server with some defects, or none, before a store and a cache in memory
// that can be taken down.
type rig struct {
	t     *testing.T
	store *servertest.Store
	cache *shelf
	down  *switches
	http.Handler
}

// switches say what is down.
type switches struct {
	mu                     sync.Mutex
	cacheDown, storeDown   bool
	duringPut, duringQuery func()
}

func (s *switches) set(change func(*switches)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func (s *switches) get() switches {
	s.mu.Lock()
	defer s.mu.Unlock()
	return switches{cacheDown: s.cacheDown, storeDown: s.storeDown, duringPut: s.duringPut, duringQuery: s.duringQuery}
}

var errDown = errors.New("down")

func newRig(t *testing.T, names string, change func(*server.Config)) *rig {
	t.Helper()
	r := &rig{t: t, store: servertest.NewStore(), down: &switches{}}
	r.cache = &shelf{down: r.down, of: map[string][]byte{}}
	r.store.Before = func(_ context.Context, operation string) error {
		now := r.down.get()
		if operation == "put" && now.duringPut != nil {
			now.duringPut()
		}
		if operation == "snapshot" && now.duringQuery != nil {
			now.duringQuery()
		}
		if now.storeDown {
			return fmt.Errorf("%w: %w", feature.ErrUnavailable, errDown)
		}
		return nil
	}
	cfg := server.DefaultConfig(server.Profiles()[0])
	cfg.Store, cfg.Cache = r.store, r.cache
	if change != nil {
		change(&cfg)
	}
	defects, err := Parse(names)
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.New(Build(cfg, defects))
	if err != nil {
		t.Fatal(err)
	}
	r.Handler = s.Handler()
	return r
}

func (r *rig) ask(method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	q := httptest.NewRequest(method, path, strings.NewReader(body))
	q.RemoteAddr = "127.0.0.1:1" // who may write
	r.ServeHTTP(w, q)
	// A body of another length breaks the connection, which is another defect.
	if said := w.Header().Get("Content-Length"); said != "" && said != strconv.Itoa(w.Body.Len()) {
		r.t.Errorf("%s %s says that its body has %s bytes, and has %d", method, path, said, w.Body.Len())
	}
	return w
}

func (r *rig) read(environment, key string) *httptest.ResponseRecorder {
	return r.ask("GET", "/v1/environments/"+environment+"/flags/"+key, "")
}

func (r *rig) write(environment, key string, value int) *httptest.ResponseRecorder {
	return r.ask("PUT", "/v1/environments/"+environment+"/flags/"+key, fmt.Sprintf(`{"enabled":true,"value":%d}`, value))
}

// says reports whether the flag reads as value.
func (r *rig) says(environment, key string, value int) bool {
	return strings.Contains(r.read(environment, key).Body.String(), fmt.Sprintf(`"value":%d,`, value))
}

func (r *rig) took(do func()) time.Duration {
	began := time.Now()
	do()
	return time.Since(began)
}

func (r *rig) cacheIs(up bool) { r.down.set(func(s *switches) { s.cacheDown = !up }) }

func (r *rig) storeIs(up bool) { r.down.set(func(s *switches) { s.storeDown = !up }) }

// A shelf is a cache in memory.
type shelf struct {
	down *switches

	mu    sync.Mutex
	of    map[string][]byte
	gets  int
	pings []time.Time
	runs  bool
}

func (c *shelf) check() error {
	if c.down.get().cacheDown {
		return errDown
	}
	return nil
}

func (c *shelf) Name() string { return "shelf" }

func (c *shelf) Get(_ context.Context, environment string) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gets++
	data, found := c.of[environment]
	if err := c.check(); err != nil {
		return nil, err
	}
	if !found {
		return nil, feature.ErrMiss
	}
	return data, nil
}

func (c *shelf) Set(_ context.Context, environment string, snapshot []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.check(); err != nil {
		return err
	}
	c.of[environment] = snapshot
	return nil
}

func (c *shelf) Delete(_ context.Context, environment string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.check(); err != nil {
		return err
	}
	delete(c.of, environment)
	return nil
}

// asked is how often an entry was asked for.
func (c *shelf) asked() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gets
}

func (c *shelf) empty() {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.of, func(string, []byte) bool { return true })
}

func (c *shelf) Ping(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pings = append(c.pings, time.Now())
	return c.check()
}

func (c *shelf) Close() error { return nil }

func (c *shelf) Run(ctx context.Context, _ func(feature.CacheEvent)) {
	c.mu.Lock()
	c.runs = true
	c.mu.Unlock()
	<-ctx.Done()
}
