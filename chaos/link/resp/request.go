package resp

import "errors"

// Bounds of a request, as in Redis 7 (networking.c): more is not RESP.
const (
	maxArgs   = 1 << 20
	maxBulk   = 512 << 20
	maxInline = 64 << 10
)

// What a request remembers of itself.
const (
	keptArgs  = 4
	keptBytes = 64 // of each argument
)

var errNotRESP = errors.New("it is not RESP")

// A request scans requests, one after the other: arrays of bulk strings, or lines.
type request struct {
	state state
	num   number
	argc  int   // arguments that it has
	arg   int   // the one that is being read
	left  int64 // bytes of it, with its line end
	size  int64 // bytes of the request so far

	args  [keptArgs][keptBytes]byte
	lens  [keptArgs]int
	words int // inline: words so far
	inner bool
}

type state int

const (
	atStart  state = iota // of a request or value
	inCount               // after '*'
	inMark                // where '$' must come
	inLength              // after '$'
	inBulk                // in an argument
	inLine                // in an inline request
)

// fresh says that no byte of a request has been read.
func (r *request) fresh() bool { return r.state == atStart }

// scan reads b up to the end of a request. done says that it ended at b[n-1];
// empty that Redis takes no notice of it.
func (r *request) scan(b []byte) (n int, done, empty bool, err error) {
	if r.state == atStart {
		r.size, r.arg, r.argc, r.words, r.inner = 0, 0, 0, 0, false
		r.lens = [keptArgs]int{}
	}
	for n < len(b) {
		switch r.state {
		case inBulk:
			n += r.bulk(b[n:])
			if r.left > 0 {
				continue
			}
			if r.arg++; r.arg == r.argc {
				return r.end(n, false)
			}
			r.state = inMark
		case inLine:
			n++
			if b[n-1] == '\n' {
				return r.end(n, r.words == 0)
			}
			if r.letter(b[n-1]); r.size+int64(n) > maxInline {
				return n, false, false, errNotRESP
			}
		default:
			n++
			stop, err := r.header(b[n-1])
			if stop || err != nil {
				n, done, empty, _ = r.end(n, true)
				return n, done, empty, err
			}
		}
	}
	r.size += int64(n)
	return n, false, false, nil
}

func (r *request) end(n int, empty bool) (int, bool, bool, error) {
	r.size += int64(n)
	r.state = atStart
	return n, true, empty, nil
}

// header reads one byte outside of an argument. stop says that the request ended.
func (r *request) header(c byte) (stop bool, err error) {
	switch r.state {
	case atStart:
		if c == '*' {
			r.state, r.num = inCount, number{}
			return false, nil
		}
		r.state = inLine
		if c == '\n' {
			return true, nil
		}
		r.letter(c)
	case inMark:
		if c != '$' {
			return false, errNotRESP
		}
		r.state, r.num = inLength, number{}
	case inCount:
		done, err := r.num.add(c)
		if !done || err != nil {
			return false, err
		}
		if r.num.value > maxArgs {
			return false, errNotRESP
		}
		r.argc, r.state = int(r.num.value), inMark
		return r.argc <= 0, nil
	case inLength:
		done, err := r.num.add(c)
		if !done || err != nil {
			return false, err
		}
		if r.num.value < 0 || r.num.value > maxBulk {
			return false, errNotRESP
		}
		r.left, r.state = r.num.value+2, inBulk
	}
	return false, nil
}

// bulk reads what is there of an argument, and keeps its beginning.
func (r *request) bulk(b []byte) int {
	n := int(min(int64(len(b)), r.left))
	if body := r.left - 2; r.arg < keptArgs && body > 0 {
		r.keep(r.arg, b[:min(int64(n), body)])
	}
	r.left -= int64(n)
	return n
}

func (r *request) keep(arg int, b []byte) {
	r.lens[arg] += copy(r.args[arg][r.lens[arg]:], b)
}

// letter reads a byte of an inline request.
func (r *request) letter(c byte) {
	if c == ' ' || c == '\t' || c == '\r' {
		r.inner = false
		return
	}
	if !r.inner {
		r.inner = true
		r.words++
	}
	if r.words <= keptArgs {
		r.keep(r.words-1, []byte{c})
	}
}

// word is the beginning of argument i, empty if there is none.
func (r *request) word(i int) []byte { return r.args[i][:r.lens[i]] }

// A number is a decimal number that ends in CR LF.
type number struct {
	value    int64
	negative bool
	digits   int
	cr       bool
}

// add reads one byte. done says that the number has ended.
func (n *number) add(c byte) (done bool, err error) {
	switch {
	case n.cr && c == '\n' && n.digits > 0:
		if n.negative {
			n.value = -n.value
		}
		return true, nil
	case n.cr:
	case c == '\r':
		n.cr = true
		return false, nil
	case c == '-' && n.digits == 0 && !n.negative:
		n.negative = true
		return false, nil
	case c >= '0' && c <= '9' && n.digits < 12:
		n.value, n.digits = n.value*10+int64(c-'0'), n.digits+1
		return false, nil
	}
	return false, errNotRESP
}
