package server

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"brownout/server/feature"
)

// A method answers one request, or returns an error for fail.
type method func(w http.ResponseWriter, r *http.Request) error

// Handler is the server's HTTP interface. It can be used without Serve; then
// nobody retries invalidations, and a store that needs Serve is not there.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/livez", s.route(map[string]method{"GET": s.livez}))
	mux.Handle("/readyz", s.route(map[string]method{"GET": s.readyz}))
	mux.Handle("/v1/environments/{env}/flags", s.route(map[string]method{"GET": s.listFlags}))
	mux.Handle("/v1/environments/{env}/flags/{key}", s.route(map[string]method{
		"GET": s.getFlag, "PUT": s.admin(s.putFlag), "DELETE": s.admin(s.deleteFlag),
	}))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, refuse(http.StatusNotFound, "there is nothing at this path"))
	})
	return s.requests.count(mux)
}

// route chooses by method. HEAD is GET without the body, which net/http drops.
func (s *Server) route(methods map[string]method) http.Handler {
	var names []string
	for name := range methods {
		names = append(names, name)
	}
	if _, readable := methods["GET"]; readable {
		names = append(names, "HEAD")
	}
	slices.Sort(names)
	allow := strings.Join(names, ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.Method
		if name == http.MethodHead {
			name = http.MethodGet
		}
		serve, found := methods[name]
		if !found {
			w.Header().Set("Allow", allow)
			s.fail(w, r, refuse(http.StatusMethodNotAllowed, "%s is not possible here, want %s", r.Method, allow))
			return
		}
		if err := serve(w, r); err != nil {
			s.fail(w, r, err)
		}
	})
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

// snapshot reads the environment of r and says where it came from.
func (s *Server) snapshot(w http.ResponseWriter, r *http.Request) (snapshot feature.Snapshot, key string, err error) {
	environment, key, err := names(r)
	if err != nil {
		return feature.Snapshot{}, "", err
	}
	snapshot, from, err := s.flags.read(r.Context(), environment)
	status, encodeErr := from.header()
	if encodeErr != nil {
		return feature.Snapshot{}, "", encodeErr
	}
	w.Header().Set("Cache-Status", status)
	return snapshot, key, err
}

func (s *Server) listFlags(w http.ResponseWriter, r *http.Request) error {
	snapshot, _, err := s.snapshot(w, r)
	if err != nil {
		return err
	}
	s.reply(w, r, http.StatusOK, struct {
		Environment string         `json:"environment"`
		Flags       []feature.Flag `json:"flags"`
	}{snapshot.Environment, snapshot.Flags})
	return nil
}

func (s *Server) getFlag(w http.ResponseWriter, r *http.Request) error {
	snapshot, key, err := s.snapshot(w, r)
	if err != nil {
		return err
	}
	f, found := snapshot.Flag(key)
	if !found {
		return feature.ErrNotFound
	}
	s.replyFlag(w, r, http.StatusOK, f)
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
