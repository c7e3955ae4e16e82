package pgwire

import (
	"bytes"
	"unicode/utf8"
)

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
	var out writer
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
	to  [patternMax]byte
	n   int
	gap bool // there was whitespace
}

func (w *writer) put(b []byte) {
	if w.gap && w.n > 0 {
		w.n += copy(w.to[w.n:], " ")
	}
	w.gap = false
	w.n += copy(w.to[w.n:], b)
}

// String is what was put, without a space or a part of a character at its end.
func (w *writer) String() string {
	b := w.to[:w.n]
	for part := 0; part < utf8.UTFMax && w.n == len(w.to); part++ {
		if r, size := utf8.DecodeLastRune(b[:w.n-part]); r != utf8.RuneError || size != 1 {
			b = b[:w.n-part]
			break
		}
	}
	return string(bytes.TrimRight(b, " "))
}
