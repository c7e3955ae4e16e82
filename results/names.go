package results

import (
	"fmt"
	"strings"
)

// Names that events, samples and expectations share.
const (
	// ProcessTarget is the target's process in events and samples. Those of further
	// instances are target-2, target-3, …
	ProcessTarget = "target"
	// ProcessMachine stands for the machine in samples, ProcessHarness for the process
	// that drives the run.
	ProcessMachine = "machine"
	ProcessHarness = "brownout"
	// LinkCache and LinkDatabase are the links of a plain stack.
	LinkCache    = "cache"
	LinkDatabase = "database"
	// LinkPrimary and LinkReader are the endpoints of a replicated cache.
	LinkPrimary = "primary"
	LinkReader  = "reader"
)

// IsTarget reports whether a process is an instance of the target.
func IsTarget(process string) bool {
	return process == ProcessTarget || strings.HasPrefix(process, ProcessTarget+"-")
}

// The most nodes that a topology has.
const (
	mostServers   = 6
	mostSentinels = 3
)

// LinkNames lists what links can be called: those of a plain stack, the endpoints,
// and the nodes of a topology (cache-1, sentinel-1, …).
func LinkNames() []string {
	all := []string{LinkCache, LinkDatabase, LinkPrimary, LinkReader}
	for i := range mostServers {
		all = append(all, fmt.Sprintf("%s-%d", LinkCache, i+1))
	}
	for i := range mostSentinels {
		all = append(all, fmt.Sprintf("sentinel-%d", i+1))
	}
	return all
}

// The files of a run folder.
const (
	fileManifest = "manifest.json"
	fileHits     = "hits.jsonl"
	fileEvents   = "events.jsonl"
	fileSamples  = "samples.jsonl"
	// fileExchanges is missing in runs of a brownout that did not follow what
	// passed its links.
	fileExchanges = "exchanges.jsonl"
)
