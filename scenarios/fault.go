package scenarios

import (
	"errors"
	"reflect"
	"slices"
	"strings"

	"brownout/chaos"
)

// A faultFile is a fault as it is written: where, which kind, and a key for each
// of chaos.Parameters, which read their values themselves.
type faultFile struct {
	On      scalar `yaml:"on"`
	Kind    scalar `yaml:"kind"`
	Latency scalar `yaml:"latency"`
	Jitter  scalar `yaml:"jitter"`
	Revert  scalar `yaml:"revert"`
	Up      scalar `yaml:"up"`
	Down    scalar `yaml:"down"`
	Rate    scalar `yaml:"rate"`
	Size    scalar `yaml:"size"`
	Gap     scalar `yaml:"gap"`
	Bytes   scalar `yaml:"bytes"`
	Live    scalar `yaml:"live"`

	Direction scalar `yaml:"direction"`
	Share     scalar `yaml:"share"`
	Whom      scalar `yaml:"whom"`
	Empty     scalar `yaml:"empty"`
}

// scalar is the value of a key.
func (raw *faultFile) scalar(key string) scalar {
	v := reflect.ValueOf(raw).Elem()
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("yaml") == key {
			return v.Field(i).Interface().(scalar)
		}
	}
	return scalar{}
}

func (raw *faultFile) build(p *problems, s *Scenario, at Place) chaos.Fault {
	if raw.Kind.given() {
		at = raw.Kind.at
	}
	f := chaos.Fault{
		On:   p.required(raw.On, "on (the link that the fault is put on)", at),
		Kind: chaos.Kind(raw.Kind.text),
	}
	if f.On != "" && !slices.Contains(s.Links(), f.On) {
		p.add(raw.On.at, "the stack has no link %q; it has %s", f.On, strings.Join(s.Links(), ", "))
	} else if need, has := f.Protocol(), s.protocol(f.On); need != "" && f.On != "" && need != has {
		p.add(at, "%s needs a link that speaks %s; %s speaks %s", f.Kind, need, f.On, has)
	}
	raw.set(p, &f, at)
	if !slices.ContainsFunc(s.users(), f.Hits) {
		p.add(raw.Whom.at, "nobody of %s uses the link %s: it would hit nothing", f.Whom, f.On)
	}
	return f
}

// set reads the parameters into f and checks them.
func (raw *faultFile) set(p *problems, f *chaos.Fault, at Place) {
	read := true
	for _, one := range chaos.Parameters() {
		if s := raw.scalar(one.Name); s.given() {
			read = raw.check(p, f.Set(one.Name, s.text), at) && read
		}
	}
	if read {
		raw.check(p, f.Validate(), at)
	}
}

// check adds what is wrong with a parameter at its place, or else at the fault's.
func (raw *faultFile) check(p *problems, err error, at Place) bool {
	var wrong *chaos.ParameterError
	if !errors.As(err, &wrong) {
		return true
	}
	if s := raw.scalar(wrong.Parameter); s.given() {
		at = s.at
	}
	p.add(at, "%s", wrong.Problem)
	return false
}
