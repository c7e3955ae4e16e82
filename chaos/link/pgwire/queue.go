package pgwire

import (
	"slices"
	"time"
)

// maxWaiting bounds how many requests are remembered; each statement of a query
// counts.
const maxWaiting = 1 << 16

// queueKept is how long an empty queue may be to be used again.
const queueKept = 1 << 10

// A what is what the server was asked for.
type what byte

const (
	doStart what = iota
	doExecute
	doQuery
	doCall
	doSync
	endCopy // is not answered
)

// A request is what waits for a reply of the server. All but doExecute and
// endCopy wait for a ReadyForQuery.
type request struct {
	what    what
	done    bool // query and call: only ReadyForQuery is to come
	unseen  bool // query: its text goes on behind what is looked at
	sent    time.Duration
	up      int64
	pattern string   // of a query: of the statement that is next
	more    []string // query: patterns of the statements behind that
	weight  int      // in the queue
}

func (r *request) statement() bool {
	return r.what == doExecute || r.what == doQuery || r.what == doCall
}

// A queue holds the requests in the order in which the server answers them.
type queue struct {
	items  []request
	head   int // before it, items are answered
	weight int
}

func (q *queue) len() int { return len(q.items) - q.head }

// push appends r. It reports false when the queue is full.
func (q *queue) push(r request) bool {
	r.weight = 1 + len(r.more)
	if q.weight+r.weight > maxWaiting {
		return false
	}
	q.weight += r.weight
	if len(q.items) == cap(q.items) && q.head > len(q.items)/2 {
		q.items = slices.Delete(q.items, 0, q.head)
		q.head = 0
	}
	q.items = append(q.items, r)
	return true
}

// front is the request that the server answers next, nil if there is none.
func (q *queue) front() *request {
	for q.len() > 0 && q.items[q.head].what == endCopy {
		q.pop()
	}
	if q.len() == 0 {
		return nil
	}
	return &q.items[q.head]
}

// back is the last request, nil if there is none.
func (q *queue) back() *request {
	if q.len() == 0 {
		return nil
	}
	return &q.items[len(q.items)-1]
}

func (q *queue) pop() {
	q.weight -= q.items[q.head].weight
	q.items[q.head] = request{}
	q.head++
	if q.head < len(q.items) {
		return
	}
	q.items, q.head = q.items[:0], 0
	if cap(q.items) > queueKept {
		q.items = nil
	}
}

// skip drops what the server skips after an error. It reports whether it came to
// the Sync that ends it.
func (q *queue) skip() bool {
	for r := q.front(); r != nil; r = q.front() {
		if r.what == doSync {
			return true
		}
		q.pop()
	}
	return false
}

// dropCopied drops what the server reads as part of a COPY, which is at the front:
// each Sync up to the end of the data. It reports whether that end has come.
func (q *queue) dropCopied() (ended bool) {
	from := q.head + 1
	to := from
	for to < len(q.items) && q.items[to].what == doSync {
		to++
	}
	q.weight -= to - from
	q.items = slices.Delete(q.items, from, to)
	return from < len(q.items) // an endCopy; with anything else an error is on its way
}
