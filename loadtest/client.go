package loadtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"brownout/results"

	"golang.org/x/sync/errgroup"
)

const (
	clientWorkers    = 8                      // requests of a Client under way at one time
	retryWait        = 100 * time.Millisecond // between two attempts at the same flag
	readbackAttempts = 5                      // at each flag
)

// ClientConfig configures NewClient. Its fields mean what they mean in Config.
type ClientConfig struct {
	Base     time.Time // required
	Requests Requests  // required
	Peers    []Requests
	Timeout  time.Duration     // default: DefaultTimeout
	Record   func(results.Hit) // required; calls do not overlap
}

// A Client sends what is no load: it fills the target before, and reads back what
// was written after. It records each attempt as a hit that is due when it is sent.
type Client struct {
	exchange *exchange
	close    func()

	mu     sync.Mutex // held while recording
	record func(results.Hit)
}

// NewClient returns a client. Close must be called on it.
func NewClient(cfg ClientConfig) (*Client, error) {
	if cfg.Base.IsZero() || cfg.Record == nil {
		return nil, errors.New("base and record must be set")
	}
	forms, err := compileAll(cfg.Requests, cfg.Peers)
	if err != nil {
		return nil, fmt.Errorf("requests: %w", err)
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = DefaultTimeout
	}
	t := newTransport(clientWorkers, 0, cfg.Timeout)
	return &Client{
		exchange: &exchange{base: cfg.Base, forms: forms, timeout: cfg.Timeout, transport: t},
		close:    t.CloseIdleConnections, record: cfg.Record,
	}, nil
}

// Close closes the client's connections.
func (c *Client) Close() { c.close() }

// Seed writes seeds, each until it succeeds or ctx ends. An answer that no further
// attempt would change, such as 400, ends it at once.
func (c *Client) Seed(ctx context.Context, seeds []Operation) error {
	if !c.exchange.forms[0].writes {
		return errors.New("there is no request that writes")
	}
	return each(ctx, seeds, func(ctx context.Context, op Operation) error {
		op.Op = results.OpSeed
		hit, err := c.try(ctx, op, func(h results.Hit, _ int) bool { return !final(h) })
		if err == nil && !hit.OK() {
			err = errors.New("another attempt would not help")
		}
		if err != nil {
			return fmt.Errorf("seeding %s/%s: %s: %w", op.Environment, op.Key, last(hit), err)
		}
		return nil
	})
}

// Readback reads flags, each a few times until it succeeds. A flag that cannot be
// read is no error here; its hits say so. The error is that of ctx.
func (c *Client) Readback(ctx context.Context, flags []Flag) error {
	ops := make([]Operation, len(flags))
	for i, f := range flags {
		ops[i] = Operation{Seq: uint64(i), Op: results.OpReadback, Environment: f.Environment, Key: f.Key}
	}
	return each(ctx, ops, func(ctx context.Context, op Operation) error {
		hit, err := c.try(ctx, op, func(_ results.Hit, attempts int) bool { return attempts < readbackAttempts })
		if err != nil {
			return fmt.Errorf("reading back %s/%s: %s: %w", op.Environment, op.Key, last(hit), err)
		}
		return nil
	})
}

// each calls f for every operation, a few at a time, until one call fails.
func each(ctx context.Context, ops []Operation, f func(context.Context, Operation) error) error {
	g, gctx := errgroup.WithContext(ctx) // gctx also ends with Wait
	g.SetLimit(clientWorkers)
	for _, op := range ops {
		if gctx.Err() != nil {
			break
		}
		g.Go(func() error { return f(gctx, op) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// try carries out an operation until it succeeds or again says no. It returns the
// last hit, and an error when ctx ended.
func (c *Client) try(ctx context.Context, op Operation, again func(h results.Hit, attempts int) bool) (results.Hit, error) {
	for attempts := 1; ; attempts++ {
		sent := time.Since(c.exchange.base)
		hit := c.exchange.do(ctx, op)
		hit.Due, hit.Sent = sent, sent
		c.mu.Lock()
		c.record(hit)
		c.mu.Unlock()
		if hit.OK() || !again(hit, attempts) {
			return hit, nil
		}
		if !waitTimer(ctx.Done(), time.Now().Add(retryWait)) {
			return hit, context.Cause(ctx)
		}
	}
}

// final reports whether the same request would fail in the same way again: the
// target understood it and does not want it, or its answer is not as declared.
func final(h results.Hit) bool {
	switch h.Code {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return h.Error == results.ErrorAnswer || h.Error == results.ErrorStatus && h.Code < 500
}

func last(h results.Hit) string {
	if h.OK() {
		return "ok"
	}
	return h.Detail
}
