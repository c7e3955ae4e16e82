package pgwire

import "encoding/binary"

const (
	// textKept is how much is looked at of a message with a statement or names.
	textKept = 2 << 10
	// replyKept is how much is looked at of a reply: the tag of a command is shorter,
	// and the SQLSTATE stands near the beginning of an error.
	replyKept = 256

	// The bounds of PostgreSQL 15 (MAX_STARTUP_PACKET_LENGTH in libpq/pqcomm.h,
	// MaxAllocSize in utils/memutils.h); a length counts itself.
	minPacket, maxPacket   = 8, 10000
	minMessage, maxMessage = 4, 1<<30 - 1
)

// An outcome is what a framer has come to at the end of what it was given.
type outcome byte

const (
	unfinished outcome = iota // the message goes on
	whole                     // a message is whole
	broken                    // no message of the protocol begins like this
)

// A framer finds the messages of one direction, whatever the chunks they come in.
// It keeps the beginning of a body only where that is wanted, and copies it only
// when the message is spread over chunks.
type framer struct {
	wants   func(kind byte) (kept int, known bool)
	untyped bool // packets before and with StartupMessage have no type byte

	header [5]byte
	have   int // bytes of the header

	// The message at hand. body is the beginning of its body, valid until next is
	// called again.
	kind    byte
	size    int // with its header
	body    []byte
	rest    int // bytes of the body to come
	missing int // bytes of the beginning to come
	kept    []byte
}

// next reads up to the end of a message and returns what is behind it.
func (f *framer) next(b []byte) (rest []byte, found outcome) {
	if n := f.headerSize(); f.have < n {
		got := copy(f.header[f.have:n], b)
		f.have += got
		b = b[got:]
		if f.have < n {
			return nil, unfinished
		}
		if !f.open() {
			return b, broken
		}
	}
	n := min(len(b), f.rest)
	f.take(b[:n])
	if f.rest > 0 {
		return nil, unfinished
	}
	f.have = 0
	return b[n:], whole
}

// between reports whether the stream stands at a message boundary.
func (f *framer) between() bool { return f.have == 0 }

func (f *framer) headerSize() int {
	if f.untyped {
		return 4
	}
	return 5
}

// open reads the header. It reports whether there can be such a message.
func (f *framer) open() bool {
	n, low, high := f.headerSize(), minMessage, maxMessage
	f.kind = 0
	if f.untyped {
		low, high = minPacket, maxPacket
	} else {
		f.kind = f.header[0]
	}
	length := int(binary.BigEndian.Uint32(f.header[n-4 : n]))
	wanted, known := f.wants(f.kind)
	if !known || length < low || length > high {
		return false
	}
	f.rest, f.size = length-4, length-4+n
	f.missing = min(wanted, f.rest)
	f.body, f.kept = nil, f.kept[:0]
	return true
}

// take reads p, the next part of the body.
func (f *framer) take(p []byte) {
	beginning := p[:min(len(p), f.missing)]
	f.missing -= len(beginning)
	f.rest -= len(p)
	if f.rest == 0 && len(f.kept) == 0 {
		f.body = beginning
		return
	}
	f.kept = append(f.kept, beginning...)
	f.body = f.kept
}

// ofPacket is what is wanted of packets without a type: the code that they begin with.
func ofPacket(byte) (kept int, known bool) { return 4, true }

// ofClient is what is wanted of the client's messages. A password ('p') is not.
func ofClient(kind byte) (kept int, known bool) {
	switch kind {
	case 'Q', 'P', 'B', 'E', 'C':
		return textKept, true
	case 'D', 'F', 'H', 'S', 'X', 'c', 'd', 'f', 'p':
		return 0, true
	}
	return 0, false
}

// ofServer is what is wanted of the server's messages.
func ofServer(kind byte) (kept int, known bool) {
	switch kind {
	case 'C', 'E':
		return replyKept, true
	case 'R': // which authentication
		return 4, true
	case 'Z': // state of the transaction
		return 1, true
	case '1', '2', '3', 'A', 'D', 'G', 'H', 'I', 'K', 'N', 'S', 'T', 'V', 'W', 'c', 'd', 'n', 's', 't', 'v':
		return 0, true
	}
	return 0, false
}
