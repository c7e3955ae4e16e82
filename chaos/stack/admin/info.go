package admin

import (
	"context"
	"strings"
)

// Info returns a section of INFO: "server", "replication", …; of a Sentinel too.
func (s Server) Info(ctx context.Context, section string) (map[string]string, error) {
	return s.lines(ctx, "INFO", section)
}

// ClusterInfo returns CLUSTER INFO.
func (s Server) ClusterInfo(ctx context.Context) (map[string]string, error) {
	return s.lines(ctx, "CLUSTER", "INFO")
}

// lines sends a command that is answered by lines of the form name:value.
func (s Server) lines(ctx context.Context, words ...string) (map[string]string, error) {
	r, err := s.Do(ctx, words...)
	if err != nil {
		return nil, err
	}
	fields := map[string]string{}
	for line := range strings.Lines(r.Text) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			fields[name] = value
		}
	}
	return fields, nil
}
