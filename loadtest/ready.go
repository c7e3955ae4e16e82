package loadtest

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

const (
	readyEvery   = 20 * time.Millisecond // between two questions
	readyTimeout = time.Second           // for one answer
)

// WaitReady asks url with GET until the answer is 2xx. The error wraps the cause
// of ctx and tells the last answer. Redirects are not followed.
func WaitReady(ctx context.Context, url string) error {
	transport := newTransport(1, 0, readyTimeout)
	defer transport.CloseIdleConnections()
	var last error
	for {
		err := askReady(ctx, transport, url)
		if err == nil {
			return nil
		}
		if last == nil || ctx.Err() == nil { // that we stopped asking is no answer
			last = err
		}
		if !waitTimer(ctx.Done(), time.Now().Add(readyEvery)) {
			return fmt.Errorf("asking %s: %s: %w", url, bounded(last.Error()), context.Cause(ctx))
		}
	}
}

func askReady(ctx context.Context, transport http.RoundTripper, url string) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("it answered %s", resp.Status)
	}
	return nil
}
