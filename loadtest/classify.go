package loadtest

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"brownout/results"
)

// Cancelled is the Detail of a hit that was under way when the run was cancelled.
// Its class is results.ErrorOther: it says nothing of the target, and a write with
// it may or may not have taken place.
const Cancelled = "cancelled: the run was stopped"

// classify says what kind of failure an error of the HTTP client is. It looks at
// the chain of errors, and at words only where net/http keeps its error to itself.
func classify(err error) results.ErrorClass {
	var timeout net.Error
	switch {
	case errors.Is(err, errSentTwice):
		return results.ErrorReset
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.As(err, &timeout) && timeout.Timeout():
		return results.ErrorTimeout
	case errors.Is(err, syscall.ECONNREFUSED):
		return results.ErrorRefused
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), closedIdle(err):
		return results.ErrorReset
	}
	return results.ErrorOther
}

// closedIdle recognises the error with which net/http reports that the server
// closed a kept connection in place of an answer (errServerClosedIdle in
// net/http/transport.go of go1.26, not exported).
func closedIdle(err error) bool {
	return strings.Contains(err.Error(), "server closed idle connection")
}

const (
	maxText    = 300 // bytes of a text from outside that is kept in a hit
	maxExcerpt = 120 // bytes of one that is quoted within such a text
)

// bounded returns s on one line, as valid UTF-8 and cut to maxText bytes.
func bounded(s string) string { return cut(s, maxText) }

// excerpt is bounded for quoting.
func excerpt(s string) string { return cut(s, maxExcerpt) }

func cut(s string, most int) string {
	const more = "…"
	if len(s) > most {
		s = s[:most-len(more)] + more // a rune cut in half becomes a ? below
	}
	return strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
}
