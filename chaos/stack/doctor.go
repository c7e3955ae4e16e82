package stack

import (
	"context"
	"errors"

	"brownout/chaos/stack/docker"
)

// A Diagnosis says what a stack would run a kind of server from.
type Diagnosis struct {
	Kind   string // that was asked for
	Server Server
	Err    error // nil: Server can be used
}

// Doctor finds what Start would run each kind from, by default Redis and Postgres; see
// Config.Provider.
func Doctor(ctx context.Context, kinds ...string) []Diagnosis {
	if len(kinds) == 0 {
		kinds = []string{Redis, Postgres}
	}
	var s Stack
	c := Config{}
	cerr := c.complete()
	var all []Diagnosis
	for _, kind := range kinds {
		d := Diagnosis{Kind: kind, Err: cerr}
		if cerr == nil {
			d.Server, d.Err = s.find(ctx, c, kind)
		}
		all = append(all, d)
	}
	if s.engine != nil {
		_ = s.engine.Close() // idle connections
	}
	return all
}

// DockerEngine returns the version of the Docker engine that containers would run on,
// and which images it would have to pull first, of those of all kinds.
func DockerEngine(ctx context.Context) (version string, missing []string, err error) {
	engine, err := docker.Open(ctx)
	if err != nil {
		return "", nil, err
	}
	for _, kind := range []string{Redis, Valkey, Postgres} {
		here, herr := engine.Has(ctx, Image(kind))
		err = errors.Join(err, herr)
		if !here {
			missing = append(missing, Image(kind))
		}
	}
	return engine.Version, missing, errors.Join(err, engine.Close())
}
