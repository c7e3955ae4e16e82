package loadtest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"brownout/results"
)

// TestCancelLeavesNothing cancels a load on a real server that never answers. The
// request timeout is far away: only the cancellation can end the run.
func TestCancelLeavesNothing(t *testing.T) {
	arrived, closed := make(chan struct{}, 1000), make(chan struct{}, 1000)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done() // ends when the client closes its connection
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateClosed {
			closed <- struct{}{}
		}
	}
	srv.Start()
	defer srv.Close()

	var hits []results.Hit
	g, err := New(Config{
		Base: time.Now(), Schedule: mustSchedule(t, Stage{For: time.Hour, From: 200, To: 200}), Timeout: time.Minute,
		Workload: Workload{Environments: 1, Flags: 1, Reads: 1},
		Requests: Requests{Read: Template{Method: "GET", URL: srv.URL}},
		Record:   func(h results.Hit) { hits = append(hits, h) },
	})
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	result := make(chan error, 1)
	go func() { result <- g.Run(ctx) }()
	const conns = 20
	receive(t, arrived, conns)
	cancel(cause)
	select {
	case err := <-result:
		if !errors.Is(err, cause) {
			t.Errorf("Run = %v, want %v", err, cause)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("Run still goes on long after its context ended")
	}
	receive(t, closed, conns)
	if cancelled := count(hits, func(h results.Hit) bool { return h.Detail == Cancelled }); cancelled != len(hits) || len(hits) < conns {
		t.Errorf("%d of %d hits are cancelled, want all of at least %d", cancelled, len(hits), conns)
	}
	noGoroutines(t)
}

func receive(t *testing.T, from <-chan struct{}, n int) {
	t.Helper()
	guard := time.After(30 * time.Second)
	for i := range n {
		select {
		case <-from:
		case <-guard:
			t.Fatalf("%d of %d events came", i, n)
		}
	}
}

// noGoroutines waits until no goroutine of Vegeta, of a client connection or of
// this package is left, but for the tests themselves.
func noGoroutines(t *testing.T) {
	t.Helper()
	var left []string
	for guard := time.Now().Add(30 * time.Second); time.Now().Before(guard); runtime.Gosched() {
		buf := make([]byte, 1<<20)
		left = nil
		for _, stack := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			ours := strings.Contains(stack, "brownout/loadtest.") && !strings.Contains(stack, "testing.tRunner")
			if ours || strings.Contains(stack, "vegeta") || strings.Contains(stack, "net/http.(*persistConn)") {
				left = append(left, stack)
			}
		}
		if len(left) == 0 {
			return
		}
	}
	t.Errorf("goroutines left:\n%s", strings.Join(left, "\n\n"))
}
