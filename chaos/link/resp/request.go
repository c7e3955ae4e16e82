package resp

// A requestPhase is where in a request the scanner is.
type requestPhase uint8

const (
	beforeRequest requestPhase = iota
	inCount                    // behind the * of an array
	beforeLength               // before a $
	inLength                   // behind it
	inArgument
	inLine // an inline request
)

// A request scans what a client sends, in pieces of any size. It keeps what is
// asked of a request later, and nothing of its values. What it says of a request
// holds until it is given the next byte.
type request struct {
	cmd   *command // nil: there is no name yet, or none at all
	argc  int64    // number of arguments, with the name
	size  int64    // bytes
	keyed bool     // the first key is what kept returns

	phase  requestPhase
	head   header
	index  int64 // of the argument that is read
	left   int64 // bytes of it that are to come, with its CRLF
	keyAt  int64 // index of the first key; 0: not known
	keep   bool  // the argument is kept
	text   [maxPattern]byte
	length int
	line   []byte // inline request: what is there
}

// kept returns the first bytes of the argument that was kept last.
func (r *request) kept() []byte { return r.text[:r.length] }

// idle reports whether the scanner stands between two requests.
func (r *request) idle() bool { return r.phase == beforeRequest }

// scan consumes bytes of b up to the end of a request.
func (r *request) scan(b []byte) (int, status) {
	n, s := 0, more
	if r.phase == beforeRequest && len(b) > 0 {
		n = r.begin(b[0])
	}
	for n < len(b) && s == more {
		var used int
		used, s = r.step(b[n:])
		n += used
	}
	r.size += int64(n)
	if s == whole {
		r.phase = beforeRequest
	}
	return n, s
}

// begin starts a request and returns how many bytes that took: all but an inline
// request, which begins with its name, begin with an asterisk.
func (r *request) begin(c byte) int {
	r.cmd, r.argc, r.size = nil, 0, 0
	r.index, r.keyAt, r.keyed, r.length = 0, 0, false, 0
	if c != '*' {
		r.phase = inLine
		return 0
	}
	r.phase, r.head = inCount, header{}
	return 1
}

// step consumes some of b, which is not empty.
func (r *request) step(b []byte) (int, status) {
	switch r.phase {
	case inCount:
		n, s := r.head.read(b)
		if s == whole {
			s = r.open(r.head.n)
		}
		return n, s
	case beforeLength:
		if b[0] != '$' {
			return 0, broken
		}
		r.phase, r.head = inLength, header{}
		return 1, more
	case inLength:
		n, s := r.head.read(b)
		if s == whole {
			s = r.openArgument(r.head.n)
		}
		return n, s
	case inArgument:
		return r.readArgument(b)
	default:
		return r.readLine(b)
	}
}

// open begins an array of argc. Redis does not answer an empty one.
func (r *request) open(argc int64) status {
	if argc > maxCount {
		return broken
	}
	if r.argc = max(argc, 0); r.argc == 0 {
		return whole
	}
	r.phase = beforeLength
	return more
}

func (r *request) openArgument(length int64) status {
	if length < 0 || length > maxLength {
		return broken
	}
	r.phase, r.left = inArgument, length+2
	if r.keep = r.wanted(); r.keep {
		r.length = 0
	}
	return more
}

func (r *request) readArgument(b []byte) (int, status) {
	if r.keep && r.left > 2 {
		r.length += copy(r.text[r.length:], b[:min(r.left-2, int64(len(b)))])
	}
	n, s := skip(b, &r.left)
	if s == whole {
		s = r.closeArgument()
	}
	return n, s
}

func (r *request) closeArgument() status {
	if r.keep {
		r.use(r.kept())
	}
	if r.index++; r.index == r.argc {
		return whole
	}
	r.phase = beforeLength
	return more
}
