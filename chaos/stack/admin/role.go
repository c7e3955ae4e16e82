package admin

import (
	"context"
	"fmt"
	"net"
)

// The names of roles, in the words of ROLE.
const (
	Master   = "master"
	Slave    = "slave"
	Sentinel = "sentinel"
)

// A Role is what a server says that it is (ROLE).
type Role struct {
	Name     string   // Master, Slave or Sentinel
	Offset   int64    // how far its stream of replication has come; -1: a replica that never was connected
	Replicas []string // of a master: host:port of those that follow it, as they announce themselves
	Primary  string   // of a replica: host:port of whom it follows
	State    string   // of a replica: connect, connecting, sync, connected
}

// Role asks for the role.
func (s Server) Role(ctx context.Context) (Role, error) {
	r, err := s.Do(ctx, "ROLE")
	if err != nil {
		return Role{}, err
	}
	role := Role{Name: r.at(0).Text}
	switch role.Name {
	case Master:
		role.Offset = r.at(1).int()
		for _, replica := range r.at(2).List {
			role.Replicas = append(role.Replicas, addr(replica.at(0), replica.at(1)))
		}
	case Slave:
		role.Primary = addr(r.at(1), r.at(2))
		role.State, role.Offset = r.at(3).Text, r.at(4).int()
	case Sentinel:
	default:
		return Role{}, fmt.Errorf("ROLE answered the unknown role %q", role.Name)
	}
	return role, nil
}

func addr(host, port Reply) string { return net.JoinHostPort(host.Text, port.Text) }
