package cache

import (
	"context"
	"time"

	"brownout/server/feature"

	"github.com/maypok86/otter/v2"
)

// Memory keeps snapshots in this process, up to a number of bytes.
type Memory struct {
	entries *otter.Cache[string, kept]
	life    life
}

// kept is an entry with the time it lives.
type kept struct {
	data []byte
	life time.Duration
	made time.Time // when it was right; for Tiered
}

// NewMemory makes a cache of at most s.MemoryLimit bytes.
func NewMemory(s Settings) (*Memory, error) {
	life, err := s.life()
	if err != nil {
		return nil, makeError(BackendMemory, err)
	}
	entries, err := otter.New(&otter.Options[string, kept]{
		MaximumWeight:    s.MemoryLimit,
		Weigher:          func(key string, e kept) uint32 { return uint32(len(key) + len(e.data)) },
		ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[string, kept]) time.Duration { return e.Value.life }),
		// No periodic clean-up and no maintenance on the side: expired entries are
		// never answered anyway, and so this cache needs no goroutine.
		Clock:    lazyClock{},
		Executor: func(fn func()) { fn() },
	})
	if err != nil {
		return nil, makeError(BackendMemory, err)
	}
	return &Memory{entries: entries, life: life}, nil
}

// lazyClock tells the time and never ticks.
type lazyClock struct{}

func (lazyClock) NowNano() int64                      { return time.Now().UnixNano() }
func (lazyClock) Tick(time.Duration) <-chan time.Time { return nil }

// Name is "memory".
func (m *Memory) Name() string { return BackendMemory }

// Get returns an entry.
func (m *Memory) Get(_ context.Context, environment string) ([]byte, error) {
	data, found := m.Peek(environment)
	if !found {
		return nil, feature.ErrMiss
	}
	return data, nil
}

// Peek is Get: there is nothing to wait for.
func (m *Memory) Peek(environment string) ([]byte, bool) {
	e, found := m.entries.GetIfPresent(environment)
	return e.data, found
}

// Set keeps snapshot itself, so that Get returns the very same bytes. What is larger
// than the whole cache is dropped.
func (m *Memory) Set(_ context.Context, environment string, snapshot []byte) error {
	m.keep(environment, kept{data: snapshot, life: m.life.draw()})
	return nil
}

// keep keeps e itself, and not a copy.
func (m *Memory) keep(environment string, e kept) { m.entries.Set(environment, e) }

// Delete removes an entry.
func (m *Memory) Delete(_ context.Context, environment string) error {
	m.entries.Invalidate(environment)
	return nil
}

// Ping finds nothing wrong.
func (m *Memory) Ping(context.Context) error { return nil }

// Close has nothing to end.
func (m *Memory) Close() error { return nil }
