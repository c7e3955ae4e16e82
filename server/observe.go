package server

import (
	"log/slog"
	"net/http"
	"time"

	"brownout/server/metrics"
)

// An exchange is an answer under way, as it is counted and logged.
type exchange struct {
	http.ResponseWriter
	id     [1]string
	status int           // 0: nothing is out yet
	wait   time.Duration // for the client to take the answer
}

// WriteHeader notes the status.
func (e *exchange) WriteHeader(status int) {
	if status >= http.StatusOK { // else others follow
		e.begin(status)
	}
	e.ResponseWriter.WriteHeader(status)
}

// Write writes, and begins the answer if nobody has.
func (e *exchange) Write(data []byte) (int, error) {
	e.begin(http.StatusOK)
	return e.ResponseWriter.Write(data)
}

// begin is called by all that writes; the first one counts. From then on the client has
// to take the answer.
func (e *exchange) begin(status int) {
	if e.status != 0 {
		return
	}
	e.status = status
	// A writer without deadlines, as one of a test, has no client that is slow.
	_ = http.NewResponseController(e.ResponseWriter).SetWriteDeadline(time.Now().Add(e.wait))
}

// Unwrap is for http.ResponseController.
func (e *exchange) Unwrap() http.ResponseWriter { return e.ResponseWriter }

// counters are those of each pattern of the mux.
type counters struct {
	of   map[string]*metrics.Route
	none *metrics.Route // for paths that the mux answers by itself
}

// observe gives each request an id and counts what next answers. next is, or ends in, a
// mux: that notes in the request which pattern it was.
func (s *Server) observe(known counters, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		e := &exchange{ResponseWriter: w, id: [1]string{s.ids.of(r)}, wait: s.cfg.WriteTimeout}
		w.Header()[requestIDField] = e.id[:]
		defer func() {
			e.begin(http.StatusOK) // net/http says so for a handler that says nothing
			took := time.Since(began)
			route, found := known.of[r.Pattern]
			if !found {
				route = known.none
			}
			route.Count(r.Method, e.status, took)
			s.logRequest(r, e, took)
		}()
		next.ServeHTTP(e, r)
	})
}

// logRequest is for those who look for one request. The query is not told: nobody asks
// for one here, and what stands in it may be a secret that was sent to the wrong place.
func (s *Server) logRequest(r *http.Request, e *exchange, took time.Duration) {
	if !s.log.Enabled(r.Context(), slog.LevelDebug) {
		return
	}
	s.log.Debug("request", "request", e.id[0], "method", r.Method, "path", r.URL.Path, "status", e.status,
		"source", e.Header().Get("Cache-Status"), "took", took)
}
