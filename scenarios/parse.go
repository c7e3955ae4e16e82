package scenarios

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sort"
	"strings"
	"time"

	"brownout/chaos"
	"brownout/results"
	"brownout/results/judge"
)

// Defaults of a scenario file.
const (
	defaultTarget  = "brownout"
	defaultTimeout = 10 * time.Second
	defaultReads   = 0.98
	maxFlags       = 100_000
	maxBytes       = 1 << 30 // of a fault: a gibibyte a second is more than a link carries
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
		Stack: Stack{
			Cache:    p.word(raw.Stack.Cache, "redis", "redis", "valkey", "none"),
			Database: p.word(raw.Stack.Database, "postgres", "postgres", "none"),
		},
		Target: defaultTarget,
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
		phase.Require = expectations(p, r.Require, judge.Phase)
		phase.Expect = expectations(p, r.Expect, judge.Phase)
		phases = append(phases, phase)
	}
	return phases
}

func (raw *faultFile) build(p *problems, s *Scenario, at Place) chaos.Fault {
	if raw.Kind.given() {
		at = raw.Kind.at
	}
	f := chaos.Fault{
		On:      p.required(raw.On, "on (the link that the fault is put on)", at),
		Kind:    chaos.Kind(raw.Kind.text),
		Latency: p.duration(raw.Latency, 0),
		Jitter:  p.duration(raw.Jitter, 0),
		Revert:  chaos.OnRevert(raw.Revert.text),
		Up:      p.duration(raw.Up, 0),
		Down:    p.duration(raw.Down, 0),
		Rate:    p.count(raw.Rate, 0, maxBytes),
		Size:    p.count(raw.Size, 0, maxBytes),
		Gap:     p.duration(raw.Gap, 0),
		Live:    chaos.OnLive(raw.Live.text),
	}
	if f.On != "" && !slices.Contains(s.Links(), f.On) {
		p.add(raw.On.at, "the stack has no link %q; it has %s", f.On, strings.Join(s.Links(), ", "))
	} else if need, has := f.Protocol(), s.protocol(f.On); need != "" && f.On != "" && need != has {
		p.add(at, "%s needs a link that speaks %s; %s speaks %s", f.Kind, need, f.On, has)
	}
	var wrong *chaos.ParameterError
	if err := f.Validate(); errors.As(err, &wrong) {
		places := map[string]Place{
			"latency": raw.Latency.at, "jitter": raw.Jitter.at, "revert": raw.Revert.at, "up": raw.Up.at, "down": raw.Down.at,
			"rate": raw.Rate.at, "size": raw.Size.at, "gap": raw.Gap.at, "live": raw.Live.at,
		}
		if place := places[wrong.Parameter]; place != (Place{}) {
			at = place
		}
		p.add(at, "%s", wrong.Problem)
	}
	return f
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
