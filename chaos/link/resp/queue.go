package resp

import "time"

// maxPending bounds the requests of a connection that wait for a reply.
const maxPending = 1 << 16

// A pending is a request that waits for its reply.
type pending struct {
	kind, pattern string
	sent          time.Duration
	up, down      int64 // bytes
	role          role
	left          int64 // subscribes: replies that are to come; 0: until no subscription is left

	answer  []byte // in the dependency's name; nil: the dependency replies
	replace bool   // the dependency was told to discard a transaction; its reply is replaced by answer
	closes  bool   // the connection is closed behind answer
}

// A queue holds the pending requests in their order.
type queue struct {
	ring       []pending // its length is a power of two
	head, size int
	answers    int // how many have an answer
}

func (q *queue) full() bool { return q.size >= maxPending }

// front returns the first one, nil if there is none.
func (q *queue) front() *pending {
	if q.size == 0 {
		return nil
	}
	return &q.ring[q.head]
}

func (q *queue) push(p pending) {
	if q.size == len(q.ring) {
		q.grow()
	}
	if p.answer != nil {
		q.answers++
	}
	q.ring[(q.head+q.size)&(len(q.ring)-1)] = p
	q.size++
}

func (q *queue) grow() {
	ring := make([]pending, max(4, 2*len(q.ring)))
	n := copy(ring, q.ring[q.head:])
	copy(ring[n:], q.ring[:q.head])
	q.ring, q.head = ring, 0
}

// idleRing is how long the ring of an empty queue may be.
const idleRing = 1 << 10

// pop removes the first one.
func (q *queue) pop() {
	p := q.front()
	if p.answer != nil {
		q.answers--
	}
	*p = pending{}
	q.head = (q.head + 1) & (len(q.ring) - 1)
	if q.size--; q.size == 0 && len(q.ring) > idleRing {
		q.ring, q.head = nil, 0
	}
}
