// Package ofrep speaks the OpenFeature Remote Evaluation Protocol, version 0.3.0
// (https://github.com/open-feature/protocol, service/openapi.yaml): what a request
// says, what an answer looks like, and by which tag a client knows that nothing has
// changed.
//
// The one idea: an answer is a pure function of a flag, and its tag a pure function of
// the environment's revision and the context. So the tag is known before anything is
// evaluated.
//
// Flags have one value and no rules here, so a context changes no answer. It is checked
// and goes into the tag all the same: clients must not get used to less. Not here: HTTP,
// statuses, event streams (optional in 0.3.0).
package ofrep

import "fmt"

// The error codes of the protocol.
const (
	ParseError          = "PARSE_ERROR"
	TargetingKeyMissing = "TARGETING_KEY_MISSING"
	InvalidContext      = "INVALID_CONTEXT"
	FlagNotFound        = "FLAG_NOT_FOUND"
	General             = "GENERAL"
)

// The reasons that flags without rules can have. The protocol has no STALE.
const (
	Static   = "STATIC"
	Disabled = "DISABLED"
)

// A Failure is the body of an answer that is none: evaluationFailure, flagNotFound,
// and without a key bulkEvaluationFailure. Without a code it is generalErrorResponse.
type Failure struct {
	Key     string `json:"key,omitempty"`
	Code    string `json:"errorCode,omitempty"`
	Details string `json:"errorDetails,omitempty"`
}

// An Error is what is wrong with a request, with the code for it.
type Error struct {
	Code    string
	Details string
}

func (e *Error) Error() string { return e.Details }

func wrong(code, format string, args ...any) *Error {
	return &Error{Code: code, Details: fmt.Sprintf(format, args...)}
}
