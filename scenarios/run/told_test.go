package run

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestATargetTellsItsGoroutines(t *testing.T) {
	const told = "# TYPE go_goroutines gauge\ngo_goroutines 17\n# TYPE other counter\nother_total{a=\"b\"} 3\n"
	for _, row := range []struct {
		name   string
		answer http.HandlerFunc
		path   string
		want   int
	}{
		{"among other metrics", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, told) }, "/metrics", 17},
		{"no such metric", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.ReplaceAll(told, "go_goroutines", "threads"))
		}, "/metrics", 0},
		{"no metrics at all", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }, "/metrics", 0},
		{"an error with metrics", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, told)
		}, "/metrics", 0},
		{"a target whose file names no path", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, told) }, "", 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := httptest.NewServer(row.answer)
			defer s.Close()
			asked := &target{base: s.URL, metrics: row.path}
			if got := asked.goroutines(t.Context()); got != row.want {
				t.Errorf("goroutines() = %d, want %d", got, row.want)
			}
		})
	}
}

// The look at everything else must not wait for a target that hangs.
func TestATargetThatHangsTellsNothing(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer s.Close()
	began := time.Now()
	if got := (&target{base: s.URL, metrics: "/metrics"}).goroutines(t.Context()); got != 0 || time.Since(began) < tellWithin {
		t.Errorf("goroutines() = %d after %v, want none after %v", got, time.Since(began), tellWithin)
	}
}
