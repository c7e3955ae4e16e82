package loadtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"brownout/results"
)

// maxBody bounds what is read of an answer, in bytes. A longer answer is not read
// to its end, and its connection is closed.
const maxBody = 1 << 20

// An exchange carries out single operations: one request, one answer, one hit. It
// follows no redirect, uses no proxy, and sends nothing twice.
type exchange struct {
	base      time.Time // of the run's clock
	forms     []forms   // of the instances
	timeout   time.Duration
	transport http.RoundTripper
}

// newTransport returns the HTTP/1.1 client side of a load: it keeps up to idle
// connections open and dials no longer than a request may take.
func newTransport(idle, most int, timeout time.Duration) *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{
		// A dial outlives the request that asked for it: it needs a bound of its own.
		DialContext:         (&net.Dialer{Timeout: timeout}).DialContext,
		TLSHandshakeTimeout: timeout,
		MaxIdleConnsPerHost: idle,
		MaxConnsPerHost:     most,
		DisableCompression:  true,
		Protocols:           &protocols,
	}
}

// do carries out an operation. It sets everything of the hit but Due and Sent.
func (e *exchange) do(ctx context.Context, op Operation) results.Hit {
	instance := int(op.Seq % uint64(len(e.forms)))
	hit := results.Hit{Seq: op.Seq, Instance: instance, Op: op.Op, Environment: op.Environment, Key: op.Key, Token: op.Token}
	form, answer := e.forms[instance].of(op.Op)
	resp, body, err := e.ask(ctx, form, op)
	hit.Done = time.Since(e.base)
	if resp != nil {
		hit.Code = resp.StatusCode
	}
	switch {
	case err != nil && ctx.Err() != nil:
		hit.Error, hit.Detail = results.ErrorOther, Cancelled
	case err != nil:
		hit.Error = classify(err)
		hit.Detail = bounded(e.words(hit.Error, err))
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		hit.Error, hit.Detail = results.ErrorStatus, bounded(resp.Status+": "+excerpt(string(body)))
	default:
		if err := answer.read(&hit, resp.Header, body); err != nil {
			hit.Error, hit.Detail = results.ErrorAnswer, bounded(err.Error())
		}
	}
	return hit
}

// ask sends the request and reads its answer. A response that is not nil with an
// error is one whose body did not end as it should.
func (e *exchange) ask(ctx context.Context, form form, op Operation) (*http.Response, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	ctx, sent := sendOnce(ctx)
	defer sent.forget()
	req, err := form.request(ctx, op)
	if err != nil {
		return nil, nil, fmt.Errorf("making the request: %w", err)
	}
	resp, err := e.transport.RoundTrip(req)
	if err != nil || sent.again() {
		if resp != nil {
			resp.Body.Close()
		}
		return nil, nil, sent.explain(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	return resp, body, err
}

// words says an error to people.
func (e *exchange) words(class results.ErrorClass, err error) string {
	if class == results.ErrorTimeout && errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("no whole answer within %v", e.timeout)
	}
	return err.Error()
}

// read takes what the answer says into hit.
func (a Answer) read(hit *results.Hit, header http.Header, body []byte) (err error) {
	doc := &document{text: body}
	if a.Token.given() {
		token, err := a.Token.find(header, doc)
		if err != nil {
			return fmt.Errorf("looking for the token: %w", err)
		}
		if len(token) > maxText {
			return fmt.Errorf("looking for the token: %d bytes are too long for one: %q", len(token), excerpt(token))
		}
		hit.Token = token
	}
	if a.Version.given() {
		if hit.Version, err = a.Version.number(header, doc); err != nil {
			return fmt.Errorf("looking for the version: %w", err)
		}
	}
	if a.Source.Header != "" {
		if hit.Source, err = a.Source.find(header); err != nil {
			return fmt.Errorf("looking for the source: %w", err)
		}
	}
	return nil
}

// A document is a body that is parsed when the first pointer asks for it.
type document struct {
	text   []byte
	parsed bool
	root   any
	err    error
}

func (d *document) value() (any, error) {
	if !d.parsed {
		d.parsed = true
		d.root, d.err = decode(d.text)
	}
	return d.root, d.err
}

func decode(text []byte) (root any, err error) {
	if len(text) > maxBody {
		return nil, fmt.Errorf("the body is longer than %d bytes", maxBody)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber() // a version may be larger than a float64 can tell apart
	if err := dec.Decode(&root); err != nil {
		return nil, fmt.Errorf("the body is not JSON: %w: %q", err, excerpt(string(text)))
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("the body goes on after its JSON: %q", excerpt(string(text)))
	}
	return root, nil
}
