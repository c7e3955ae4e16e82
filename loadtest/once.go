package loadtest

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptrace"
	"sync/atomic"
)

// errSentTwice says that net/http was about to send a request a second time.
var errSentTwice = errors.New("the connection broke under the request")

// A once watches that a request is sent once. When a kept connection breaks after
// a GET was written to it, http.Transport sends the GET again without a word, and
// a target that dies under its requests looks merely slow. For a load, that is a
// reset. A request of which nothing was written may still be tried again: the
// target never saw it.
type once struct {
	cancel  context.CancelCauseFunc
	written atomic.Bool // the whole request has been handed to the kernel
	twice   atomic.Bool
}

// sendOnce returns a context for one request that ends when the request would be
// sent again. The caller must call forget.
func sendOnce(ctx context.Context) (context.Context, *once) {
	ctx, cancel := context.WithCancelCause(ctx)
	o := &once{cancel: cancel}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: o.onGetConn,
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err == nil {
				o.written.Store(true)
			}
		},
	}), o
}

// onGetConn is called when the transport looks for a connection, once per attempt.
func (o *once) onGetConn(string) {
	if o.written.Load() {
		o.twice.Store(true)
		o.cancel(errSentTwice)
	}
}

// again reports whether the request would have been sent again.
func (o *once) again() bool { return o.twice.Load() }

// explain returns err, or what really happened when the request was stopped here.
func (o *once) explain(err error) error {
	if o.again() {
		return fmt.Errorf("%w before an answer came", errSentTwice)
	}
	return err
}

func (o *once) forget() { o.cancel(nil) }
