package resp

// A status is what a scanner says of the bytes that it was given.
type status uint8

const (
	more   status = iota // they belong to something that is not whole yet
	whole                // something ended with the last one that was consumed
	broken               // they are no RESP
)

// Bounds of what a peer may announce. Nothing is allocated for it. Redis takes no
// more than 2^31-1 arguments, and values of 512 MiB unless told otherwise.
const (
	maxCount  = 1<<31 - 1
	maxLength = 1 << 32
)

// maxDigits bounds a number: 64 bits have 19 digits.
const maxDigits = 20

// A header reads a number that ends with CRLF, such as what follows the $ of
// "$12\r\n", in pieces.
type header struct {
	n      int64
	digits int8
	minus  bool
	cr     bool
}

// read consumes bytes of b. After whole the number is in n; one too large to fit
// is larger than any bound.
func (h *header) read(b []byte) (int, status) {
	for i, c := range b {
		switch {
		case c >= '0' && c <= '9' && !h.cr && h.digits < maxDigits:
			if h.n < 1<<59 {
				h.n = h.n*10 + int64(c-'0')
			}
			h.digits++
		case c == '\r' && h.digits > 0 && !h.cr:
			h.cr = true
		case c == '\n' && h.cr:
			if h.minus {
				h.n = -h.n
			}
			return i + 1, whole
		case c == '-' && h.digits == 0 && !h.minus:
			h.minus = true
		default:
			return i, broken
		}
	}
	return len(b), more
}

// skip consumes bytes of what is *left bytes long with its CRLF.
func skip(b []byte, left *int64) (int, status) {
	n := 0
	if *left > 2 {
		n = int(min(*left-2, int64(len(b))))
		*left -= int64(n)
	}
	for ; n < len(b) && *left > 0; n++ {
		if b[n] != "\n\r"[*left-1] {
			return n, broken
		}
		*left--
	}
	if *left > 0 {
		return n, more
	}
	return n, whole
}
