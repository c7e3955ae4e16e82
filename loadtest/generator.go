package loadtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"brownout/results"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// Defaults of Config.
const (
	DefaultTimeout    = 5 * time.Second
	DefaultMaxWorkers = 2000
)

// firstWorkers is how many workers stand ready when the load begins. More are
// started when all are busy.
const firstWorkers = 64

// Config configures New.
type Config struct {
	Base     time.Time     // required: the run's clock starts here, with a monotonic reading
	Start    time.Duration // offset on that clock at which the schedule begins; past: the load starts late
	Schedule Schedule      // required
	Workload Workload      // required
	Requests Requests      // required
	Peers    []Requests    // those of further instances of the target; hits go to each in turn
	Timeout  time.Duration // of one request, from when it is sent; default: DefaultTimeout
	// MaxWorkers bounds requests under way at one time. Where it binds, hits are
	// sent late, and the hits say so. Default: DefaultMaxWorkers.
	MaxWorkers int
	// SkipAfter is how late a hit may be to be sent still; later ones are recorded as
	// OpSkipped. 0: a generator that fell behind catches up, and every hit is sent.
	SkipAfter time.Duration
	// Connections bounds connections to the target; a request beyond waits for one.
	// Default: MaxWorkers.
	Connections int
	// Record takes each hit when it is done; required. Calls do not overlap. Hits
	// come in the order in which they end, not by Seq.
	Record func(results.Hit)
}

// A Generator sends the hits of a schedule.
type Generator struct {
	cfg   Config
	forms []forms // one for each instance

	// Seams for tests.
	transport http.RoundTripper        // default: a new transport per Run
	pace      func(pacer) vegeta.Pacer // default: the pacer as it is
	wait      waiter                   // default: waitFine
}

// New returns a generator. It starts nothing.
func New(cfg Config) (*Generator, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	forms, err := compileAll(cfg.Requests, cfg.Peers)
	if err != nil {
		return nil, fmt.Errorf("requests: %w", err)
	}
	if cfg.Workload.Reads < 1 && !forms[0].writes {
		return nil, errors.New("the workload writes, and there is no request for that; write reads: 100%")
	}
	return &Generator{
		cfg: cfg, forms: forms, wait: waitFine,
		pace: func(p pacer) vegeta.Pacer { return p },
	}, nil
}

// complete checks the fields and puts defaults in.
func (c *Config) complete() error {
	if c.Base.IsZero() || c.Record == nil {
		return errors.New("base and record must be set")
	}
	if c.Timeout < 0 || c.MaxWorkers < 0 || c.Connections < 0 || c.SkipAfter < 0 {
		return fmt.Errorf("timeout %v, %d workers, %d connections, skipping after %v; none may be below 0", c.Timeout, c.MaxWorkers, c.Connections, c.SkipAfter)
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.MaxWorkers == 0 {
		c.MaxWorkers = DefaultMaxWorkers
	}
	if c.Connections == 0 {
		c.Connections = c.MaxWorkers
	}
	if err := c.Workload.Validate(); err != nil {
		return fmt.Errorf("workload: %w", err)
	}
	return nil
}

// Run sends every hit of the schedule and returns when the last one is done, which
// is before the end of the schedule if that ends in a pause. When ctx ends first,
// nothing more is sent, requests under way are broken off and recorded as
// Cancelled, and the error wraps the cause. Run must not be called twice at a time.
func (g *Generator) Run(ctx context.Context) error {
	relay, release := g.relay(ctx)
	defer release()
	attacker := vegeta.NewAttacker(
		vegeta.Client(&http.Client{Transport: relay}), // no Timeout: the exchange bounds itself
		vegeta.Workers(uint64(min(firstWorkers, g.cfg.MaxWorkers))),
		vegeta.MaxWorkers(uint64(g.cfg.MaxWorkers)),
	)
	// Vegeta knows no context, and its Stop is not needed: when ctx ends, the pacer says
	// stop, and every request ends, so that no worker keeps Vegeta waiting.
	recorded, err := g.drain(attacker.Attack(everySame, g.pace(g.pacer(ctx)), 0, ""), relay)
	if ctx.Err() != nil {
		return fmt.Errorf("load stopped after %d of %d hits: %w", recorded, g.cfg.Schedule.Total(), context.Cause(ctx))
	}
	if err == nil && recorded != g.cfg.Schedule.Total() {
		err = fmt.Errorf("load ended after %d of %d hits", recorded, g.cfg.Schedule.Total())
	}
	return err
}

// relay returns the transport that Vegeta sends through, and what ends it.
func (g *Generator) relay(ctx context.Context) (*relay, func()) {
	e := &exchange{base: g.cfg.Base, forms: g.forms, timeout: g.cfg.Timeout, transport: g.transport}
	release := func() {}
	if e.transport == nil {
		t := newTransport(g.cfg.Connections, g.cfg.Connections, g.cfg.Timeout)
		e.transport, release = t, t.CloseIdleConnections
	}
	return &relay{ctx: ctx, exchange: e, workload: g.cfg.Workload, late: g.late, done: map[uint64]results.Hit{}}, release
}

// late reports whether it is too late to send a hit.
func (g *Generator) late(seq uint64) bool {
	due, _ := g.cfg.Schedule.Due(seq)
	return g.cfg.SkipAfter > 0 && time.Since(g.cfg.Base)-g.cfg.Start-due > g.cfg.SkipAfter
}

func (g *Generator) pacer(ctx context.Context) pacer {
	return pacer{schedule: g.cfg.Schedule, start: g.cfg.Base.Add(g.cfg.Start), done: ctx.Done(), wait: g.wait}
}

// drain takes results until there are no more, and gives each hit its times. It
// must read to the end, whatever goes wrong: workers wait for it.
func (g *Generator) drain(from <-chan *vegeta.Result, relay *relay) (recorded uint64, err error) {
	for res := range from {
		hit, ok := relay.take(res.Seq)
		if !ok {
			err = fmt.Errorf("hit %d was never sent: %s", res.Seq, res.Error)
			continue
		}
		due, _ := g.cfg.Schedule.Due(res.Seq)
		hit.Due = g.cfg.Start + due
		hit.Sent = res.Timestamp.Sub(g.cfg.Base)
		g.cfg.Record(hit)
		recorded++
	}
	return recorded, err
}
