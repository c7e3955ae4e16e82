package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"brownout/server/feature"
	"brownout/server/ofrep"
)

// A problem is an error as callers see it (RFC 9457). As an error inside the
// server it carries its own status.
type problem struct {
	Type   string `json:"type"` // about:blank: the title says all
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

func (p *problem) Error() string { return p.Detail }

// refuse is a problem with what the caller sent.
func refuse(status int, format string, args ...any) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: fmt.Sprintf(format, args...)}
}

// retryAfter is what the server asks of callers while a dependency is gone, in
// seconds.
const retryAfter = "1"

// problemOf is the one place that turns errors into status codes. The words of
// errors from below stay inside: they name hosts and users.
func problemOf(err error) *problem {
	var p *problem
	var large *http.MaxBytesError
	var request *ofrep.Error
	switch {
	case errors.As(err, &p):
	case errors.As(err, &request):
		p = refuse(http.StatusBadRequest, "%s", request.Details)
	case errors.As(err, &large):
		p = refuse(http.StatusRequestEntityTooLarge, "the body is too large, want at most %d bytes", large.Limit)
	case errors.Is(err, feature.ErrNotFound):
		p = refuse(http.StatusNotFound, "there is no such flag")
	case errors.Is(err, feature.ErrFull):
		p = refuse(http.StatusConflict, "the environment has as many flags as it may have (FLAG_LIMIT), want one of them deleted first")
	case errors.Is(err, feature.ErrUnknownOutcome):
		p = refuse(http.StatusServiceUnavailable, "the database did not answer in time, and the write may have been done")
	case errors.Is(err, errBusy):
		p = refuse(http.StatusServiceUnavailable, "the database has too much to do")
	case errors.Is(err, feature.ErrUnavailable):
		p = refuse(http.StatusServiceUnavailable, "the database is not available")
	default:
		p = refuse(http.StatusInternalServerError, "the server failed")
	}
	return p
}

// fail answers with err.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := s.failed(w, r, err)
	w.Header().Set("Content-Type", "application/problem+json")
	s.write(w, r, p.Status, p)
}

// failed does what every answer to err has in common.
func (s *Server) failed(w http.ResponseWriter, r *http.Request, err error) *problem {
	p := problemOf(err)
	switch p.Status {
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", retryAfter)
	case http.StatusInternalServerError:
		s.logFailure(w, r, err)
	}
	return p
}

// logFailure tells of what nobody expected, once a second at most: a fault that hits
// every request must not fill a disk.
func (s *Server) logFailure(w http.ResponseWriter, r *http.Request, err error) {
	if held, ok := s.failures.pass(); ok {
		s.log.Error("request failed", "request", requestID(w), "method", r.Method, "path", r.URL.Path, "error", err, "more", held)
	}
}

// reply answers with v.
func (s *Server) reply(w http.ResponseWriter, r *http.Request, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	s.write(w, r, status, v)
}

// replyJSON answers with JSON that is there already, in parts.
func (s *Server) replyJSON(w http.ResponseWriter, r *http.Request, parts ...[]byte) {
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(size))
	for _, part := range parts {
		if _, err := w.Write(part); err != nil { // the caller's connection
			s.log.Debug("answering", "method", r.Method, "path", r.URL.Path, "error", err)
			return
		}
	}
}

func (s *Server) write(w http.ResponseWriter, r *http.Request, status int, v any) {
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	// An error here is the caller's connection, or a value that cannot be encoded;
	// the status is out in both cases.
	if err := e.Encode(v); err != nil {
		s.log.Debug("answering", "request", requestID(w), "method", r.Method, "path", r.URL.Path, "error", err)
	}
}
