package run

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"brownout/loadtest"
	"brownout/results"
	"brownout/results/figures"
	"brownout/scenarios"
)

// Status is the state of a run at one moment, for somebody who watches.
type Status struct {
	Scenario string
	Phase    string        // "" before the load
	Elapsed  time.Duration // since the load began
	Total    time.Duration // of the load
	Rate     float64       // answers per second since the last status
	P99      time.Duration // of the latencies of the hits that ended since the last status
	Errors   int           // since the last status
	Faults   []string      // in force, in words
}

// A watcher sees every hit and event while they happen.
type watcher struct {
	mu        sync.Mutex
	scenario  *scenarios.Scenario
	phase     string
	began     time.Duration // of the first phase
	last      time.Duration // of the last status
	latencies []time.Duration
	errors    int
	faults    []string
	written   map[loadtest.Flag]bool
}

func newWatcher(s *scenarios.Scenario) *watcher {
	return &watcher{scenario: s, written: map[loadtest.Flag]bool{}}
}

func (w *watcher) event(e results.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e.Kind {
	case results.EventPhase:
		if w.phase == "" {
			w.began = e.At
		}
		w.phase = e.On
	case results.EventInject:
		w.faults = append(slices.Clone(w.faults), e.Text)
	case results.EventRevert:
		w.faults = slices.DeleteFunc(slices.Clone(w.faults), func(f string) bool { return f == e.Text })
	}
}

func (w *watcher) hit(h results.Hit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch h.Op {
	case results.OpWrite:
		w.written[loadtest.Flag{Environment: h.Environment, Key: h.Key}] = true
	case results.OpRead:
	default:
		return
	}
	w.latencies = append(w.latencies, h.Latency())
	if !h.OK() {
		w.errors++
	}
}

// writtenFlags lists everything that the load has written to.
func (w *watcher) writtenFlags() []loadtest.Flag {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.SortedFunc(maps.Keys(w.written), func(a, b loadtest.Flag) int {
		return cmp.Or(cmp.Compare(a.Environment, b.Environment), cmp.Compare(a.Key, b.Key))
	})
}

// status returns what has been seen since the last call.
func (w *watcher) status(now time.Duration) Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := Status{
		Scenario: w.scenario.Name, Phase: w.phase, Total: w.scenario.Duration(),
		Errors: w.errors, Faults: w.faults,
	}
	if w.phase != "" {
		s.Elapsed = min(now-w.began, s.Total)
	}
	if span := now - w.last; span > 0 {
		s.Rate = float64(len(w.latencies)) / span.Seconds()
	}
	slices.Sort(w.latencies)
	s.P99 = figures.Quantile(w.latencies, 0.99)
	w.last, w.latencies, w.errors = now, nil, 0
	return s
}

// Intervals of what happens beside the load.
const sampleInterval = 200 * time.Millisecond

// watch samples the target's resources, flushes the recording and reports the
// status until ctx is done.
func (r *runner) watch(ctx context.Context, b *bench) error {
	sample, status := time.NewTicker(sampleInterval), time.NewTicker(r.Interval)
	defer sample.Stop()
	defer status.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-sample.C:
			r.sample(ctx, b)
			if err := r.rec.Flush(); err != nil {
				return fmt.Errorf("writing the recording: %w", err)
			}
		case <-status.C:
			r.Status(r.seen.status(r.now()))
		}
	}
}

// sample looks at the machine and at the target's process. One that is gone leaves no
// sample; its end stands in the events.
func (r *runner) sample(ctx context.Context, b *bench) {
	for _, s := range r.machineSamples() {
		r.rec.Sample(s)
	}
	for _, t := range b.instances() {
		if t.process == nil {
			continue
		}
		if usage, err := t.process.Usage(); err == nil {
			usage.At = r.now()
			usage.Goroutines = t.goroutines(ctx)
			r.rec.Sample(usage)
		}
	}
}
