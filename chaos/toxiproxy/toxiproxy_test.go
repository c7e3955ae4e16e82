package toxiproxy

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	server "github.com/Shopify/toxiproxy/v2"
	client "github.com/Shopify/toxiproxy/v2/client"
	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"brownout/chaos"
	"brownout/results"
)

// guardTime ends a test that hangs. No test passes or fails by being faster.
const guardTime = 30 * time.Second

const (
	ping = "*1\r\n$4\r\nPING\r\n"
	quit = "*1\r\n$4\r\nQUIT\r\n"
)

// A toxiproxy is a real server with one proxy, "cache", before a Redis.
type toxiproxy struct {
	api, address string
	srv          *miniredis.Miniredis
}

// startToxiproxy runs one until t ends. before, if not nil, sees each request first.
func startToxiproxy(t *testing.T, before func(*http.Request)) *toxiproxy {
	t.Helper()
	redisServer := miniredis.RunT(t)
	s := server.NewServer(server.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	routes := s.Routes()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if before != nil {
			before(r)
		}
		routes.ServeHTTP(w, r)
	}))
	t.Cleanup(api.Close)
	p, err := client.NewClient(api.URL).CreateProxy("cache", "127.0.0.1:0", redisServer.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Collection.Clear(); err != nil {
			t.Errorf("stopping the proxy: %v", err)
		}
	})
	return &toxiproxy{api: api.URL, address: p.Listen, srv: redisServer}
}

func (x *toxiproxy) injector(t *testing.T) *Injector {
	in := New(Config{Name: "cache", API: x.api, Ask: []byte(ping), Answer: len("+PONG\r\n")})
	t.Cleanup(in.Wait)
	return in
}

// left says what of faults is left on the proxy.
func (x *toxiproxy) left(t *testing.T) string {
	t.Helper()
	p, err := client.NewClient(x.api).Proxy("cache")
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, toxic := range p.ActiveToxics {
		left = append(left, toxic.Name)
	}
	if !p.Enabled {
		left = append(left, "disabled")
	}
	return strings.Join(left, " ")
}

// ping asks over a connection of its own and says what came, until it ends or for
// how long.
func (x *toxiproxy) ping(ask string, wait time.Duration) (string, error) {
	c, err := net.DialTimeout("tcp", x.address, guardTime)
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(wait))
	if _, err := io.WriteString(c, ask); err != nil {
		return "", err
	}
	got, err := io.ReadAll(c)
	return string(got), err
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(guardTime); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %v in vain: %s", guardTime, what)
		}
	}
}

// probed waits until two probes have been made.
func probed(t *testing.T, r chaos.Reverter) {
	t.Helper()
	p := r.(*injection).prober
	waitFor(t, "two probes", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.chances >= 2
	})
}

func timedOut(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// TestEachFault puts each in force on a real Toxiproxy: what a plain TCP client and
// a Redis client feel, what the evidence says, and that nothing is left.
func TestEachFault(t *testing.T) {
	const ms = time.Millisecond
	const pong = "+PONG\r\n"
	tests := []struct {
		fault  chaos.Fault
		toxics string
		feel   func(t *testing.T, x *toxiproxy) // with a connection of its own
		redis  func(error) bool                 // what GET of a plain client gives
		want   results.Evidence
	}{
		{chaos.Fault{Kind: chaos.Latency, Latency: 60 * ms, Jitter: 10 * ms}, "brownout_latency_downstream",
			func(t *testing.T, x *toxiproxy) { slower(t, x, 50*ms) },
			func(err error) bool { return err == nil }, results.Evidence{DelayAsked: 60 * ms}},
		{chaos.Fault{Kind: chaos.Latency, Latency: 60 * ms, Direction: chaos.DirectionBoth}, "brownout_latency_downstream brownout_latency_upstream",
			func(t *testing.T, x *toxiproxy) { slower(t, x, 120*ms) },
			func(err error) bool { return err == nil }, results.Evidence{DelayAsked: 120 * ms}},
		{chaos.Fault{Kind: chaos.Bandwidth, Rate: 1000}, "brownout_bandwidth_downstream",
			func(t *testing.T, x *toxiproxy) { slower(t, x, 7*ms) },
			func(err error) bool { return err == nil }, results.Evidence{}},
		{chaos.Fault{Kind: chaos.Slice, Size: 2, Gap: 20 * ms}, "brownout_slice_downstream",
			func(t *testing.T, x *toxiproxy) { slower(t, x, 60*ms) },
			func(err error) bool { return err == nil }, results.Evidence{}},
		{chaos.Fault{Kind: chaos.LimitData, Bytes: 10}, "brownout_limit_data_downstream",
			func(t *testing.T, x *toxiproxy) {
				if got, err := x.ping(ping+ping, guardTime); got != pong+"+PO" || err != nil {
					t.Errorf("read %q, %v, want 10 bytes and the end", got, err)
				}
			},
			func(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }, results.Evidence{}},
		{chaos.Fault{Kind: chaos.SlowClose, Latency: 80 * ms}, "brownout_slow_close_downstream",
			func(t *testing.T, x *toxiproxy) {
				start := time.Now()
				if got, err := x.ping(quit, guardTime); got != "+OK\r\n" || err != nil || time.Since(start) < 80*ms {
					t.Errorf("read %q, %v after %v, want OK and the end after at least 80ms", got, err, time.Since(start))
				}
			},
			func(err error) bool { return err == nil }, results.Evidence{DelayAsked: 80 * ms}},
		{chaos.Fault{Kind: chaos.Blackhole, Revert: chaos.Close}, "brownout_blackhole_upstream brownout_blackhole_downstream",
			func(t *testing.T, x *toxiproxy) {
				if got, err := x.ping(ping, 150*ms); got != "" || !timedOut(err) {
					t.Errorf("read %q, %v, want silence", got, err)
				}
			}, timedOut, results.Evidence{}},
		{chaos.Fault{Kind: chaos.Reset}, "brownout_reset_upstream brownout_reset_downstream",
			func(t *testing.T, x *toxiproxy) {
				if got, err := x.ping(ping, guardTime); got != "" || !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("read %q, %v, want a reset", got, err)
				}
			},
			func(err error) bool {
				return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, io.EOF)
			}, results.Evidence{}},
		{chaos.Fault{Kind: chaos.Refuse}, "disabled",
			func(t *testing.T, x *toxiproxy) {
				if _, err := x.ping(ping, guardTime); !errors.Is(err, syscall.ECONNREFUSED) {
					t.Errorf("dialling: %v, want it refused", err)
				}
			},
			func(err error) bool {
				return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, io.EOF) || errors.Is(err, syscall.EPIPE)
			}, results.Evidence{}},
	}
	for _, tt := range tests {
		t.Run(tt.fault.String(), func(t *testing.T) {
			x := startToxiproxy(t, nil)
			redisClient := redis.NewClient(&redis.Options{Addr: x.address, MaxRetries: -1, ReadTimeout: time.Second, DisableIdentity: true, Protocol: 2})
			defer redisClient.Close()
			if err := redisClient.Set(t.Context(), "flag", strings.Repeat("on", 20), 0).Err(); err != nil {
				t.Fatal(err)
			}
			f := tt.fault
			f.On = "cache"
			r, err := x.injector(t).Inject(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			if got := sorted(x.left(t)); got != sorted(tt.toxics) {
				t.Errorf("on the proxy: %s, want %s", got, tt.toxics)
			}
			tt.feel(t, x)
			if err := redisClient.Get(t.Context(), "flag").Err(); !tt.redis(err) {
				t.Errorf("GET = %v", err)
			}
			probed(t, r)
			ev, err := r.Revert(t.Context())
			if err != nil {
				t.Errorf("Revert: %v", err)
			}
			checkEvidence(t, f, ev, tt.want)
			if left := x.left(t); left != "" {
				t.Errorf("left on the proxy: %s", left)
			}
			if got, err := x.ping(ping+quit, guardTime); got != pong+"+OK\r\n" || err != nil {
				t.Errorf("after revert read %q, %v, want an answer", got, err)
			}
			waitFor(t, "the Redis client is well again", func() bool { return redisClient.Get(t.Context(), "flag").Err() == nil })
			if _, err := r.Revert(t.Context()); err == nil {
				t.Error("a second Revert gives no error")
			}
		})
	}
}

