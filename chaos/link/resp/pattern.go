package resp

// maxInterned bounds how many different names and patterns a connection remembers;
// one more is still told, only slower.
const maxInterned = 256

// interned are strings that are made once.
type interned struct{ seen map[string]string }

func (i *interned) get(b []byte) string {
	if s, ok := i.seen[string(b)]; ok { // makes no string
		return s
	}
	s := string(b)
	if i.seen == nil {
		i.seen = map[string]string{}
	}
	if len(i.seen) < maxInterned {
		i.seen[s] = s
	}
	return s
}

// pattern is a key without what varies: what follows the first colon, or, without
// one, each run of digits is a star.
func (i *interned) pattern(key []byte) string {
	var made [keptBytes + 1]byte
	p := made[:0]
	digits := false
	for _, c := range key {
		isDigit := c >= '0' && c <= '9'
		switch {
		case c == ':':
			return i.get(append(p, ':', '*'))
		case isDigit && digits:
		case isDigit, c <= ' ', c > '~':
			p = append(p, '*')
		default:
			p = append(p, c)
		}
		digits = isDigit
	}
	return i.get(p)
}
