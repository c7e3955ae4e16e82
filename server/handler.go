package server

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"brownout/server/feature"
	"brownout/server/metrics"
)

// A method answers one request, or returns an error for a failure.
type method func(w http.ResponseWriter, r *http.Request) error

// A failure answers with an error, in the words of the route's protocol.
type failure func(w http.ResponseWriter, r *http.Request, err error)

// A route is what stands at a pattern.
type route struct {
	pattern string
	fail    failure
	methods map[string]method
}

func (s *Server) routes() []route {
	return []route{
		{"/livez", s.fail, map[string]method{"GET": s.livez}},
		{"/readyz", s.fail, map[string]method{"GET": s.readyz}},
		{"/metrics", s.fail, map[string]method{"GET": s.showMetrics}},
		{"/v1/environments/{env}/flags", s.fail, map[string]method{"GET": s.listFlags}},
		{"/v1/environments/{env}/flags/{key}", s.fail, map[string]method{
			"GET": s.getFlag, "PUT": s.admin(s.putFlag), "DELETE": s.admin(s.deleteFlag),
		}},
		{"/ofrep/v1/evaluate/flags", s.failEvaluation, map[string]method{"POST": s.evaluateAll}},
		{"/ofrep/v1/evaluate/flags/{key}", s.failEvaluation, map[string]method{"POST": s.evaluateFlag}},
	}
}

// Handler is the server's HTTP interface. It can be used without
// Serve; then nobody retries invalidations, and a store that needs Serve is not there.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	known := counters{of: map[string]*metrics.Route{}, none: s.metrics.NewRoute("none")}
	for _, r := range s.routes() {
		names := r.names()
		mux.Handle(r.pattern, s.serve(r, strings.Join(names, ", ")))
		known.of[r.pattern] = s.metrics.NewRoute(r.pattern, names...)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, refuse(http.StatusNotFound, "there is nothing at this path"))
	})
	over := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, refuse(http.StatusServiceUnavailable, "the server has stopped"))
	})
	return s.observe(known, s.requests.count(s.cfg.Around.handler(mux), over))
}

// names are the methods of a route, sorted. HEAD is GET without the body, which net/http
// drops.
func (r route) names() []string {
	var names []string
	for name := range r.methods {
		names = append(names, name)
	}
	if _, readable := r.methods["GET"]; readable {
		names = append(names, "HEAD")
	}
	slices.Sort(names)
	return names
}

// serve chooses by method. allow names those that there are.
func (s *Server) serve(route route, allow string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.Method
		if name == http.MethodHead {
			name = http.MethodGet
		}
		answer, found := route.methods[name]
		if !found {
			w.Header().Set("Allow", allow)
			route.fail(w, r, refuse(http.StatusMethodNotAllowed, "%s is not possible here, want %s", r.Method, allow))
			return
		}
		if err := guarded(answer, w, r); err != nil {
			route.fail(w, r, err)
		}
	})
}

// guarded turns a panic into an error, as long as nothing of the answer is out: a fault
// that one request meets is no reason for its caller to see a broken connection.
func guarded(answer method, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if e, ok := w.(*exchange); v == http.ErrAbortHandler || !ok || e.status != 0 {
			panic(v)
		}
		err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
	}()
	return answer(w, r)
}

func (s *Server) showMetrics(w http.ResponseWriter, r *http.Request) error {
	s.scrape.ServeHTTP(w, r)
	return nil
}

// names reads and checks the parts of the path. A path without a key has key "".
func names(r *http.Request) (environment, key string, err error) {
	environment, key = r.PathValue("env"), r.PathValue("key")
	if err := feature.CheckName("the environment", environment); err != nil {
		return "", "", refuse(http.StatusBadRequest, "%v", err)
	}
	if key == "" {
		return environment, "", nil
	}
	if err := feature.CheckName("the key", key); err != nil {
		return "", "", refuse(http.StatusBadRequest, "%v", err)
	}
	return environment, key, nil
}

// snapshot reads the environment of r.
func (s *Server) snapshot(w http.ResponseWriter, r *http.Request) (found *feature.Document, key string, err error) {
	environment, key, err := names(r)
	if err != nil {
		return nil, "", err
	}
	found, _, err = s.read(w, r, environment)
	return found, key, err
}

// read reads an environment and says where it came from.
func (s *Server) read(w http.ResponseWriter, r *http.Request, environment string) (*feature.Document, source, error) {
	found, from, err := s.flags.read(r.Context(), environment)
	s.tally.count(from)
	status, encodeErr := from.header()
	if encodeErr != nil {
		return found, from, encodeErr
	}
	w.Header().Set("Cache-Status", status)
	return found, from, err
}

func (s *Server) listFlags(w http.ResponseWriter, r *http.Request) error {
	found, _, err := s.snapshot(w, r)
	if err != nil {
		return err
	}
	list, err := found.FlagsJSON()
	if err != nil {
		return err
	}
	// Names have no character that JSON would escape.
	s.replyJSON(w, r, []byte(`{"environment":"`+found.Environment+`","flags":`), list, []byte("}\n"))
	return nil
}

func (s *Server) getFlag(w http.ResponseWriter, r *http.Request) error {
	found, key, err := s.snapshot(w, r)
	if err != nil {
		return err
	}
	version, flag, err := found.FlagJSON(key)
	if err != nil {
		return err
	}
	w.Header().Set("Flag-Version", strconv.FormatUint(version, 10))
	s.replyJSON(w, r, flag, []byte("\n"))
	return nil
}

func (s *Server) putFlag(w http.ResponseWriter, r *http.Request) error {
	environment, key, err := names(r)
	if err != nil {
		return err
	}
	d, err := readDraft(w, r)
	if err != nil {
		return err
	}
	receipt, err := s.flags.put(r.Context(), environment, key, d)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if receipt.Created {
		status = http.StatusCreated
	}
	s.replyFlag(w, r, status, receipt.Flag)
	return nil
}

func (s *Server) deleteFlag(w http.ResponseWriter, r *http.Request) error {
	environment, key, err := names(r)
	if err != nil {
		return err
	}
	if err := s.flags.delete(r.Context(), environment, key); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) replyFlag(w http.ResponseWriter, r *http.Request, status int, f feature.Flag) {
	w.Header().Set("Flag-Version", strconv.FormatUint(f.Version, 10))
	s.reply(w, r, status, f)
}
