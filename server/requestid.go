package server

import (
	"crypto/rand"
	"net/http"
	"strconv"
	"sync/atomic"
)

// requestIDField is the field in which a request brings its id, and its answer takes it
// back.
const requestIDField = "X-Request-Id"

// longestID is that of an id that is taken over, in bytes.
const longestID = 128

// An idSource gives requests their ids: a random start for the process, and a number.
type idSource struct {
	start string
	last  atomic.Uint64
}

func newIDSource() *idSource { return &idSource{start: rand.Text()[:12] + "-"} }

// next makes an id.
func (s *idSource) next() string {
	var room [32]byte
	return string(strconv.AppendUint(append(room[:0], s.start...), s.last.Add(1), 36))
}

// of is the id that r brings, if it is fit for a log, or else a new one.
func (s *idSource) of(r *http.Request) string {
	if brought := r.Header[requestIDField]; len(brought) == 1 && fitID(brought[0]) {
		return brought[0]
	}
	return s.next()
}

// fitID lets UUIDs through, base64 and the ids of load balancers ("Root=1-67891233-abc"),
// and nothing that means something in a log or a header.
func fitID(id string) bool {
	if id == "" || len(id) > longestID {
		return false
	}
	for _, c := range []byte(id) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '.', c == '_', c == '-', c == ':', c == '/', c == '+', c == '=', c == '@':
		default:
			return false
		}
	}
	return true
}

// requestID is the id of the request that w answers.
func requestID(w http.ResponseWriter) string { return w.Header().Get(requestIDField) }
