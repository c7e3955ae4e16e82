package loadtest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"brownout/results"
)

// A fakeTarget answers like a target that holds every flag, after what stall says.
type fakeTarget func(ctx context.Context) error

func (f fakeTarget) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := f(req.Context()); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: 200, Status: "200 OK", Header: http.Header{}, Body: io.NopCloser(strings.NewReader(""))}, nil
}

// waitFor is a sleep that ends with ctx.
func waitFor(ctx context.Context, d time.Duration) error {
	if waitTimer(ctx.Done(), time.Now().Add(d)) {
		return nil
	}
	return ctx.Err()
}

// bubbleConfig is 100 requests a second for three seconds, in fake time.
func bubbleConfig(t *testing.T, hits *[]results.Hit) Config {
	return Config{
		Base: time.Now(), Start: time.Second, Schedule: mustSchedule(t, Stage{For: 3 * time.Second, From: 100, To: 100}),
		Workload: Workload{Seed: 1, Environments: 1, Flags: 10, Reads: 1},
		Requests: Requests{Read: Template{Method: "GET", URL: "http://target.test/{key}"}},
		Record:   func(h results.Hit) { *hits = append(*hits, h) },
	}
}

func newFake(t *testing.T, cfg Config, target fakeTarget) *Generator {
	t.Helper()
	g, err := New(cfg)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	g.transport, g.wait = target, waitTimer // nanosleep knows nothing of fake time
	return g
}

func count(hits []results.Hit, is func(results.Hit) bool) (n int) {
	for _, h := range hits {
		if is(h) {
			n++
		}
	}
	return n
}

// TestStallIsSeenWhole stalls a target for one second. Whatever the number of
// workers, 91 hits must be slow: those due from 0.1s before the stall's end back
// to its beginning. With 4 workers most of them are late as well, and say so.
func TestStallIsSeenWhole(t *testing.T) {
	for _, row := range []struct {
		name            string
		workers         int
		late, slowServe int
	}{
		{"workers enough", 1000, 0, 91},
		{"4 workers: the stall shows as lateness", 4, 96, 4},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var hits []results.Hit
				cfg := bubbleConfig(t, &hits)
				cfg.MaxWorkers = row.workers
				g := newFake(t, cfg, func(ctx context.Context) error {
					// The stall is from 2s to 3s of the run, 1s to 2s of the load.
					if at := time.Since(cfg.Base); at >= 2*time.Second && at < 3*time.Second {
						return waitFor(ctx, 3*time.Second-at)
					}
					return nil
				})
				if err := g.Run(t.Context()); err != nil {
					t.Fatalf("Run: %v", err)
				}
				const bound = 100 * time.Millisecond
				slow := count(hits, func(h results.Hit) bool { return h.Latency() >= bound })
				served := count(hits, func(h results.Hit) bool { return h.ServiceTime() >= bound })
				late := count(hits, func(h results.Hit) bool { return h.Lateness() > 0 })
				if len(hits) != 300 || slow != 91 || served != row.slowServe || late != row.late {
					t.Errorf("%d hits, %d slow, %d slow to serve, %d late, want 300, 91, %d, %d",
						len(hits), slow, served, late, row.slowServe, row.late)
				}
			})
		})
	}
}

// TestSkippedHitsAreNotSentAndNotForgotten stalls a target that has 4 workers for one
// second: of the 100 hits due in it four are under way, those of its last tenth are sent
// late, and all others come too late.
func TestSkippedHitsAreNotSentAndNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hits []results.Hit
		cfg := bubbleConfig(t, &hits)
		cfg.MaxWorkers, cfg.SkipAfter = 4, 100*time.Millisecond
		var mu sync.Mutex
		sent := 0
		g := newFake(t, cfg, func(ctx context.Context) error {
			mu.Lock()
			sent++
			mu.Unlock()
			if at := time.Since(cfg.Base); at >= 2*time.Second && at < 3*time.Second {
				return waitFor(ctx, 3*time.Second-at)
			}
			return nil
		})
		if err := g.Run(t.Context()); err != nil {
			t.Fatalf("Run: %v", err)
		}
		seen := map[uint64]bool{}
		for _, h := range hits {
			seen[h.Seq] = true
			if late := h.Lateness() > cfg.SkipAfter; late != (h.Op == results.OpSkipped) {
				t.Errorf("hit %+v is %v late, want it skipped: %t", h, h.Lateness(), late)
			}
			if h.Done < h.Sent || h.Key == "" {
				t.Errorf("hit %+v, want its end after its beginning, and its key", h)
			}
		}
		skipped := count(hits, func(h results.Hit) bool { return h.Op == results.OpSkipped })
		if len(seen) != 300 || skipped != 86 || sent != 300-skipped {
			t.Errorf("%d hits, %d skipped, %d sent, want 300, 86, 214", len(seen), skipped, sent)
		}
	})
}

func TestHitsCarryTheirScheduleAndOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hits []results.Hit
		cfg := bubbleConfig(t, &hits)
		g := newFake(t, cfg, func(ctx context.Context) error { return waitFor(ctx, 7*time.Millisecond) })
		if err := g.Run(t.Context()); err != nil {
			t.Fatalf("Run: %v", err)
		}
		for _, h := range hits {
			due, _ := cfg.Schedule.Due(h.Seq)
			op := cfg.Workload.At(h.Seq)
			want := results.Hit{
				Seq: h.Seq, Op: results.OpRead, Environment: op.Environment, Key: op.Key, Code: 200,
				Due: time.Second + due, Sent: time.Second + due, Done: time.Second + due + 7*time.Millisecond,
			}
			if h != want {
				t.Errorf("hit %+v, want %+v", h, want)
			}
		}
	})
}

func TestEveryInstanceHasItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hits []results.Hit
		cfg := bubbleConfig(t, &hits)
		for _, host := range []string{"second", "third"} {
			cfg.Peers = append(cfg.Peers, Requests{Read: Template{Method: "GET", URL: "http://" + host + ".test/{key}"}})
		}
		var mu sync.Mutex
		got := map[string]int{}
		g := newFake(t, cfg, nil)
		g.transport = roundTripper(func(req *http.Request) (*http.Response, error) {
			mu.Lock()
			got[req.URL.Host]++
			mu.Unlock()
			return fakeTarget(func(context.Context) error { return nil }).RoundTrip(req)
		})
		if err := g.Run(t.Context()); err != nil {
			t.Fatalf("Run: %v", err)
		}
		for i, host := range []string{"target.test", "second.test", "third.test"} {
			own := count(hits, func(h results.Hit) bool { return h.Instance == i })
			if got[host] != 100 || own != 100 {
				t.Errorf("%s got %d requests, instance %d has %d hits, want 100", host, got[host], i, own)
			}
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestLateStartIsLateness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hits []results.Hit
		cfg := bubbleConfig(t, &hits)
		g := newFake(t, cfg, func(context.Context) error { return nil })
		time.Sleep(1500 * time.Millisecond) // of fake time: half a second past Start
		if err := g.Run(t.Context()); err != nil {
			t.Fatalf("Run: %v", err)
		}
		if late := count(hits, func(h results.Hit) bool { return h.Lateness() > 0 }); late != 50 {
			t.Errorf("%d hits late after starting 0.5s late at 100/s, want 50", late)
		}
	})
}

func TestHangEndsWithItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hits []results.Hit
		cfg := bubbleConfig(t, &hits)
		cfg.Timeout = 40 * time.Millisecond
		g := newFake(t, cfg, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		if err := g.Run(t.Context()); err != nil {
			t.Fatalf("Run: %v", err)
		}
		timeouts := count(hits, func(h results.Hit) bool {
			return h.Error == results.ErrorTimeout && h.Detail == "no whole answer within 40ms" && h.Latency() == cfg.Timeout
		})
		if timeouts != 300 {
			t.Errorf("%d of 300 hits timed out after exactly 40ms, want all: %+v", timeouts, hits[0])
		}
	})
}

// TestCancelEndsAtOnce cancels half a second into a load on a target that hangs.
// The bubble fails by itself if a goroutine is left.
func TestCancelEndsAtOnce(t *testing.T) {
	for _, row := range []struct {
		name    string
		workers int
		sent    int // before the cancellation; it falls between two hits
	}{
		{"while hits are being sent", 1000, 51},
		{"while every worker is taken", 4, 4},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var hits []results.Hit
				cfg := bubbleConfig(t, &hits)
				cfg.MaxWorkers = row.workers
				g := newFake(t, cfg, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
				cause := errors.New("enough")
				ctx, cancel := context.WithTimeoutCause(t.Context(), 1505*time.Millisecond, cause)
				defer cancel()
				err := g.Run(ctx)
				if took := time.Since(cfg.Base); !errors.Is(err, cause) || took != 1505*time.Millisecond {
					t.Errorf("Run = %v after %v, want %v after 1.505s", err, took, cause)
				}
				cancelled := count(hits, func(h results.Hit) bool { return h.Error == results.ErrorOther && h.Detail == Cancelled })
				// A worker that waits for its number when the stop comes may still send one.
				if cancelled != len(hits) || cancelled < row.sent || cancelled > row.sent+1 {
					t.Errorf("%d of %d hits are cancelled, want all of %d", cancelled, len(hits), row.sent)
				}
			})
		})
	}
}

func TestCancelBeforeTheStartSendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hits []results.Hit
		g := newFake(t, bubbleConfig(t, &hits), func(context.Context) error { return nil })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		if err := g.Run(ctx); !errors.Is(err, context.DeadlineExceeded) || len(hits) != 0 {
			t.Errorf("Run = %v with %d hits, want the deadline and none", err, len(hits))
		}
	})
}

func TestNewRejects(t *testing.T) {
	for _, row := range []struct {
		name string
		edit func(*Config)
		want string
	}{
		{"no clock", func(c *Config) { c.Base = time.Time{} }, "base and record must be set"},
		{"nobody who records", func(c *Config) { c.Record = nil }, "base and record must be set"},
		{"a negative bound", func(c *Config) { c.Timeout = -1 }, "none may be below 0"},
		{"a bad workload", func(c *Config) { c.Workload.Flags = 0 }, "workload: "},
		{"bad requests", func(c *Config) { c.Requests.Read.URL = "" }, "requests: read: url"},
		{"writes without a request", func(c *Config) { c.Workload.Reads = 0.9 }, "there is no request for that"},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := bubbleConfig(t, nil)
			row.edit(&cfg)
			if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("New = %v, want an error with %q", err, row.want)
			}
		})
	}
}

// TestHitsAreWhatTheTargetGot compares hits with a real server's view of them,
// request by request. Answers carry a number that only the server knows, so that a
// hit that took another one's place would be found.
func TestHitsAreWhatTheTargetGot(t *testing.T) {
	type seen struct{ op, env, key, token string }
	var mu sync.Mutex
	got := map[uint64]seen{} // :: number of the request at the server → what it asked
	var foreign []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		op := map[string]string{"GET": "read", "PUT": "write"}[r.Method]
		mu.Lock()
		defer mu.Unlock()
		n := uint64(len(got) + 1)
		got[n] = seen{op, r.PathValue("env"), r.PathValue("key"), string(body)}
		for name := range r.Header {
			if strings.HasPrefix(name, "X-Vegeta") {
				foreign = append(foreign, name)
			}
		}
		w.Header().Set("Flag-Version", itoa(n))
	}))
	mux := http.NewServeMux()
	mux.Handle("/{env}/{key}", srv.Config.Handler)
	srv.Config.Handler = mux
	defer srv.Close()

	var hits []results.Hit
	number := Answer{Version: Locator{Header: "Flag-Version"}}
	g, err := New(Config{
		Base: time.Now(), Schedule: mustSchedule(t, Stage{For: time.Second, From: 1000, To: 3000}), MaxWorkers: 50,
		Workload: Workload{Seed: 3, Environments: 5, Flags: 40, Reads: 0.5, Keys: KeysUniform},
		Requests: Requests{
			Read:       Template{Method: "GET", URL: srv.URL + "/{env}/{key}"},
			Write:      &Template{Method: "PUT", URL: srv.URL + "/{env}/{key}", Body: "{token}"},
			ReadAnswer: number, WriteAnswer: number,
		},
		Record: func(h results.Hit) { hits = append(hits, h) },
	})
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	if err := g.Run(t.Context()); err != nil {
		t.Fatalf("Run: %v", err)
	}
	noGoroutines(t) // its connections are closed
	seqs := map[uint64]bool{}
	for _, h := range hits {
		seqs[h.Seq] = true
		if want := got[h.Version]; !h.OK() || want != (seen{string(h.Op), h.Environment, h.Key, h.Token}) {
			t.Fatalf("hit %+v, and the server got %+v", h, want)
		}
		if op := g.cfg.Workload.At(h.Seq); op.Key != h.Key || op.Op != h.Op || op.Token != h.Token {
			t.Fatalf("hit %+v, and its operation is %+v", h, op)
		}
		if due, _ := g.cfg.Schedule.Due(h.Seq); h.Due != due {
			t.Fatalf("hit %d is due at %v, want %v", h.Seq, h.Due, due)
		}
		if h.Sent < h.Due || h.Done < h.Sent {
			t.Errorf("hit %d: due %v, sent %v, done %v, want them in order", h.Seq, h.Due, h.Sent, h.Done)
		}
	}
	if len(seqs) != 2000 || len(hits) != 2000 || len(got) != 2000 || len(foreign) > 0 {
		t.Errorf("%d numbers, %d hits, %d requests, want 2000 each; headers of Vegeta's seen: %v", len(seqs), len(hits), len(got), foreign)
	}
}
