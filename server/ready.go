package server

import (
	"context"
	"net/http"
	"sync"
	"time"

	"brownout/server/feature"
)

// probeWait is how long /readyz waits for a dependency.
const probeWait = 500 * time.Millisecond

// A dependency is one line of /readyz.
type dependency struct {
	Name     string `json:"name"`
	Backend  string `json:"backend,omitempty"`
	Required bool   `json:"required"` // without it the server is not ready
	OK       bool   `json:"ok"`
	Error    string `json:"error,omitempty"` // timeout, refused or error
}

// livez says that the process answers, and nothing else.
func (s *Server) livez(w http.ResponseWriter, r *http.Request) error {
	s.reply(w, r, http.StatusOK, struct {
		Alive bool `json:"alive"`
	}{true})
	return nil
}

// readyz says whether the server can answer what it is asked. It can do without
// the cache, and without the database while it has something to answer instead; then
// it says so: Stale is what it serves, and since when that may be old.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) error {
	database := dependency{Name: "database", Required: true, Error: feature.Class(s.databaseProbe.ask(r.Context()))}
	cache := dependency{Name: "cache", Backend: s.flags.cache.Name(), Error: feature.Class(s.cacheProbe.ask(r.Context()))}
	database.OK, cache.OK = database.Error == "", cache.Error == ""
	old := s.staleness(database.OK)
	ready, status := database.OK || old != nil, http.StatusOK
	if !ready {
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", retryAfter)
	}
	s.reply(w, r, status, struct {
		Ready        bool         `json:"ready"`
		Dependencies []dependency `json:"dependencies"`
		Stale        *staleness   `json:"stale,omitempty"`
	}{ready, []dependency{database, cache}, old})
	return nil
}

// A staleness is what a server without its database serves.
type staleness struct {
	// OldestSeconds is how long ago the oldest kept snapshot was known to be right.
	OldestSeconds int64 `json:"oldest_seconds"`
}

// staleness is nil while the database answers, and when nothing is left to serve.
func (s *Server) staleness(databaseOK bool) *staleness {
	if databaseOK {
		return nil
	}
	age, any := s.flags.kept.usable(s.cfg.Profile.StaleIfError)
	if !any {
		return nil
	}
	return &staleness{OldestSeconds: int64(age / time.Second)}
}

// A probe asks a dependency how it is. However many callers wait, and however long
// the dependency takes, it is asked once at a time.
type probe struct {
	check func(context.Context) error

	mu      sync.Mutex
	asking  chan struct{} // closed when the question that is out has its answer; nil: none is out
	answer  error
	working sync.WaitGroup
}

// ask waits for the dependency's word, at most probeWait.
func (p *probe) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeWait)
	defer cancel()
	asked := p.question(ctx)
	select {
	case <-asked:
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.answer
	case <-ctx.Done():
		return ctx.Err()
	}
}

// question joins the question that is out, or puts one.
func (p *probe) question(ctx context.Context) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asking != nil {
		return p.asking
	}
	asked := make(chan struct{})
	p.asking = asked
	p.working.Go(func() {
		// Not the caller's context alone: others may be waiting.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeWait)
		defer cancel()
		err := p.check(ctx)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.answer, p.asking = err, nil
		close(asked)
	})
	return asked
}
