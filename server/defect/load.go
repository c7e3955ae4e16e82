package defect

import (
	"crypto/sha256"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	oneIn   = 100                    // so many reads goes wrong
	stall   = 400 * time.Millisecond // for which that one stalls
	muchFor = 200                    // reads a second are load
	toil    = 16 << 20               // bytes that are hashed for nothing: some 10 ms
)

// answers are defects of the server under load.
func answers() []Defect {
	return []Defect{
		{"one-read-stalls", "Of a hundred reads one takes 400 ms.", aroundHandler(stalls)},
		{"wrong-flag-under-load", "At more than 200 reads a second one in a hundred is answered with the flag of another.", aroundHandler(func(next http.Handler) http.Handler {
			return &mixesUp{next: next}
		})},
		{"read-toils", "Each read keeps a processor busy for some 10 ms.", aroundHandler(toils)},
	}
}

func toils(next http.Handler) http.Handler {
	work := make([]byte, toil)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isRead(r) {
			sha256.Sum256(work)
		}
		next.ServeHTTP(w, r)
	})
}

func stalls(next http.Handler) http.Handler {
	var reads atomic.Uint64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isRead(r) && reads.Add(1)%oneIn == 0 {
			time.Sleep(stall)
		}
		next.ServeHTTP(w, r)
	})
}

// mixesUp answers from a buffer that it has used before.
type mixesUp struct {
	next http.Handler

	mu     sync.Mutex
	second int64 // that is counted
	reads  int   // in it
	last   *answer
	path   string // of last
}

// ServeHTTP is http.Handler's.
func (m *mixesUp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !isRead(r) {
		m.next.ServeHTTP(w, r)
		return
	}
	a := answerOf(m.next, r)
	if other := m.mixUp(r.URL.Path, a); other != nil {
		a = other
	}
	a.send(w)
}

// mixUp keeps a, and returns what is answered in its place, if anything is.
func (m *mixesUp) mixUp(path string, a *answer) (other *answer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := time.Now().Unix(); now != m.second {
		m.second, m.reads = now, 0
	}
	if m.reads++; m.reads > muchFor && m.reads%oneIn == 1 && m.path != path {
		other = m.last
	}
	m.last, m.path = a, path
	return other
}
