package resp

import "time"

// maxQueue bounds how many requests may be without a reply. A client that sends
// more at once is not followed any more.
const maxQueue = 64 << 10

// A slot is a request that waits for its reply.
type slot struct {
	kind, pattern string
	sent          time.Duration
	up            int64
	// reply is given in the server's name, nil if the server's own is. instead says
	// that the server was sent something else, whose reply is swallowed.
	reply   []byte
	instead bool
	hangUp  bool // the connection is closed behind reply
	hello   bool
}

// A queue is a ring of slots in the order of the requests.
type queue struct {
	ring  []slot
	first int
	n     int
	made  int // slots with a reply of ours
}

func (q *queue) len() int { return q.n }

// push adds a slot, and says whether there was room.
func (q *queue) push(s slot) bool {
	if q.n == maxQueue {
		return false
	}
	if q.n == len(q.ring) {
		grown := make([]slot, max(4, 2*len(q.ring)))
		for i := range q.n {
			grown[i] = *q.at(i)
		}
		q.ring, q.first = grown, 0
	}
	q.n++
	*q.at(q.n - 1) = s
	if s.reply != nil {
		q.made++
	}
	return true
}

func (q *queue) at(i int) *slot { return &q.ring[(q.first+i)%len(q.ring)] }

// head is the oldest slot. There must be one.
func (q *queue) head() *slot { return q.at(0) }

// pop takes the oldest slot out. It is good until the next push.
func (q *queue) pop() *slot {
	s := q.head()
	q.first = (q.first + 1) % len(q.ring)
	q.n--
	if s.reply != nil {
		q.made--
	}
	return s
}
