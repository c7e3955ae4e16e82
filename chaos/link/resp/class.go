package resp

import (
	"bytes"

	"brownout/results"
)

// class returns the class of a reply that is whole.
func (r *reply) class() string {
	switch {
	case r.failed():
		return firstWord(r.text())
	case r.null:
		return results.ReplyNil
	}
	return results.ReplyOK
}

// answerClass returns the class of an answer in the dependency's name.
func answerClass(b []byte) string {
	if b[0] != '-' {
		return results.ReplyGarbage
	}
	return firstWord(bytes.TrimSuffix(b[1:], []byte("\r\n")))
}

// firstWord returns the first word of an error. Frequent ones need no allocation.
func firstWord(text []byte) string {
	if end := bytes.IndexByte(text, ' '); end >= 0 {
		text = text[:end]
	}
	text = text[:min(len(text), maxWord)]
	switch string(text) {
	case "ERR":
		return "ERR"
	case "READONLY":
		return "READONLY"
	case "LOADING":
		return "LOADING"
	case "MOVED":
		return "MOVED"
	case "NOSCRIPT":
		return "NOSCRIPT"
	case "":
		return "?"
	}
	return string(text)
}
