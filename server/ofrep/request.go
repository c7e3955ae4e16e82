package ofrep

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Check looks whether body is a request for an evaluation, of one flag or of all: an
// object with a context that has a targeting key. All else in it is the caller's. Of a
// member that is named again the last one counts, as in Canonical. The error is an *Error.
//
// Done by hand: decoding into a struct takes three times as long, which is more than the
// evaluation itself.
func Check(body []byte) error {
	switch {
	case !utf8.Valid(body):
		return wrong(ParseError, "the body is not UTF-8")
	case !json.Valid(body):
		return wrong(ParseError, "the body is not JSON: %s", syntax(body))
	}
	switch is := kind(body); is {
	case object, null: // null has no context
	default:
		return wrong(ParseError, "the body is a %s, want an object", is)
	}
	context := field(body, "context")
	switch is := kind(context); is {
	case object:
		return checkKey(field(context, "targetingKey"))
	case missing, null:
		return wrong(InvalidContext, "the context is missing, want an object")
	default:
		return wrong(InvalidContext, "the context is a %s, want an object", is)
	}
}

func checkKey(key []byte) error {
	switch is := kind(key); {
	case is == missing, is == null, string(key) == `""`:
		return wrong(TargetingKeyMissing, "the context has no targetingKey, want a text")
	case is != text:
		return wrong(InvalidContext, "the targetingKey is a %s, want a text", is)
	}
	return nil
}

// syntax says what is wrong with a body that is not JSON.
func syntax(body []byte) string {
	var v any
	err := json.Unmarshal(body, &v)
	if err == nil {
		return "it cannot be read"
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}
