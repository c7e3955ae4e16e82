package cache

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"brownout/server/feature"

	"github.com/maypok86/otter/v2"
)

// Memory keeps snapshots in this process, up to a number of bytes.
type Memory struct {
	entries *otter.Cache[string, []byte]
}

// NewMemory makes a cache of at most limit bytes in which an entry lives for ttl.
func NewMemory(ttl time.Duration, limit uint64) (*Memory, error) {
	entries, err := otter.New(&otter.Options[string, []byte]{
		MaximumWeight:    limit,
		Weigher:          func(key string, value []byte) uint32 { return uint32(len(key) + len(value)) },
		ExpiryCalculator: otter.ExpiryWriting[string, []byte](ttl),
		// No periodic clean-up and no maintenance on the side: expired entries are
		// never answered anyway, and so this cache needs no goroutine.
		Clock:    lazyClock{},
		Executor: func(fn func()) { fn() },
	})
	if err != nil {
		return nil, fmt.Errorf("making the memory cache: %w", err)
	}
	return &Memory{entries: entries}, nil
}

// lazyClock tells the time and never ticks.
type lazyClock struct{}

func (lazyClock) NowNano() int64                      { return time.Now().UnixNano() }
func (lazyClock) Tick(time.Duration) <-chan time.Time { return nil }

// Name is "memory".
func (m *Memory) Name() string { return "memory" }

// Get returns an entry, which must not be changed.
func (m *Memory) Get(_ context.Context, environment string) ([]byte, error) {
	data, found := m.entries.GetIfPresent(environment)
	if !found {
		return nil, feature.ErrMiss
	}
	return data, nil
}

// Set keeps a copy of snapshot. What is larger than the whole cache is dropped.
func (m *Memory) Set(_ context.Context, environment string, snapshot []byte) error {
	m.entries.Set(environment, bytes.Clone(snapshot))
	return nil
}

// Delete removes an entry.
func (m *Memory) Delete(_ context.Context, environment string) error {
	m.entries.Invalidate(environment)
	return nil
}

// Ping finds nothing wrong.
func (m *Memory) Ping(context.Context) error { return nil }

// Close has nothing to end.
func (m *Memory) Close() error { return nil }
