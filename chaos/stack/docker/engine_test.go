package docker

import "testing"

func TestOnlyAnEngineOfThisMachineServes(t *testing.T) {
	for _, row := range []struct {
		name, host string
		ok         bool
	}{
		{"a socket is of this machine", "unix:///var/run/docker.sock", true},
		{"so is loopback", "tcp://127.0.0.1:2375", true},
		{"of either family", "tcp://[::1]:2375", true},
		{"and by name", "tcp://localhost:2375", true},
		{"another address is not", "tcp://192.0.2.7:2376", false},
		{"nor is another name", "tcp://docker.example:2376", false},
		{"no address at all is none", "tcp://%zz", false},
	} {
		if err := onThisMachine(row.host); (err == nil) != row.ok {
			t.Errorf("%s: onThisMachine(%s) = %v, want ok = %v", row.name, row.host, err, row.ok)
		}
	}
}
