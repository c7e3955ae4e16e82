package loadtest

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"brownout/results"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// A relay is the transport that Vegeta's client sends through. It takes the number
// of the hit from the request, and carries out the operation that the workload has
// under this number. The hit is kept here until the generator takes it: Vegeta's
// result has room for an error's words, not for the error.
type relay struct {
	ctx      context.Context // of the run: Vegeta's requests have none
	exchange *exchange
	workload Workload
	late     func(seq uint64) bool // a hit that is to be skipped

	mu   sync.Mutex
	done map[uint64]results.Hit // :: number → hit not yet taken
}

// seqHeader is where Vegeta puts the number of a hit (attack.go of v12.13.0).
const seqHeader = "X-Vegeta-Seq"

// everySame is Vegeta's Targeter. All its targets are alike; the relay knows better.
func everySame(t *vegeta.Target) error {
	t.Method, t.URL = http.MethodGet, "http://target.invalid/"
	return nil
}

// RoundTrip implements http.RoundTripper. Its response is a mere token of success:
// what the target answered is in the hit.
func (r *relay) RoundTrip(req *http.Request) (*http.Response, error) {
	seq, err := strconv.ParseUint(req.Header.Get(seqHeader), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("reading the number of a hit: %w", err)
	}
	hit := r.do(seq)
	r.mu.Lock()
	r.done[seq] = hit
	r.mu.Unlock()
	return &http.Response{
		StatusCode: http.StatusNoContent, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: http.NoBody, Request: req,
	}, nil
}

// do carries out what the workload has under a number, unless it is too late.
func (r *relay) do(seq uint64) results.Hit {
	op := r.workload.At(seq)
	if r.late(seq) {
		return results.Hit{Seq: seq, Op: results.OpSkipped, Done: time.Since(r.exchange.base), Environment: op.Environment, Key: op.Key}
	}
	return r.exchange.do(r.ctx, op)
}

// take removes a hit and returns it.
func (r *relay) take(seq uint64) (results.Hit, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	hit, ok := r.done[seq]
	delete(r.done, seq)
	return hit, ok
}
