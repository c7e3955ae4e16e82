package loadtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"brownout/results"
)

// A store is a target that keeps what is written, after it has failed a number of
// times for each flag.
type store struct {
	mu       sync.Mutex
	values   map[string]string
	failures map[string]int // :: path → failures still to come
	code     int            // of a failure
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failures[r.URL.Path] > 0 {
		s.failures[r.URL.Path]--
		w.WriteHeader(s.code)
		return
	}
	if r.Method == http.MethodPut {
		s.values[r.URL.Path] = string(body)
	}
	fmt.Fprintf(w, `{"value": %q}`, s.values[r.URL.Path])
}

// newClient returns a client of a new store, and its hits.
func newClient(t *testing.T, s *store) (*Client, *[]results.Hit) {
	t.Helper()
	s.values = map[string]string{}
	srv := httptest.NewServer(s)
	hits := new([]results.Hit)
	c, err := NewClient(ClientConfig{
		Base: time.Now(), Record: func(h results.Hit) { *hits = append(*hits, h) },
		Requests: Requests{
			Read:       Template{Method: "GET", URL: srv.URL + "/{env}/{key}"},
			Write:      &Template{Method: "PUT", URL: srv.URL + "/{env}/{key}", Body: "{token}"},
			ReadAnswer: Answer{Token: Locator{Pointer: "/value"}},
		},
	})
	if err != nil {
		t.Fatalf("NewClient: %v", err)
	}
	t.Cleanup(func() { c.Close(); srv.Close() })
	return c, hits
}

func TestSeedAndReadback(t *testing.T) {
	s := &store{failures: map[string]int{"/env-1/flag-0002": 2}, code: http.StatusServiceUnavailable}
	c, hits := newClient(t, s)
	w := Workload{Environments: 2, Flags: 10}
	if err := c.Seed(t.Context(), w.Seeds()); err != nil {
		t.Fatalf("Seed: %v", err)
	}
	if len(s.values) != 20 || s.values["/env-2/flag-0010"] != "env-2/flag-0010#seed" || len(*hits) != 22 {
		t.Errorf("%d values after %d hits, want 20 after 22 (two failed): %v", len(s.values), len(*hits), s.values)
	}
	*hits = nil
	if err := c.Readback(t.Context(), []Flag{{"env-1", "flag-0002"}, {"env-2", "flag-0001"}}); err != nil {
		t.Fatalf("Readback: %v", err)
	}
	for _, h := range *hits {
		if !h.OK() || h.Op != results.OpReadback || h.Token != SeedToken(h.Environment, h.Key) || h.Due != h.Sent || h.Done < h.Sent {
			t.Errorf("hit %+v, want a readback of the seed", h)
		}
	}
	if len(*hits) != 2 {
		t.Errorf("%d hits, want 2", len(*hits))
	}
}

func TestSeedGivesUpWhereAnotherAttemptWouldNotHelp(t *testing.T) {
	c, hits := newClient(t, &store{failures: map[string]int{"/e/k": 99}, code: http.StatusBadRequest})
	err := c.Seed(t.Context(), []Operation{{Environment: "e", Key: "k"}})
	if err == nil || !strings.Contains(err.Error(), "seeding e/k: 400 Bad Request") || len(*hits) != 1 {
		t.Errorf("Seed = %v after %d hits, want 400 after one", err, len(*hits))
	}
}

func TestSeedTriesUntilItsTimeIsOver(t *testing.T) {
	c, _ := newClient(t, &store{failures: map[string]int{"/e/k": 99}, code: http.StatusBadGateway})
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
	defer cancel()
	err := c.Seed(ctx, []Operation{{Environment: "e", Key: "k"}})
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "502 Bad Gateway") {
		t.Errorf("Seed = %v, want the deadline and the last answer", err)
	}
}

func TestReadbackIsBounded(t *testing.T) {
	c, hits := newClient(t, &store{failures: map[string]int{"/e/k": 99}, code: http.StatusBadGateway})
	if err := c.Readback(t.Context(), []Flag{{"e", "k"}}); err != nil {
		t.Errorf("Readback of a flag that cannot be read = %v, want no error", err)
	}
	failed := count(*hits, func(h results.Hit) bool { return h.Error == results.ErrorStatus })
	if failed != readbackAttempts || len(*hits) != readbackAttempts {
		t.Errorf("%d of %d hits failed, want %d of %d", failed, len(*hits), readbackAttempts, readbackAttempts)
	}
}

func TestCancelledClientSaysSo(t *testing.T) {
	c, _ := newClient(t, &store{})
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	w := Workload{Environments: 1, Flags: 100}
	if err := c.Seed(ctx, w.Seeds()); !errors.Is(err, cause) {
		t.Errorf("Seed = %v, want %v", err, cause)
	}
	if err := c.Readback(ctx, []Flag{{"e", "k"}}); !errors.Is(err, cause) {
		t.Errorf("Readback = %v, want %v", err, cause)
	}
}

func TestSeedNeedsARequestThatWrites(t *testing.T) {
	c, err := NewClient(ClientConfig{
		Base: time.Now(), Record: func(results.Hit) {}, Requests: Requests{Read: Template{Method: "GET", URL: "http://127.0.0.1/"}},
	})
	if err != nil {
		t.Fatalf("NewClient: %v", err)
	}
	defer c.Close()
	if err := c.Seed(t.Context(), usual.Seeds()); err == nil {
		t.Error("Seed of a target that cannot be written to = nil, want an error")
	}
}

func TestWaitReady(t *testing.T) {
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer srv.Close()
	if err := WaitReady(t.Context(), srv.URL); err != nil || asked != 3 {
		t.Errorf("WaitReady = %v after %d questions, want nil after 3", err, asked)
	}
}

func TestWaitReadySaysWhatItSawLast(t *testing.T) {
	srv := httptest.NewServer(http.RedirectHandler("/elsewhere", http.StatusFound))
	defer srv.Close()
	asked := 0
	hanging := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked > 1 {
			<-r.Context().Done()
		}
		w.WriteHeader(http.StatusTeapot)
	}))
	defer hanging.Close()
	for url, want := range map[string]string{srv.URL: "it answered 302 Found", hanging.URL: "it answered 418", refusedURL(t): "connection refused"} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		err := WaitReady(ctx, url)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), want) {
			t.Errorf("WaitReady(%s) = %v, want the deadline and %q", url, err, want)
		}
	}
}
