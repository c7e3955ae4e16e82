package run

import (
	"slices"

	"brownout/chaos"
	"brownout/results"
)

// injector is who puts f in force: the link, or the server behind it.
func (l *lab) injector(f chaos.Fault) chaos.Injector {
	if f.OnProcess() {
		return l.servers[f.On]
	}
	return l.gates[f.On]
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

func killsCache(f chaos.Fault) bool { return f.Kind == chaos.Kill && f.On == results.LinkCache }
