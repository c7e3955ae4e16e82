package defect

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"brownout/server/feature"
)

const (
	metronomeBeat  = 100 * time.Millisecond
	metronomeAfter = 5 // failures in a row
)

// A metronome is a circuit breaker whose probes come at a fixed interval, in step
// with the clock: those of all instances come at the same time.
type metronome struct {
	layer
	mu       sync.Mutex
	failures int
}

func newMetronome(c feature.Cache) feature.Cache { return &metronome{layer: layer{c}} }

var errBroken = fmt.Errorf("%w: the cache failed a while ago", feature.ErrUnavailable)

func (m *metronome) ask(question func() error) error {
	m.mu.Lock()
	open := m.failures >= metronomeAfter
	m.mu.Unlock()
	if open {
		return errBroken
	}
	return m.count(question())
}

func (m *metronome) count(err error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil || errors.Is(err, feature.ErrMiss) {
		m.failures = 0
	} else {
		m.failures++
	}
	return err
}

// Run probes.
func (m *metronome) Run(ctx context.Context, tell func(feature.CacheEvent)) {
	var inner sync.WaitGroup
	defer inner.Wait()
	inner.Go(func() { m.layer.Run(ctx, tell) })
	for {
		now := time.Now()
		select {
		case <-ctx.Done():
			return
		case <-time.After(now.Truncate(metronomeBeat).Add(metronomeBeat).Sub(now)):
		}
		m.mu.Lock()
		open := m.failures >= metronomeAfter
		m.mu.Unlock()
		if open && m.count(m.Cache.Ping(ctx)) == nil {
			tell(feature.CacheBack)
		}
	}
}

func (m *metronome) Get(ctx context.Context, environment string) (data []byte, err error) {
	err = m.ask(func() error { data, err = m.Cache.Get(ctx, environment); return err })
	return data, err
}

func (m *metronome) Set(ctx context.Context, environment string, snapshot []byte) error {
	return m.ask(func() error { return m.Cache.Set(ctx, environment, snapshot) })
}

func (m *metronome) Delete(ctx context.Context, environment string) error {
	return m.ask(func() error { return m.Cache.Delete(ctx, environment) })
}
