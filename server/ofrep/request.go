package ofrep

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

// Check looks whether body is a request for an evaluation, of one flag or of all: an
// object with a context that has a targeting key. All else in it is the caller's. The
// error is an *Error.
//
// As everywhere in encoding/json the names of members have no case.
func Check(body []byte) error {
	var request struct {
		Context *struct {
			TargetingKey *string `json:"targetingKey"`
		} `json:"context"`
	}
	if !utf8.Valid(body) {
		return wrong(ParseError, "the body is not UTF-8")
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return fault(err)
	}
	switch {
	case request.Context == nil:
		return wrong(InvalidContext, "the context is missing, want an object")
	case request.Context.TargetingKey == nil || *request.Context.TargetingKey == "":
		return wrong(TargetingKeyMissing, "the context has no targetingKey, want a text")
	}
	return nil
}

// fault gives an error of encoding/json its code.
func fault(err error) error {
	var kind *json.UnmarshalTypeError
	if !errors.As(err, &kind) {
		return wrong(ParseError, "the body is not JSON: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	switch {
	case kind.Field == "":
		return wrong(ParseError, "the body is a %s, want an object", kind.Value)
	case strings.Contains(kind.Field, "."):
		return wrong(InvalidContext, "the targetingKey is a %s, want a text", kind.Value)
	}
	return wrong(InvalidContext, "the context is a %s, want an object", kind.Value)
}
