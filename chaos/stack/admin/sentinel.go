package admin

import (
	"context"
	"fmt"
	"net"
	"strings"
)

// A Seen is a server as a Sentinel sees it. The names of its fields are those of
// SENTINEL MASTER, REPLICAS and SENTINELS: "flags", "num-slaves", …
type Seen map[string]string

// Addr is where the Sentinel finds the server, host:port.
func (s Seen) Addr() string { return net.JoinHostPort(s["ip"], s["port"]) }

// Is reports whether the Sentinel knows of nothing but the role: not that it is
// down, disconnected or in a failover.
func (s Seen) Is(role string) bool { return s["flags"] == role }

// MasterAddr asks a Sentinel for the address of the primary, host:port.
func (s Server) MasterAddr(ctx context.Context, name string) (string, error) {
	r, err := s.Do(ctx, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", name)
	if err != nil {
		return "", err
	}
	if len(r.List) != 2 {
		return "", fmt.Errorf("the sentinel knows no %q", name)
	}
	return addr(r.at(0), r.at(1)), nil
}

// Monitored asks a Sentinel how it sees the primary.
func (s Server) Monitored(ctx context.Context, name string) (Seen, error) {
	r, err := s.Do(ctx, "SENTINEL", "MASTER", name)
	return r.fields(), err
}

// Replicas asks a Sentinel how it sees the replicas.
func (s Server) Replicas(ctx context.Context, name string) ([]Seen, error) {
	return s.seen(ctx, "REPLICAS", name)
}

// Sentinels asks a Sentinel how it sees the other Sentinels.
func (s Server) Sentinels(ctx context.Context, name string) ([]Seen, error) {
	return s.seen(ctx, "SENTINELS", name)
}

func (s Server) seen(ctx context.Context, whom, name string) ([]Seen, error) {
	r, err := s.Do(ctx, "SENTINEL", whom, name)
	if err != nil {
		return nil, fmt.Errorf("asking for its %s: %w", strings.ToLower(whom), err)
	}
	var all []Seen
	for _, one := range r.List {
		all = append(all, one.fields())
	}
	return all, nil
}
