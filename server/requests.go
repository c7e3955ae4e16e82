package server

import (
	"net/http"
	"sync"
)

// requests counts the requests in flight. http.Server.Close does not wait for
// them, and what they use must not be taken away under them.
type requests struct {
	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

// count is next, counted; and over when there is no server any more.
func (q *requests) count(next, over http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !q.enter() {
			over.ServeHTTP(w, r)
			return
		}
		defer q.running.Done()
		next.ServeHTTP(w, r)
	})
}

func (q *requests) enter() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.running.Add(1)
	}
	return !q.closed
}

// wait lets no further request in and waits for those in flight.
func (q *requests) wait() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.running.Wait()
}
