package scenarios

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"sort"
	"time"

	"brownout/results"
	"brownout/results/judge"
)

// Defaults of a scenario file.
const (
	defaultTarget  = "brownout"
	defaultTimeout = 10 * time.Second
	defaultReads   = 0.98
	maxFlags       = 100_000
	mostInstances  = 9
)

// What a generator does after a stall.
const (
	catchUp = "catch-up"
	skip    = "skip"
)

// ReadFile reads the scenario in file, after the overrides were put in place.
func ReadFile(file string, overrides ...Override) (*Scenario, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading scenario: %w", err)
	}
	return Parse(file, data, overrides...)
}

// Parse reads a scenario. Its errors are *Problem values, joined: each has its
// place (file:line:column) and says what would be right.
func Parse(file string, data []byte, overrides ...Override) (*Scenario, error) {
	var raw scenarioFile
	if err := decode(file, data, &raw); err != nil {
		return nil, err
	}
	for _, o := range overrides {
		if err := o.apply(&raw); err != nil {
			return nil, err
		}
	}
	p := &problems{file: file}
	s := raw.build(p)
	s.File, s.Source = file, data
	if err := p.err(); err != nil {
		return nil, err
	}
	return s, nil
}

func (raw *scenarioFile) build(p *problems) *Scenario {
	s := &Scenario{
		Name:   p.name(raw.Name, Place{}),
		Proves: p.required(raw.Proves, "proves (the claim, in one sentence)", raw.Name.at),
		Stack:  raw.Stack.build(p),
		Target: defaultTarget, Instances: p.count(raw.Instances, 1, mostInstances), Cold: p.yes(raw.Cold),
		Server: texts(raw.Server),
		Data: Data{
			Environments: p.count(raw.Data.Environments, 3, 1000),
			Flags:        p.count(raw.Data.Flags, 50, maxFlags),
		},
		Load: raw.Load.build(p),
	}
	if raw.Target.given() {
		s.Target = raw.Target.text
	}
	for _, tag := range raw.Tags {
		s.Tags = append(s.Tags, tag.text)
	}
	s.Phases = raw.buildPhases(p, s)
	raw.checkFailovers(p, s)
	if s.Cold && (len(s.Phases) == 0 || len(s.Phases[0].Faults) == 0) {
		p.add(raw.Cold.at, "cold: the first phase has no fault that could be in force before the target starts; leave cold out, or give it one")
	}
	s.Always = expectations(p, raw.Always, judge.Run)
	return s
}

func texts(from map[string]scalar) map[string]string {
	to := make(map[string]string, len(from))
	for key, s := range from {
		to[key] = s.text
	}
	return to
}

func (raw *loadFile) build(p *problems) Load {
	load := Load{
		Rate:    p.rate(raw.Rate, Rate{300, 300}),
		Keys:    p.word(raw.Keys, "zipf", "zipf", "uniform"),
		Reads:   p.share(raw.Reads, defaultReads),
		Timeout: p.duration(raw.Timeout, defaultTimeout),
		Skips:   p.word(raw.Stall, catchUp, catchUp, skip) == skip,
	}
	if !raw.Writes.given() {
		return load
	}
	writes := p.share(raw.Writes, 1-load.Reads)
	if !raw.Reads.given() {
		load.Reads = 1 - writes
	} else if sum := load.Reads + writes; sum < 0.9999 || sum > 1.0001 {
		p.add(raw.Writes.at, "reads and writes add up to %.4g%%, not to 100%%", sum*100)
	}
	return load
}

func (raw *scenarioFile) buildPhases(p *problems, s *Scenario) []Phase {
	if len(raw.Phases) == 0 {
		p.add(raw.Name.at, "phases is missing: a scenario has at least one phase")
	}
	seen := map[string]bool{}
	var phases []Phase
	for _, r := range raw.Phases {
		at := r.Name.at
		if !r.Name.given() {
			at = r.For.at
		}
		phase := Phase{Name: p.name(r.Name, at), Rate: p.rate(r.Rate, s.Load.Rate)}
		if seen[phase.Name] {
			p.add(r.Name.at, "a phase %q stands above already; give each its own name", phase.Name)
		}
		seen[phase.Name] = true
		p.required(r.For, "for (how long the phase lasts)", at)
		phase.For = p.duration(r.For, time.Second)
		for _, f := range r.Faults {
			phase.Faults = append(phase.Faults, f.build(p, s, at))
		}
		r.checkServers(p, phase.Faults)
		phase.Failover = r.buildFailover(p, s, phase.For)
		phase.Require = expectations(p, r.Require, judge.Phase)
		phase.Expect = expectations(p, r.Expect, judge.Phase)
		phases = append(phases, phase)
	}
	return phases
}

// expectations parses figure: bound pairs, in the order of the file.
func expectations(p *problems, raw map[string]scalar, scope judge.Scope) []results.Expectation {
	keys := slices.Collect(maps.Keys(raw))
	sort.Slice(keys, func(i, j int) bool { return raw[keys[i]].at.before(raw[keys[j]].at) })
	var list []results.Expectation
	for _, key := range keys {
		e, err := judge.Parse(key, raw[key].text, scope)
		if err != nil {
			p.add(raw[key].at, "%v", err)
			continue
		}
		at := raw[key].at
		if at.File == "" {
			at.File = p.file
		}
		e.At = at.String()
		list = append(list, e)
	}
	return list
}

func (p Place) before(q Place) bool {
	return p.Line < q.Line || p.Line == q.Line && p.Column < q.Column
}
