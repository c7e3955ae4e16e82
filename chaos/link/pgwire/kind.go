package pgwire

import "bytes"

// The kinds of exchange that no tag and no text names.
const (
	KindEmpty   = "EMPTY"         // a query without a statement
	KindCall    = "FUNCTION CALL" // a FunctionCall message
	KindUnknown = "UNKNOWN"       // the text was not seen, or is no statement
)

const (
	kindDeallocateAll = "DEALLOCATE ALL"
	kindDiscardAll    = "DISCARD ALL"
)

// kindOfTag returns the tag of a command without its counts: "INSERT" of
// "INSERT 0 1". Every tag ends with its counts (CommandComplete in the manual).
func kindOfTag(body []byte) string {
	tag, _ := cstring(body)
	if i := bytes.IndexAny(tag, "0123456789"); i >= 0 {
		tag = tag[:i]
	}
	return intern(bytes.TrimRight(tag, " "))
}

// keyword returns the first word of a pattern in capitals, or KindUnknown.
func keyword(pattern string) string {
	var word [16]byte
	n := 0
	for i := 0; i < len(pattern) && n < len(word); i++ {
		c := pattern[i]
		switch {
		case isLetter(c):
			word[n] = c &^ 0x20
			n++
			continue
		case n == 0 && (c == '(' || c == ' '): // (select …) union …
			continue
		}
		break
	}
	return intern(word[:n])
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// intern returns b as a string, without an allocation for what is frequent, and
// KindUnknown when it is empty.
func intern(b []byte) string {
	switch string(b) {
	case "":
		return KindUnknown
	case "SELECT":
		return "SELECT"
	case "INSERT":
		return "INSERT"
	case "UPDATE":
		return "UPDATE"
	case "DELETE":
		return "DELETE"
	case "BEGIN":
		return "BEGIN"
	case "COMMIT":
		return "COMMIT"
	case "ROLLBACK":
		return "ROLLBACK"
	}
	return string(b)
}

// sqlstate returns the code of an ErrorResponse. Every server of protocol 3 sends
// one, near the beginning.
func sqlstate(body []byte) string {
	for len(body) > 0 && body[0] != 0 {
		var value []byte
		field := body[0]
		if value, body = cstring(body[1:]); field == 'C' && len(value) > 0 {
			return string(value[:min(len(value), 5)])
		}
	}
	return replyUnnamed
}

// replyUnnamed is the reply of an error without a code.
const replyUnnamed = "XXXXX"
