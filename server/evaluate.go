package server

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"brownout/server/feature"
	"brownout/server/ofrep"
)

// environmentField is the request's field that names the environment to evaluate in.
// The protocol knows none: it says that a server may tell environments apart by
// credentials, but every provider can send a field.
const environmentField = "Flag-Environment"

// evaluation reads what a request of the protocol asks: where, and with which body.
func (s *Server) evaluation(w http.ResponseWriter, r *http.Request) (environment string, body []byte, err error) {
	if body, err = readBody(w, r); err != nil {
		return "", nil, err
	}
	if err := ofrep.Check(body); err != nil {
		return "", nil, err
	}
	environment = r.Header.Get(environmentField)
	if environment == "" {
		return s.cfg.OFREPEnvironment, body, nil
	}
	if err := feature.CheckName(environmentField, environment); err != nil {
		return "", nil, refuse(http.StatusBadRequest, "%v", err)
	}
	return environment, body, nil
}

// evaluateFlag is POST /ofrep/v1/evaluate/flags/{key}.
func (s *Server) evaluateFlag(w http.ResponseWriter, r *http.Request) error {
	environment, _, err := s.evaluation(w, r)
	if err != nil {
		return err
	}
	snapshot, from, err := s.read(w, r, environment)
	if err != nil {
		return err
	}
	f, found := snapshot.Flag(r.PathValue("key"))
	if !found {
		return feature.ErrNotFound
	}
	w.Header().Set("Flag-Version", strconv.FormatUint(f.Version, 10))
	s.send(w, r, ofrep.AppendFlag(make([]byte, 0, ofrep.Size([]feature.Flag{f})), f, from.stale > 0))
	return nil
}

// evaluateAll is POST /ofrep/v1/evaluate/flags. Nothing is evaluated for a client that
// has the answer already.
func (s *Server) evaluateAll(w http.ResponseWriter, r *http.Request) error {
	environment, body, err := s.evaluation(w, r)
	if err != nil {
		return err
	}
	canonical, err := ofrep.Canonical(body)
	if err != nil {
		return err
	}
	snapshot, from, err := s.read(w, r, environment)
	if err != nil {
		return err
	}
	state := ofrep.State{Environment: environment, Revision: snapshot.Revision, Stale: from.stale > 0}
	tag := state.Tag(canonical)
	w.Header().Set("ETag", tag)
	if ofrep.Matches(strings.Join(r.Header.Values("If-None-Match"), ","), tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	s.send(w, r, ofrep.AppendAll(make([]byte, 0, ofrep.Size(snapshot.Flags)), state, snapshot.Flags))
	return nil
}

// send answers with JSON that is there already.
func (s *Server) send(w http.ResponseWriter, r *http.Request, data []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	if _, err := w.Write(data); err != nil { // the caller's connection
		s.log.Debug("answering", "request", requestID(w), "method", r.Method, "path", r.URL.Path, "error", err)
	}
}

// failEvaluation answers with err as the protocol says it. A status that it does not
// have (405, 413, 503) gets the body that is nearest to it.
func (s *Server) failEvaluation(w http.ResponseWriter, r *http.Request, err error) {
	p := s.failed(w, r, err)
	body := ofrep.Failure{Key: r.PathValue("key"), Code: ofrep.General, Details: p.Detail}
	var request *ofrep.Error
	switch {
	case errors.As(err, &request):
		body.Code = request.Code
	case errors.Is(err, feature.ErrNotFound):
		body.Code = ofrep.FlagNotFound
	case p.Status >= http.StatusInternalServerError:
		body = ofrep.Failure{Details: p.Detail}
	}
	s.reply(w, r, p.Status, body)
}
