package defect

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
)

// An answer is what a handler has answered, before it is sent.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// answerOf lets next answer, and sends nothing.
func answerOf(next http.Handler, r *http.Request) *answer {
	a := &answer{header: http.Header{}, status: http.StatusOK}
	next.ServeHTTP(a, r)
	return a
}

// Header is http.ResponseWriter's.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader is http.ResponseWriter's.
func (a *answer) WriteHeader(status int) { a.status = status }

// Write is http.ResponseWriter's.
func (a *answer) Write(data []byte) (int, error) { return a.body.Write(data) }

// send sends a, whose body may have another length by now. That the caller has gone is
// no matter of ours.
func (a *answer) send(w http.ResponseWriter) {
	a.header.Del("Content-Length")
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body.Bytes())
}

// say replaces what a says by a flag with that value that nobody wrote.
func (a *answer) say(value string) {
	a.status = http.StatusOK
	a.header.Set("Content-Type", "application/json")
	a.header.Set("Flag-Version", "1")
	a.header.Del("Retry-After")
	a.body.Reset()
	fmt.Fprintf(&a.body, `{"enabled":false,"value":%s,"version":1}`, value)
}

// cacheFailed reports whether the cache was asked in vain for a: Cache-Status says
// why it was passed by.
func (a *answer) cacheFailed() bool {
	status := a.header.Get("Cache-Status")
	for _, class := range []string{"timeout", "refused", "error"} {
		if strings.Contains(status, "detail="+class) {
			return true
		}
	}
	return false
}

// isRead reports whether r reads a flag.
func isRead(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/flags/")
}

// onReads is a handler that changes the answers to reads.
func onReads(spoil func(*answer)) change {
	return aroundHandler(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !isRead(r) {
				next.ServeHTTP(w, r)
				return
			}
			a := answerOf(next, r)
			spoil(a)
			a.send(w)
		})
	})
}
