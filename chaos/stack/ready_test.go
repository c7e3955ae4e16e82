//go:build linux

package stack

import (
	"strings"
	"testing"

	"brownout/chaos/stack/admin"
)

// What is not ready yet is rarely met by a start, so that it is made up here.

func TestACompleteClusterListsAllSlotsAndNodes(t *testing.T) {
	whole := []admin.Slots{{From: 0, To: 8191, Primary: "a", Replicas: []string{"c"}}, {From: 8192, To: 16383, Primary: "b"}}
	for _, row := range []struct {
		name  string
		links string
		slots []admin.Slots
		ok    bool
	}{
		{"all are listed", "a b c", whole, true},
		{"a replica is hidden", "a b c d", whole, false},
		{"a stranger is listed", "a b", whole, false},
		{"slots are missing", "a c", whole[:1], false},
		{"nothing is listed", "a b c", nil, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := lists(row.slots, strings.Fields(row.links)); (err == nil) != row.ok {
				t.Errorf("lists = %v, want ok %v", err, row.ok)
			}
		})
	}
}

func TestReplicasAreConnectedOnBothSides(t *testing.T) {
	primary, replica := &Node{Name: "p", Link: "p:1"}, &Node{Name: "r", Link: "r:1"}
	leads := admin.Role{Name: admin.Master, Replicas: []string{"r:1"}}
	alone := admin.Role{Name: admin.Master}
	follows := admin.Role{Name: admin.Slave, State: "connected", Primary: "p:1"}
	for _, row := range []struct {
		name             string
		primary, replica admin.Role
		primaries        int
		want             string
	}{
		{"both agree", leads, follows, 1, ""},
		{"the primary knows of nobody", alone, follows, 1, "no primary knows replica r"},
		{"the replica loads", leads, admin.Role{Name: admin.Slave, State: "sync", Primary: "p:1"}, 1, `replica r is in state "sync"`},
		{"it follows somebody else", leads, admin.Role{Name: admin.Slave, State: "connected", Primary: "x:1"}, 1, "which is no primary"},
		{"both are primary", leads, alone, 1, "there are 2 primaries, want 1"},
		{"a primary is missing", leads, follows, 2, "there are 1 primaries, want 2"},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := agree(map[*Node]admin.Role{primary: row.primary, replica: row.replica}, row.primaries)
			if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
				t.Errorf("agree = %v, want %q", err, row.want)
			}
		})
	}
}

func TestAReplicaInSyncHasPartOfTheStream(t *testing.T) {
	for _, row := range []struct{ name, status, offset, want string }{
		{"it is in sync", "up", "14", ""},
		{"its link is down", "down", "14", "its link to the primary is"},
		{"it has nothing yet", "up", "0", "its offset is 0"},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := streaming(map[string]string{"master_link_status": row.status, "slave_repl_offset": row.offset})
			if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
				t.Errorf("streaming = %v, want %q", err, row.want)
			}
		})
	}
}

func TestASentinelThatIsReadySeesNoTrouble(t *testing.T) {
	replica := func(flags, status, offset, follows string) admin.Seen {
		return admin.Seen{
			"ip": "r", "port": "1", "flags": flags, "master-link-status": status,
			"slave-repl-offset": offset, "master-host": follows, "master-port": "1",
		}
	}
	good := replica("slave", "ok", "14", "p")
	for _, row := range []struct {
		name string
		seen []admin.Seen
		ok   bool
	}{
		{"both are well", []admin.Seen{good, good}, true},
		{"one is unknown", []admin.Seen{good}, false},
		{"one is not connected", []admin.Seen{good, replica("slave,disconnected", "ok", "14", "p")}, false},
		{"one is not asked yet", []admin.Seen{good, replica("slave", "err", "0", "?")}, false},
		{"one has nothing yet", []admin.Seen{good, replica("slave", "ok", "0", "p")}, false},
		{"one follows another", []admin.Seen{good, replica("slave", "ok", "14", "x")}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := seesReplicas(row.seen, "p:1"); (err == nil) != row.ok {
				t.Errorf("seesReplicas = %v, want ok %v", err, row.ok)
			}
		})
	}
	other, down := admin.Seen{"flags": "sentinel"}, admin.Seen{"flags": "s_down,sentinel"}
	for _, row := range []struct {
		name string
		seen []admin.Seen
		ok   bool
	}{
		{"both others are well", []admin.Seen{other, other}, true},
		{"one is unknown", []admin.Seen{other}, false},
		{"one is down", []admin.Seen{other, down}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := seesOthers(row.seen); (err == nil) != row.ok {
				t.Errorf("seesOthers = %v, want ok %v", err, row.ok)
			}
		})
	}
}
