package server

import (
	"context"
	"sync/atomic"

	"brownout/server/cache"
	"brownout/server/feature"
	"brownout/server/metrics"
)

// A tally counts reads by where their answers came from.
type tally struct {
	hit, absent, miss, old, bypass atomic.Uint64
	stale                          atomic.Uint64 // of these: answered by a kept snapshot, because the database failed
}

func (t *tally) count(from source) {
	switch {
	case from.hit && from.backend == backendAbsent:
		t.absent.Add(1)
	case from.hit:
		t.hit.Add(1)
	case from.reason == forwardMiss:
		t.miss.Add(1)
	case from.reason == forwardStale:
		t.old.Add(1)
	default:
		t.bypass.Add(1)
	}
	if from.stale > 0 {
		t.stale.Add(1)
	}
}

// outcomes counts what became of one kind of operation.
type outcomes struct{ done, failed atomic.Uint64 }

func (o *outcomes) count(err error) {
	if err != nil {
		o.failed.Add(1)
		return
	}
	o.done.Add(1)
}

// A countedStore is a Store that counts what it is asked.
type countedStore struct {
	feature.Store
	snapshot, revisions, put, delete, ready outcomes
}

// Snapshot counts as a query.
func (c *countedStore) Snapshot(ctx context.Context, environment string) (feature.Snapshot, error) {
	s, err := c.Store.Snapshot(ctx, environment)
	c.snapshot.count(err)
	return s, err
}

// Revisions counts as a query.
func (c *countedStore) Revisions(ctx context.Context, environments []string) (map[string]uint64, error) {
	r, err := c.Store.Revisions(ctx, environments)
	c.revisions.count(err)
	return r, err
}

// Put counts as a query.
func (c *countedStore) Put(ctx context.Context, environment, key string, d feature.Draft) (feature.Receipt, error) {
	r, err := c.Store.Put(ctx, environment, key, d)
	c.put.count(err)
	return r, err
}

// Delete counts as a query.
func (c *countedStore) Delete(ctx context.Context, environment, key string) (uint64, error) {
	revision, err := c.Store.Delete(ctx, environment, key)
	c.delete.count(err)
	return revision, err
}

// Ready counts as a query.
func (c *countedStore) Ready(ctx context.Context) error {
	err := c.Store.Ready(ctx)
	c.ready.count(err)
	return err
}

// measure shows in m what the server counts.
func (s *Server) measure(m *metrics.Metrics, store *countedStore) {
	backend := s.flags.cache.Name()
	const reads = "Reads of an environment, by what the cache said: hit, miss, stale (older than what this server has seen), bypass (not asked, or no answer), absent (known not to exist)."
	for outcome, n := range map[string]*atomic.Uint64{
		"hit": &s.tally.hit, "miss": &s.tally.miss, "stale": &s.tally.old, "bypass": &s.tally.bypass, "absent": &s.tally.absent,
	} {
		m.Counter("reads_total", reads, metrics.Labels{"backend": backend, "outcome": outcome}, n.Load)
	}
	m.Counter("stale_answers_total", "Reads that were answered by the last good snapshot, because the database failed.", nil, s.tally.stale.Load)
	m.Gauge("cache_invalidations_pending", "Environments whose cache entry has still to be deleted, or looked after.", nil, func() float64 { return float64(s.flags.stale.pending()) })
	const queries = "Operations of the database that were sent, by kind and outcome."
	for operation, o := range map[string]*outcomes{"snapshot": &store.snapshot, "revisions": &store.revisions, "put": &store.put, "delete": &store.delete, "ready": &store.ready} {
		m.Counter("database_queries_total", queries, metrics.Labels{"operation": operation, "outcome": "done"}, o.done.Load)
		m.Counter("database_queries_total", queries, metrics.Labels{"operation": operation, "outcome": "failed"}, o.failed.Load)
	}
	if c, metered := s.flags.cache.(cache.Metered); metered {
		measureCache(m, backend, c)
	}
}

// measureCache shows what a cache in another process costs.
func measureCache(m *metrics.Metrics, backend string, c cache.Metered) {
	t := c.Traffic()
	label := func(name, value string) metrics.Labels {
		return metrics.Labels{"backend": backend, name: value}
	}
	for _, name := range cache.Commands() {
		m.Counter("cache_commands_total", "Commands to the cache.", label("command", name), func() uint64 { return t.Command(name) })
	}
	m.Counter("cache_command_failures_total", "Commands to the cache without an answer, or with an error for one.", metrics.Labels{"backend": backend}, t.Failures.Load)
	const bytes = "Bytes to and from the cache."
	m.Counter("cache_bytes_total", bytes, label("direction", "sent"), t.Sent.Load)
	m.Counter("cache_bytes_total", bytes, label("direction", "received"), t.Received.Load)
	m.Counter("cache_dials_total", "Connections to the cache that were tried.", metrics.Labels{"backend": backend}, t.Dials.Load)
	m.Counter("cache_dial_failures_total", "Connections to the cache that were tried in vain.", metrics.Labels{"backend": backend}, t.FailedDials.Load)
	m.Gauge("cache_breaker_open", "1 while the cache is asked by probes only, because it does not answer.", metrics.Labels{"backend": backend}, func() float64 {
		if c.Broken() {
			return 1
		}
		return 0
	})
}
