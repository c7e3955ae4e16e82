package run

import (
	"context"
	"slices"

	"brownout/chaos"
	"brownout/chaos/process"
	"brownout/results"
)

// injector is who puts f in force: the link or the Toxiproxy that it leads to, or the
// server behind it.
func (b *bench) injector(ctx context.Context, f chaos.Fault) (chaos.Injector, error) {
	if p, ok := b.proxies[f.On]; ok && !f.OnProcess() {
		return p, nil
	}
	if !f.OnProcess() {
		return b.lab.Link(f.On).Gate, nil
	}
	node, err := b.lab.Behind(ctx, f.On)
	if err != nil {
		return nil, err
	}
	return process.New(node), nil
}

// cacheSettings lets a cache that will be killed come back with what it has answered
// for: each write is in its log before the answer, in the page cache, which outlives
// the process. Nothing waits for the disk (with everysec an answer would not wait for
// the log either), and nothing is forked to write the log anew. Others keep no log.
func (r *runner) cacheSettings() map[string]string {
	for _, phase := range r.Scenario.Phases {
		if slices.ContainsFunc(phase.Faults, killsCache) {
			return map[string]string{"appendonly": "yes", "appendfsync": "no", "auto-aof-rewrite-percentage": "0"}
		}
	}
	return nil
}

func killsCache(f chaos.Fault) bool { return f.Kind == chaos.Kill && f.On != results.LinkDatabase }
