package metrics_test

import (
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"brownout/server/metrics"
)

// page is what Prometheus gets.
func page(m *metrics.Metrics) string {
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

func want(t *testing.T, m *metrics.Metrics, lines ...string) {
	t.Helper()
	got := page(m)
	for _, line := range lines {
		if !strings.Contains(got, "\n"+line+"\n") {
			t.Errorf("there is no line %q in\n%s", line, got)
		}
	}
}

func TestRequestsAreCountedByRouteMethodAndStatus(t *testing.T) {
	m := metrics.New()
	r := m.NewRoute("/x/{y}", "GET", "PUT")
	var g sync.WaitGroup
	for range 8 {
		g.Go(func() {
			for range 100 {
				r.Count("GET", 200, 3*time.Millisecond)
			}
		})
	}
	g.Wait()
	r.Count("GET", 404, time.Minute)
	r.Count("PUT", 999, 0)
	r.Count("BREW", 405, 0)
	r.Count("MIX", 405, 0)
	want(t, m,
		`brownout_http_requests_total{code="200",method="GET",route="/x/{y}"} 800`,
		`brownout_http_requests_total{code="404",method="GET",route="/x/{y}"} 1`,
		`brownout_http_requests_total{code="500",method="PUT",route="/x/{y}"} 1`,
		`brownout_http_requests_total{code="405",method="other",route="/x/{y}"} 2`,
		`brownout_http_request_duration_seconds_bucket{method="GET",route="/x/{y}",le="0.0025"} 0`,
		`brownout_http_request_duration_seconds_bucket{method="GET",route="/x/{y}",le="0.005"} 800`,
		`brownout_http_request_duration_seconds_bucket{method="GET",route="/x/{y}",le="10"} 800`,
		`brownout_http_request_duration_seconds_count{method="GET",route="/x/{y}"} 801`,
	)
	if got := page(m); strings.Contains(got, "BREW") || strings.Contains(got, `code="201"`) {
		t.Errorf("there are series of what has not happened, or of a method that a caller made up:\n%s", got)
	}
}

func TestWhatOthersCountIsAskedForWhenSomebodyLooks(t *testing.T) {
	m := metrics.New()
	n := uint64(1)
	m.Counter("things_total", "Things.", metrics.Labels{"kind": "a"}, func() uint64 { return n })
	m.Counter("things_total", "Things.", metrics.Labels{"kind": "b"}, func() uint64 { return 2 * n })
	m.Gauge("depth", "Depth.", nil, func() float64 { return 0.5 })
	n = 7
	want(t, m, `brownout_things_total{kind="a"} 7`, `brownout_things_total{kind="b"} 14`, `brownout_depth 0.5`)
}

func TestTheProcessIsMeasured(t *testing.T) {
	got := page(metrics.New())
	for _, name := range []string{"go_goroutines", "go_memstats_heap_alloc_bytes", "process_open_fds", "process_cpu_seconds_total"} {
		if !strings.Contains(got, "\n"+name+" ") {
			t.Errorf("there is no %s in\n%s", name, got)
		}
	}
}

// A request is counted without an allocation: it is on the way of every read.
func TestCountingAllocatesNothing(t *testing.T) {
	r := metrics.New().NewRoute("/x", "GET")
	r.Count("GET", 200, time.Millisecond)
	if n := testing.AllocsPerRun(1000, func() { r.Count("GET", 200, time.Millisecond) }); n != 0 {
		t.Errorf("Count allocates %v times, want 0", n)
	}
}

func BenchmarkCount(b *testing.B) {
	r := metrics.New().NewRoute("/x", "GET")
	for b.Loop() {
		r.Count("GET", 200, time.Millisecond)
	}
}
