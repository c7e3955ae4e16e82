package feature

import (
	"context"
	"errors"
	"net"
	"syscall"
)

// The classes of error that the service tells its callers.
const (
	ClassTimeout = "timeout" // no answer in time
	ClassRefused = "refused" // nobody listens there
	ClassError   = "error"   // anything else
)

// Class says how a dependency failed, without the words of the error: those name
// hosts and users, which are nobody's business. "" for nil.
func Class(err error) string {
	var slow net.Error
	switch {
	case err == nil:
		return ""
	case errors.Is(err, syscall.ECONNREFUSED):
		return ClassRefused
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &slow) && slow.Timeout():
		return ClassTimeout
	}
	return ClassError
}
