package ofrep

import (
	"bytes"
	"encoding/json"
	"slices"
)

// maxDepth bounds how deep a context is nested where all flags are evaluated. Sorting
// copies each level, so that the cost is that of the depth times the length.
const maxDepth = 64

// Canonical is a body that Check has passed, without what makes no difference: white
// space, the order of members, how characters are escaped, and a member that is named
// again later. Numbers stay as they were written, so that no two are taken for one. The
// error is an *Error: nested too deep.
//
// Decoding into maps and encoding them does the same for nine times the time, and this is
// the most of what a client costs that has the answer already.
func Canonical(body []byte) ([]byte, error) {
	w := walk{in: body}
	out := w.value(make([]byte, 0, len(body)), 0)
	if w.deep {
		return nil, wrong(InvalidContext, "the context is nested more than %d deep", maxDepth)
	}
	return out, nil
}

// A walk goes through JSON that is known to be valid, once.
type walk struct {
	in   []byte
	at   int
	deep bool // too deep: it has gone to the end
}

// next skips white space and returns the byte behind it.
func (w *walk) next() byte {
	for ; w.at < len(w.in); w.at++ {
		switch c := w.in[w.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

func (w *walk) value(out []byte, depth int) []byte {
	if depth > maxDepth {
		w.deep, w.at = true, len(w.in)
		return out
	}
	switch w.next() {
	case '{':
		return w.object(out, depth)
	case '[':
		return w.list(out, depth)
	case '"':
		return w.text(out)
	}
	from := w.at
	w.passWord()
	return append(out, w.in[from:w.at]...)
}

// text takes a text. Escapes are rare; what has one is escaped as encoding/json does.
func (w *walk) text(out []byte) []byte {
	from := w.at
	escaped := w.passText()
	if escaped {
		return appendEscaped(out, w.in[from:w.at])
	}
	return append(out, w.in[from:w.at]...)
}

func appendEscaped(out, raw []byte) []byte {
	var plain string
	if json.Unmarshal(raw, &plain) != nil {
		return append(out, raw...)
	}
	return appendText(out, plain)
}

// appendText escapes what JSON asks for and nothing else.
func appendText(out []byte, plain string) []byte {
	const hex = "0123456789abcdef"
	out = append(out, '"')
	for _, c := range []byte(plain) {
		switch {
		case c == '"', c == '\\':
			out = append(out, '\\', c)
		case c < ' ':
			out = append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			out = append(out, c)
		}
	}
	return append(out, '"')
}

func (w *walk) list(out []byte, depth int) []byte {
	out = append(out, '[')
	for w.at++; w.next() != ']' && !w.deep; {
		if w.in[w.at] == ',' {
			w.at++
			out = append(out, ',')
		}
		out = w.value(out, depth+1)
	}
	w.at++
	return append(out, ']')
}

// A member of an object, by where it stands in what was written.
type member struct{ from, colon, to int }

func (w *walk) object(out []byte, depth int) []byte {
	out = append(out, '{')
	begin := len(out)
	var room [16]member
	all := room[:0]
	for w.at++; w.next() != '}' && !w.deep; {
		if w.in[w.at] == ',' {
			w.at++
			w.next()
			out = append(out, ',')
		}
		m := member{from: len(out)}
		out = w.text(out)
		m.colon = len(out)
		w.next()
		w.at++
		out = w.value(append(out, ':'), depth+1)
		m.to = len(out)
		all = append(all, m)
	}
	w.at++
	return append(sorted(out, begin, all), '}')
}

// sorted puts the members, which were written from begin on, into the order of their
// names. Of those with one name the last one stays.
func sorted(out []byte, begin int, all []member) []byte {
	ordered := true
	for i := 1; i < len(all) && ordered; i++ {
		ordered = bytes.Compare(out[all[i-1].from:all[i-1].colon], out[all[i].from:all[i].colon]) < 0
	}
	if ordered {
		return out
	}
	was := bytes.Clone(out)
	name := func(m member) []byte { return was[m.from:m.colon] }
	slices.SortStableFunc(all, func(a, b member) int { return bytes.Compare(name(a), name(b)) })
	out = out[:begin]
	for i, m := range all {
		if i+1 < len(all) && bytes.Equal(name(m), name(all[i+1])) {
			continue
		}
		if len(out) > begin {
			out = append(out, ',')
		}
		out = append(out, was[m.from:m.to]...)
	}
	return out
}
