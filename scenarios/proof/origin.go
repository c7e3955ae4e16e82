package proof

import (
	"runtime"
	"runtime/debug"
	"time"

	"brownout/results"
)

// NewOrigin is the origin of a proof that this binary makes from now on.
func NewOrigin(now time.Time) Origin {
	o := Origin{
		Go: runtime.Version(), Started: now.UTC().Truncate(time.Second),
		Machine: results.Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU()},
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return o
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			o.Commit = s.Value
		case "vcs.modified":
			o.Dirty = s.Value == "true"
		}
	}
	return o
}
