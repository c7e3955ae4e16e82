package resp

import "brownout/results"

// maxElements bounds what a reply may promise: more is not RESP.
const maxElements = 1 << 32

// A reply scans replies, one after the other.
//
// Nesting needs no stack: it is enough to know how many values are still to come.
type reply struct {
	begun   bool  // a byte of it has been read
	missing int64 // values to come
	state   replyState
	kind    byte // type of the value that is being read
	num     number
	left    int64 // bytes of a string, with its line end
	size    int64

	heading bool // the value that is being read is the reply itself
	top     byte // type of the reply itself, past its attributes; 0: not known yet
	null    bool
	word    [32]byte // the beginning of an error
	words   int
	past    bool // the word has ended
}

type replyState int

const (
	atType replyState = iota
	inText            // a line
	inSize            // a number that says how much comes
	inBody            // of a string
)

// scan reads b up to the end of a reply. done says that it ended at b[n-1].
func (r *reply) scan(b []byte) (n int, done bool, err error) {
	if !r.begun {
		*r = reply{begun: true, missing: 1}
	}
	for n < len(b) && !done {
		var ended bool
		if r.state == inBody {
			m := int(min(int64(len(b)-n), r.left))
			r.spell(b[n:n+m], r.left-2)
			n, r.left = n+m, r.left-int64(m)
			ended = r.left == 0
		} else {
			n++
			if ended, err = r.read(b[n-1]); err != nil {
				return n, false, err
			}
		}
		if ended {
			r.state = atType
			r.missing--
			done = r.missing == 0
		}
	}
	r.size += int64(n)
	r.begun = !done
	return n, done, nil
}

// read reads one byte outside of a string. ended says that a value has ended.
func (r *reply) read(c byte) (ended bool, err error) {
	switch r.state {
	case atType:
		return false, r.begin(c)
	case inText:
		if c == '\n' {
			return true, nil
		}
		r.spell([]byte{c}, 1)
		return false, nil
	}
	done, err := r.num.add(c)
	if !done || err != nil {
		return false, err
	}
	return r.sized(r.num.value)
}

// begin reads the type of a value.
func (r *reply) begin(c byte) error {
	r.kind = c
	switch c {
	case '+', '-', ':', '_', ',', '#', '(':
		r.state = inText
	case '$', '=', '!', '*', '~', '%', '>', '|':
		r.state, r.num = inSize, number{}
	default:
		return errNotRESP
	}
	r.heading = r.top == 0 && r.missing == 1 && c != '|'
	if r.heading {
		r.top = c
		r.null = c == '_'
	}
	return nil
}

// sized reads how much of a value comes.
func (r *reply) sized(n int64) (ended bool, err error) {
	if n == -1 && (r.kind == '$' || r.kind == '*') { // RESP2's null
		r.null = r.null || r.heading
		return true, nil
	}
	if n < 0 || n > maxElements {
		return false, errNotRESP
	}
	switch r.kind {
	case '$', '=', '!':
		r.left, r.state = n+2, inBody
		return false, nil
	case '%':
		n *= 2
	case '|':
		n = n*2 + 1 // and the value that it is about
	}
	if r.missing += n; r.missing > maxElements {
		return false, errNotRESP
	}
	return true, nil
}

// spell keeps the first word of an error, of whose text body bytes are left.
func (r *reply) spell(b []byte, body int64) {
	if !r.heading || r.top != '-' && r.top != '!' {
		return
	}
	for _, c := range b[:min(int64(len(b)), max(body, 0))] {
		if r.past = r.past || c <= ' ' || c > '~'; r.past || r.words == len(r.word) {
			return
		}
		r.word[r.words] = c
		r.words++
	}
}

// push says whether it is no reply to anything.
func (r *reply) push() bool { return r.top == '>' }

// class is that of the reply.
func (r *reply) class(names *interned) string {
	switch {
	case r.top == '-' || r.top == '!':
		return names.get(r.word[:r.words])
	case r.null:
		return results.ReplyNil
	}
	return results.ReplyOK
}
