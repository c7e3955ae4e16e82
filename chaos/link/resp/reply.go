package resp

import "bytes"

// A replyPhase is where in a reply the scanner is.
type replyPhase uint8

const (
	beforeType replyPhase = iota
	inNumber              // behind the type of an integer or of what has a length
	inText                // a line
	inBytes               // what had a length
)

// maxWord bounds what is kept of an error or of an element, in bytes.
const maxWord = 32

// A reply scans what a server sends, in pieces of any size: replies, and pushes
// among them. It keeps what is asked of one later, and nothing of its values. What
// it says of a reply holds until it is given the next byte.
type reply struct {
	size   int64 // bytes
	top    byte  // its type, behind attributes; 0: not known yet
	null   bool
	number int64 // the last integer of an aggregate

	phase   replyPhase
	begun   bool // it has begun and is not whole
	kind    byte // type of the element that is read
	head    header
	left    int64 // bytes of the element that are to come, with CRLF
	cr      bool  // the last byte of the line was CR
	first   bool  // the next element is the first of the outermost aggregate
	capture bool  // the element is kept in word
	word    [maxWord]byte
	length  int

	frames
}

// text returns what was kept: the beginning of an error, or of the first element
// of an aggregate if that is text.
func (r *reply) text() []byte { return bytes.TrimSuffix(r.word[:r.length], []byte("\r")) }

// idle reports whether the scanner stands between two replies.
func (r *reply) idle() bool { return !r.begun }

// failed reports whether the reply is an error.
func (r *reply) failed() bool { return r.top == '-' || r.top == '!' }

// scan consumes bytes of b up to the end of a reply.
func (r *reply) scan(b []byte) (int, status) {
	if !r.begun && len(b) > 0 {
		r.size, r.top, r.null, r.number, r.length = 0, 0, false, 0, 0
		r.begun = true
	}
	n, s := 0, more
	for n < len(b) && s == more {
		var used int
		used, s = r.step(b[n:])
		n += used
	}
	r.size += int64(n)
	if s == whole {
		r.begun = false
	}
	return n, s
}

// step consumes some of b, which is not empty.
func (r *reply) step(b []byte) (int, status) {
	switch r.phase {
	case beforeType:
		return 1, r.open(b[0])
	case inNumber:
		return r.readNumber(b)
	case inBytes:
		if r.capture && r.left > 2 {
			r.grab(b[:min(r.left-2, int64(len(b)))])
		}
		n, s := skip(b, &r.left)
		if s == whole {
			s = r.close()
		}
		return n, s
	default:
		return r.readText(b)
	}
}
