package pgwire

import "bytes"

// A class is what a token of SQL is to a pattern.
type class byte

const (
	plain   class = iota // a word, an operator: stays
	blank                // whitespace or a comment
	literal              // varies
)

// token returns the length and the class of the token that text begins with. It
// follows PostgreSQL's lexical structure (chapter 4.1 of its manual) with
// standard_conforming_strings on. A token that is not whole goes to the end.
func token(text []byte) (int, class) {
	switch c := text[0]; {
	case isSpace(c):
		return 1, blank
	case bytes.HasPrefix(text, []byte("--")):
		return upTo(text, "\n", 2), blank
	case bytes.HasPrefix(text, []byte("/*")):
		return comment(text), blank
	case c == '\'':
		return quoted(text, 1, false), literal
	case c == '"':
		return quoted(text, 1, false), plain
	case c == '$':
		return dollar(text)
	case isDigit(c), c == '.' && len(text) > 1 && isDigit(text[1]):
		return number(text), literal
	case isWord(c):
		return word(text)
	}
	return 1, plain
}

// upTo returns the length of text up to and with end, which is looked for from
// from on.
func upTo(text []byte, end string, from int) int {
	if i := bytes.Index(text[from:], []byte(end)); i >= 0 {
		return from + i + len(end)
	}
	return len(text)
}

// comment returns the length of a comment, in which others may nest.
func comment(text []byte) int {
	depth := 0
	for i := 0; i+1 < len(text); i++ {
		switch string(text[i : i+2]) {
		case "/*":
			depth++
			i++
		case "*/":
			depth--
			i++
		}
		if depth == 0 {
			return i + 1
		}
	}
	return len(text)
}

// quoted returns the length of a string whose text begins at from, behind its quote.
func quoted(text []byte, from int, escapes bool) int {
	quote := text[from-1]
	for i := from; i < len(text); i++ {
		switch {
		case escapes && text[i] == '\\':
			i++
		case text[i] != quote:
		case i+1 < len(text) && text[i+1] == quote:
			i++
		default:
			return i + 1
		}
	}
	return len(text)
}

// dollar returns a dollar-quoted string, or a parameter.
func dollar(text []byte) (int, class) {
	i := 1
	if len(text) > 1 && isDigit(text[1]) {
		for i < len(text) && isDigit(text[i]) {
			i++
		}
		return i, plain
	}
	for i < len(text) && (isWord(text[i]) || isDigit(text[i])) {
		i++
	}
	if i == len(text) || text[i] != '$' {
		return 1, plain
	}
	return upTo(text, string(text[:i+1]), i+1), literal
}

// number returns the length of a number: 1, 1.5, .5e-3, 0xff, 1_000.
func number(text []byte) int {
	i := 1
	for ; i < len(text); i++ {
		c := text[i]
		exponent := (c == '+' || c == '-') && text[i-1]|0x20 == 'e' && text[1]|0x20 != 'x'
		if !isDigit(c) && !isLetter(c) && c != '_' && c != '.' && !exponent {
			break
		}
	}
	return i
}

// word returns an identifier or a key word, or a string that begins with a letter:
// E'…', B'…', X'…', N'…', U&'…'.
func word(text []byte) (int, class) {
	i := 1
	for i < len(text) && (isWord(text[i]) || isDigit(text[i]) || text[i] == '$') {
		i++
	}
	c := text[0] | 0x20
	switch behind := text[i:]; {
	case i == 1 && bytes.HasPrefix(behind, []byte("'")) && bytes.IndexByte([]byte("ebxn"), c) >= 0:
		return quoted(text, 2, c == 'e'), literal
	case i == 1 && bytes.HasPrefix(behind, []byte("&'")) && c == 'u':
		return quoted(text, 3, false), literal
	}
	return i, plain
}

func isSpace(c byte) bool {
	switch c {
	case ' ', '\t', '\n', '\v', '\f', '\r':
		return true
	}
	return false
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isWord reports whether a word can begin with c. Bytes of other alphabets can.
func isWord(c byte) bool { return isLetter(c) || c == '_' || c >= 0x80 }
