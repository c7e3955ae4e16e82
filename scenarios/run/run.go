// Package run puts load and faults on one clock and writes down what happened.
//
// It starts the stack, puts a link in front of each dependency, starts the
// target behind the links, drives it, injures the links phase by phase, and
// leaves a complete recording. It is the only place that sees both load and
// faults. It judges nothing: see results/judge.
package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"brownout/chaos/lab"
	"brownout/results"
	"brownout/results/linear"
	"brownout/scenarios"

	"golang.org/x/sync/errgroup"
)

// Config says what to run and where to leave the recording.
type Config struct {
	Scenario *scenarios.Scenario // required
	Target   *scenarios.Target   // required
	Results  string              // folder of run folders, required
	Seed     uint64              // of everything that is drawn
	Self     string              // path of the brownout binary, for {self}

	// Lab is one that is open, to be used instead of a new one. It stays open.
	Lab *lab.Lab

	CacheURL    string // an existing cache instead of one of our own
	DatabaseURL string // an existing database instead of one of our own
	// Toxiproxy is where the API of a Toxiproxy listens that the URLs above lead
	// through: link faults are put on its proxies, which are called like the links.
	// Default: on our own links.
	Toxiproxy string

	// Status receives the state of the run about every Interval. Default: nobody.
	Status   func(Status)
	Interval time.Duration // default 1 s

	Log *slog.Logger // of the harness itself; default: discarded
}

// Run carries the scenario through and returns the folder of the recording. When
// it returns nothing of it is left: no process, no link, no goroutine. An error
// says that the harness could not carry it through, or that ctx was cancelled; a
// folder that was made is then still returned, marked failed or interrupted.
func Run(ctx context.Context, cfg Config) (folder string, err error) {
	r, err := newRunner(cfg)
	if err != nil {
		return "", err
	}
	err = r.run(ctx)
	state, problem := results.StateComplete, ""
	switch {
	case ctx.Err() != nil:
		state, problem = results.StateInterrupted, context.Cause(ctx).Error()
		err = fmt.Errorf("running %s: %w", cfg.Scenario.Name, ctx.Err())
	case err != nil:
		state, problem = results.StateFailed, err.Error()
	}
	if cerr := r.rec.Close(state, problem); cerr != nil {
		err = errors.Join(err, fmt.Errorf("closing the recording: %w", cerr))
	}
	return r.rec.Dir(), errors.Join(err, r.search())
}

// search looks for an order of the operations where the scenario expects that there is
// one. What it finds is kept: a time limit has a part in it.
func (r *runner) search() error {
	if !r.Scenario.Bounds(results.NonLinearizable) {
		return nil
	}
	rec, err := results.Open(r.rec.Dir())
	if err == nil {
		err = results.WriteLinearizability(rec.Dir, linear.Search(rec.Hits, linear.Limit))
	}
	if err != nil {
		return fmt.Errorf("searching for an order of the operations: %w", err)
	}
	return nil
}

// A runner is one run while it goes on.
type runner struct {
	Config
	base time.Time // zero of the run's clock
	rec  *results.Recorder
	seen *watcher
}

func newRunner(cfg Config) (*runner, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Status == nil {
		cfg.Status = func(Status) {}
	}
	if cfg.Interval == 0 {
		cfg.Interval = time.Second
	}
	if err := cfg.Target.Check(cfg.Scenario); err != nil {
		return nil, err
	}
	lent := map[string]string{results.LinkCache: cfg.CacheURL, results.LinkDatabase: cfg.DatabaseURL}
	if err := cfg.Scenario.CheckLent(lent); err != nil {
		return nil, err
	}
	r := &runner{Config: cfg, base: time.Now()}
	if cfg.Lab != nil {
		r.base = cfg.Lab.Base()
	}
	rec, err := results.Create(cfg.Results, cfg.Scenario.Name, r.manifest())
	if err != nil {
		return nil, fmt.Errorf("making the run folder: %w", err)
	}
	if err := results.WriteFile(rec.Dir(), "scenario.yaml", cfg.Scenario.Source); err != nil {
		return nil, errors.Join(err, rec.Close(results.StateFailed, err.Error()))
	}
	r.rec, r.seen = rec, newWatcher(cfg.Scenario)
	return r, nil
}

// now is the run's clock.
func (r *runner) now() time.Duration { return time.Since(r.base) }

func (r *runner) event(e results.Event) {
	r.rec.Event(e)
	r.seen.event(e)
}

func (r *runner) exchange(e results.Exchange) { r.rec.Exchange(e) }

func (r *runner) hit(h results.Hit) {
	r.rec.Hit(h)
	r.seen.hit(h)
}

// run brings everything up, drives it, and takes it down again.
func (r *runner) run(ctx context.Context) (err error) {
	bench, err := r.open(ctx)
	defer func() { err = errors.Join(err, bench.close(grace(ctx))) }()
	if err != nil {
		return err
	}
	background, stop := context.WithCancel(ctx)
	var g errgroup.Group
	g.Go(func() error { return r.watch(background, bench) })
	err = r.drive(ctx, bench)
	stop()
	return errors.Join(err, g.Wait())
}

// grace is how long a target may take to end: little when somebody waits.
func grace(ctx context.Context) time.Duration {
	if ctx.Err() != nil {
		return interruptedStop
	}
	return targetGrace
}
