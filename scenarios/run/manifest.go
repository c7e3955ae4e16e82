package run

import (
	"bufio"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"brownout/chaos/failover"
	"brownout/results"
)

// manifest says what this run is, as far as it is known before anything has been
// started.
func (r *runner) manifest() results.Manifest {
	s := r.Scenario
	m := results.Manifest{
		Format: results.Format, Scenario: s.Name, Proves: s.Proves, State: results.StateRunning,
		Started: r.base.UTC(), Seed: r.Seed,
		Target: r.Target.Name, Tells: r.Target.Tells(),
		Machine: machine(), Versions: versions(),
		Always: s.Always,
	}
	for _, p := range s.Phases {
		phase := results.Phase{
			Name: p.Name, For: p.For, RateFrom: p.Rate.From, RateTo: p.Rate.To,
			Require: p.Require, Expect: p.Expect,
		}
		for _, f := range p.Faults {
			phase.Faults = append(phase.Faults, f.String())
		}
		if f := p.Failover; f != nil {
			phase.Faults = append(phase.Faults, f.String())
			if f.Scale != 1 {
				m.Scale, m.Unscaled = f.Scale, failover.Unscaled
			}
		}
		m.Phases = append(m.Phases, phase)
	}
	return m
}

func machine() results.Machine {
	m := results.Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU()}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(release))
	}
	m.Memory = totalMemory()
	return m
}

// totalMemory is the machine's memory in bytes, 0 where /proc does not tell.
func totalMemory() int64 {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if words := strings.Fields(lines.Text()); len(words) > 1 && words[0] == "MemTotal:" {
			kib, _ := strconv.ParseInt(words[1], 10, 64)
			return kib << 10
		}
	}
	return 0
}

// versions names what the harness was built from.
func versions() map[string]string {
	v := map[string]string{"go": runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	v["brownout"] = info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v["commit"] = s.Value
		}
	}
	for _, dep := range info.Deps {
		switch dep.Path {
		case "github.com/tsenart/vegeta/v12", "github.com/Shopify/toxiproxy/v2", "github.com/redis/go-redis/v9", "github.com/jackc/pgx/v5":
			v[dep.Path] = dep.Version
		}
	}
	return v
}
