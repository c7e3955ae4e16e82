package results

// Names that events, samples and expectations share.
const (
	// ProcessTarget is the target's process in events and samples.
	ProcessTarget = "target"
	// LinkCache and LinkDatabase are the links of a plain stack.
	LinkCache    = "cache"
	LinkDatabase = "database"
)

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
