package pgwire

import "unicode/utf8"

// patternMax is how many bytes of a pattern are kept.
const patternMax = 120

// pattern returns the first statement of text without what varies, and the text
// behind its semicolon. Quoted strings, dollar-quoted ones and numbers become "?",
// whitespace and comments become one space. Parameters ($1) and quoted identifiers
// stay. It is cut at 120 bytes. It is empty when there is no statement.
//
// A semicolon in parentheses ends nothing (CREATE RULE). One in the body of a
// function in standard SQL (BEGIN ATOMIC) is taken for an end, which puts patterns
// of that Query in the wrong place; exchanges are counted by their replies.
func pattern(text []byte) (p string, rest []byte) {
	var room [patternMax]byte
	out := writer{to: room[:0]}
	for depth := 0; len(text) > 0; {
		n, class := token(text)
		switch {
		case class == blank:
			out.gap = true
		case class == literal:
			out.put([]byte{'?'})
		case text[0] == ';' && depth <= 0:
			return out.String(), text[n:]
		default:
			depth += nesting(text[0])
			out.put(text[:n])
		}
		text = text[n:]
	}
	return out.String(), nil
}

func nesting(c byte) int {
	switch c {
	case '(':
		return 1
	case ')':
		return -1
	}
	return 0
}

// A writer squeezes whitespace and stops where its room ends.
type writer struct {
	to  []byte
	gap bool // there was whitespace
}

func (w *writer) put(b []byte) {
	if w.gap && len(w.to) > 0 && len(w.to) < cap(w.to) {
		w.to = append(w.to, ' ')
	}
	w.gap = false
	w.to = append(w.to, b[:min(len(b), cap(w.to)-len(w.to))]...)
}

// String is what was put, without a space or half a character at its end.
func (w *writer) String() string {
	b := w.to
	for cut := 0; cut < utf8.UTFMax && len(b) == cap(w.to); cut++ {
		if r, size := utf8.DecodeLastRune(b[:len(b)-cut]); r != utf8.RuneError || size != 1 {
			b = b[:len(b)-cut]
			break
		}
	}
	for len(b) > 0 && b[len(b)-1] == ' ' {
		b = b[:len(b)-1]
	}
	return string(b)
}
