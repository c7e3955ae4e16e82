package resp

// maxPattern bounds what is kept of a key, in bytes.
const maxPattern = 64

// appendPattern appends key without what varies: "feature_flags:*" for
// "feature_flags:production:checkout", "flag*" for "flag17". Only the first
// maxPattern bytes of key are looked at.
func appendPattern(b, key []byte) []byte {
	key = key[:min(len(key), maxPattern)]
	colon := -1
	for i, c := range key {
		if c == ':' {
			colon = i
			break
		}
	}
	if colon < 0 {
		return appendConstant(b, key, true)
	}
	b = append(appendConstant(b, key[:colon], false), ':', '*')
	return b[:min(len(b), maxPattern)]
}

// appendConstant appends text with a star for each run of what is no printable
// ASCII and, if digits is set, of digits.
func appendConstant(b, text []byte, digits bool) []byte {
	star := false
	for _, c := range text {
		varies := c <= ' ' || c > '~' || digits && c >= '0' && c <= '9'
		if varies && star {
			continue
		}
		if star = varies; varies {
			c = '*'
		}
		b = append(b, c)
	}
	return b
}

// maxPatterns bounds how many patterns a connection remembers. A program has few.
const maxPatterns = 64

// patterns makes strings of patterns without an allocation each time.
type patterns map[string]string

func (p patterns) of(key []byte) string {
	var room [maxPattern + 2]byte
	b := appendPattern(room[:0], key)
	if s, known := p[string(b)]; known {
		return s
	}
	s := string(b)
	if len(p) < maxPatterns {
		p[s] = s
	}
	return s
}

// maxUnknown bounds the name of a command that is not known, in bytes.
const maxUnknown = 32

// unknownName returns a name that the table does not have, as it may stand in a
// recording: in upper case, with a question mark for what no name has.
func unknownName(name []byte) string {
	if len(name) == 0 {
		return "?"
	}
	name = name[:min(len(name), maxUnknown)]
	b := make([]byte, len(name))
	for i, c := range name {
		switch {
		case c >= 'a' && c <= 'z':
			c -= 'a' - 'A'
		case c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-', c == '.':
		default:
			c = '?'
		}
		b[i] = c
	}
	return string(b)
}
