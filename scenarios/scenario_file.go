package scenarios

// The structs below are the scenario file as it is written. Every leaf is a
// scalar, so that a problem found later still knows its place.

type scenarioFile struct {
	Name      scalar            `yaml:"name"`
	Proves    scalar            `yaml:"proves"`
	Tags      []scalar          `yaml:"tags"`
	Stack     stackFile         `yaml:"stack"`
	Target    scalar            `yaml:"target"`
	Instances scalar            `yaml:"instances"`
	Cold      scalar            `yaml:"cold"`
	Server    map[string]scalar `yaml:"server"`
	Data      dataFile          `yaml:"data"`
	Load      loadFile          `yaml:"load"`
	Phases    []phaseFile       `yaml:"phases"`
	Always    map[string]scalar `yaml:"always"`
}

type stackFile struct {
	Cache    scalar `yaml:"cache"`
	Engine   scalar `yaml:"engine"`
	Replicas scalar `yaml:"replicas"`
	TLS      scalar `yaml:"tls"`
	Password scalar `yaml:"password"`
	ACL      scalar `yaml:"acl"`
	DNS      scalar `yaml:"dns"`
	Database scalar `yaml:"database"`
}

type dataFile struct {
	Environments scalar `yaml:"environments"`
	Flags        scalar `yaml:"flags"`
}

type loadFile struct {
	Rate    scalar `yaml:"rate"`
	Keys    scalar `yaml:"keys"`
	Reads   scalar `yaml:"reads"`
	Writes  scalar `yaml:"writes"`
	Timeout scalar `yaml:"timeout"`
	Stall   scalar `yaml:"after_stall"`
}

type phaseFile struct {
	Name     scalar            `yaml:"name"`
	For      scalar            `yaml:"for"`
	Rate     scalar            `yaml:"rate"`
	Faults   []faultFile       `yaml:"faults"`
	Failover map[string]scalar `yaml:"failover"`
	Require  map[string]scalar `yaml:"require"`
	Expect   map[string]scalar `yaml:"expect"`
}
