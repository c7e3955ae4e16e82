package scenarios

import (
	"fmt"

	"brownout/chaos"
	"brownout/results"
)

// checkServers adds what is wrong with the faults of one phase that are put on
// servers and not on links.
func (raw *phaseFile) checkServers(p *problems, faults []chaos.Fault) {
	seen := map[string]chaos.Kind{}
	for i, f := range faults {
		at := raw.Faults[i].Kind.at
		if f.Empty && f.On == results.LinkDatabase {
			p.add(raw.Faults[i].Empty.at, "a database cannot be started without its data; leave empty out")
		}
		if !f.OnProcess() {
			continue
		}
		if before, two := seen[f.On]; two {
			p.add(at, "%s and %s are both put on the server of %s; give each a phase of its own", before, f.Kind, f.On)
		}
		seen[f.On] = f.Kind
	}
}

// CheckLent returns a *Problem when the scenario puts a fault on a server that was
// lent by its URL: one that is not ours is neither stopped nor emptied. urls has
// the URLs of the links' servers; "" is a server that brownout starts.
func (s *Scenario) CheckLent(urls map[string]string) error {
	for _, phase := range s.Phases {
		for _, f := range phase.Faults {
			if f.OnProcess() && urls[f.On] != "" {
				return &Problem{Place{File: s.File}, fmt.Sprintf(
					"phase %s: %s needs a server that brownout starts itself; leave --%s-url out", phase.Name, f, f.On)}
			}
		}
	}
	return nil
}
