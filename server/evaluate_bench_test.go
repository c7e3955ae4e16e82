package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"brownout/server"
	"brownout/server/servertest"
)

// nobody takes answers and drops them.
type nobody struct {
	header http.Header
	status int
}

func (n *nobody) Header() http.Header            { return n.header }
func (n *nobody) Write(data []byte) (int, error) { return len(data), nil }
func (n *nobody) WriteHeader(status int)         { n.status = status }

// BenchmarkEvaluate is what the server adds to net/http: an environment of 50 flags, in
// memory. The last one is a client that has the answer already.
func BenchmarkEvaluate(b *testing.B) {
	p, err := server.FindProfile("resilient")
	if err != nil {
		b.Fatal(err)
	}
	store := servertest.NewStore()
	for i := range 50 {
		if _, err := store.Put(b.Context(), "production", fmt.Sprintf("flag-%02d", i), on(`true`)); err != nil {
			b.Fatal(err)
		}
	}
	cfg := server.DefaultConfig(p)
	cfg.Store = store
	s, err := server.New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	h := s.Handler()
	const body = `{"context":{"targetingKey":"user-123","email":"user@example.com","plan":"premium","country":"CA"}}`
	ask := func(method, path, body, tag string) *nobody {
		r, err := http.NewRequest(method, path, strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		if tag != "" {
			r.Header.Set("If-None-Match", tag)
		}
		w := &nobody{header: http.Header{}}
		h.ServeHTTP(w, r)
		return w
	}
	tag := ask("POST", evaluations, body, "").header.Get("ETag")
	for _, row := range []struct {
		name, method, path, body, tag string
		want                          int
	}{
		{"nothing", "GET", "/livez", "", "", 0},
		{"read", "GET", "/v1/environments/production/flags/flag-07", "", "", 0},
		{"one", "POST", evaluations + "/flag-07", body, "", 0},
		{"all", "POST", evaluations, body, "", 0},
		{"unchanged", "POST", evaluations, body, tag, http.StatusNotModified},
	} {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if w := ask(row.method, row.path, row.body, row.tag); w.status != row.want && w.status != 200 {
					b.Fatalf("%s %s = %d, want %d", row.method, row.path, w.status, row.want)
				}
			}
		})
	}
}