func sorted(names string) string {
	all := strings.Fields(names)
	for i := range all {
		for j := range i {
			if all[i] < all[j] {
				all[i], all[j] = all[j], all[i]
			}
		}
	}
	return strings.Join(all, " ")
}

// slower wants a ping to take at least so long.
func slower(t *testing.T, x *toxiproxy, least time.Duration) {
	t.Helper()
	start := time.Now()
	if got, err := x.ping(ping+quit, guardTime); got != "+PONG\r\n+OK\r\n" || err != nil {
		t.Errorf("read %q, %v, want an answer", got, err)
	}
	if took := time.Since(start); took < least {
		t.Errorf("an answer took %v, want at least %v", took, least)
	}
}

func checkEvidence(t *testing.T, f chaos.Fault, got, want results.Evidence) {
	t.Helper()
	want.Occasion = "probes of our own through the proxy"
	want.Chances, want.Bites = got.Chances, got.Chances
	want.Silence, want.DelayMeasured = got.Silence, got.DelayMeasured
	if f.Kind == chaos.Refuse {
		want.Refused = got.Chances
	}
	if diff := cmp.Diff(want, got); diff != "" || got.Chances == 0 {
		t.Errorf("evidence (-want +got):\n%s\nwant a chance at least", diff)
	}
	if silent := f.Kind == chaos.Blackhole; (got.Silence >= leastSilence) != silent {
		t.Errorf("silence = %v, want one: %v", got.Silence, silent)
	}
	if delayed := delays(f.Kind) || f.Kind == chaos.SlowClose; (got.DelayMeasured > 0) != delayed {
		t.Errorf("measured delay = %v, want one: %v", got.DelayMeasured, delayed)
	}
}

// A fault that somebody else has taken away bites no more, and the probes say so.
func TestProbesFeelAFaultThatIsGone(t *testing.T) {
	for _, f := range []chaos.Fault{
		{Kind: chaos.Latency, Latency: 50 * time.Millisecond}, {Kind: chaos.Slice, Size: 2, Gap: 20 * time.Millisecond},
		{Kind: chaos.Bandwidth, Rate: 1000}, {Kind: chaos.LimitData, Bytes: 10}, {Kind: chaos.SlowClose, Latency: 50 * time.Millisecond},
		{Kind: chaos.Blackhole, Revert: chaos.Close}, {Kind: chaos.Reset}, {Kind: chaos.Refuse},
	} {
		t.Run(string(f.Kind), func(t *testing.T) {
			x := startToxiproxy(t, nil)
			p, err := newProber(t.Context(), x.injector(t).cfg, x.address, f)
			if err != nil {
				t.Fatal(err)
			}
			p.usual = 10 * time.Millisecond // generous: a slow machine is no fault
			if f.Kind == chaos.Bandwidth {
				p.usual = time.Minute // 7ms of delay cannot be told from noise here
			}
			p.probe(t.Context())
			p.cancel = func() {}
			if ev := p.finish(); ev.Chances != 1 || ev.Bites != 0 {
				t.Errorf("evidence = %+v, want one chance and no bite", ev)
			}
		})
	}
}
