package ofrep

import (
	"bytes"
	"encoding/json"
)

// What a value is, in the words of encoding/json.
const (
	missing = ""
	object  = "object"
	text    = "string"
	null    = "null"
)

// kind says what a valid value is.
func kind(value []byte) string {
	w := walk{in: value}
	switch w.next() {
	case 0:
		return missing
	case '{':
		return object
	case '[':
		return "array"
	case '"':
		return text
	case 'n':
		return null
	case 't', 'f':
		return "bool"
	}
	return "number"
}

// field returns the value of a member of an object, the last one of that name; nil:
// there is none. What is not an object has none. value must be valid JSON in UTF-8.
func field(value []byte, name string) (found []byte) {
	w := walk{in: value}
	if w.next() != '{' {
		return nil
	}
	for w.at++; w.next() != '}'; {
		if w.in[w.at] == ',' {
			w.at++
			w.next()
		}
		key := w.pass()
		w.next()
		w.at++ // the colon
		w.next()
		if value := w.pass(); named(key, name) {
			found = value
		}
	}
	return found
}

// named reports whether key, a text with its quotes, is name.
func named(key []byte, name string) bool {
	if bytes.IndexByte(key, '\\') < 0 {
		return string(key[1:len(key)-1]) == name
	}
	var plain string
	return json.Unmarshal(key, &plain) == nil && plain == name
}

// pass goes behind the value that begins here, and returns it.
func (w *walk) pass() []byte {
	from, depth := w.at, 0
	for {
		switch c := w.in[w.at]; {
		case c == '"':
			w.passText()
		case c == '{', c == '[':
			depth++
			w.at++
		case c == '}', c == ']':
			depth--
			w.at++
		case depth == 0:
			w.passWord()
		default:
			w.at++
		}
		if depth == 0 {
			return w.in[from:w.at]
		}
	}
}

// passText goes behind a text, and reports whether something in it is escaped.
func (w *walk) passText() (escaped bool) {
	for w.at++; w.in[w.at] != '"'; w.at++ {
		if w.in[w.at] == '\\' {
			escaped = true
			w.at++
		}
	}
	w.at++
	return escaped
}

// passWord goes behind a number, true, false or null.
func (w *walk) passWord() {
	for w.at < len(w.in) && !bytes.ContainsRune([]byte(",]} \t\r\n"), rune(w.in[w.at])) {
		w.at++
	}
}
