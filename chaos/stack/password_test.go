//go:build linux

package stack

import (
	"errors"
	"os"
	"strings"
	"testing"

	"brownout/chaos/stack/admin"
)

const nextPassword = "another-pass#word"

// accepts is nil when the node lets a client with password in.
func accepts(t *testing.T, n *Node, password string) error {
	t.Helper()
	client := through(n)
	client.Password = password
	_, err := client.Do(t.Context(), "PING")
	return err
}

func TestAPasswordIsRotatedWhileAllGoesOn(t *testing.T) {
	kinds := topologies()
	kinds[Redis] = Config{Cache: Redis}
	for name, c := range kinds {
		for _, acl := range []bool{false, true} {
			c := c
			c.ACL = acl
			if testing.Short() && c.ACL != (name == Replicated) {
				continue
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				c.Password = testPassword
				s := startTopology(t, c)
				rotateAll(t, s)
				// Nodes that come back know the new password, and find their primary.
				servers := s.Servers()
				if err := servers[len(servers)-1].Restart(patient(t), true); err != nil {
					t.Fatal(err)
				}
				if err := s.Await(patient(t)); err != nil {
					t.Error(err)
				}
				refusesOld(t, s, "after a restart")
				if name == Sentinel {
					failOver(t, s, servers[0], nil)
					eventually(t, "the Sentinels have failed over", func() bool {
						now, err := s.PrimaryBySentinel(t.Context(), s.Sentinels()[0])
						return err == nil && now != servers[0]
					})
				}
			})
		}
	}
}

// rotateAll rotates the password, and sets it.
func rotateAll(t *testing.T, s *Stack) {
	t.Helper()
	if err := s.Rotate(t.Context(), nextPassword); err != nil {
		t.Fatal(err)
	}
	for _, n := range s.Servers() {
		for _, password := range []string{testPassword, nextPassword} {
			if err := accepts(t, n, password); err != nil {
				t.Errorf("%s after ROTATE with %s: %v", n.Name, password, err)
			}
		}
	}
	if err := s.SetPassword(t.Context(), nextPassword); err != nil {
		t.Fatal(err)
	}
	refusesOld(t, s, "after SET")
}

func refusesOld(t *testing.T, s *Stack, when string) {
	t.Helper()
	for _, n := range s.Servers() {
		var answer *admin.Error
		if err := accepts(t, n, testPassword); !errors.As(err, &answer) || !strings.HasPrefix(answer.Text, "WRONGPASS") {
			t.Errorf("%s %s with the old password = %v, want WRONGPASS", n.Name, when, err)
		}
		if err := accepts(t, n, nextPassword); err != nil {
			t.Errorf("%s %s with the new password: %v", n.Name, when, err)
		}
	}
}

func TestARotationKeepsTwoPasswordsAtMost(t *testing.T) {
	s := startTopology(t, Config{Cache: Redis, Password: testPassword})
	for _, password := range []string{"second", "third"} {
		if err := s.Rotate(t.Context(), password); err != nil {
			t.Fatal(err)
		}
	}
	for password, want := range map[string]bool{testPassword: false, "second": true, "third": true} {
		if err := accepts(t, s.Cache, password); (err == nil) != want {
			t.Errorf("PING with %s = %v, want accepted: %v", password, err, want)
		}
	}
}

func TestThePasswordFileHasThePasswordOfNow(t *testing.T) {
	s := startTopology(t, Config{Cache: Redis, Password: testPassword})
	for _, want := range []string{testPassword, nextPassword} {
		if err := s.HandOver(want); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(s.PasswordFile)
		if err != nil || string(got) != want+"\n" {
			t.Errorf("the password file holds %q, %v, want %q", got, err, want)
		}
		if info, err := os.Stat(s.PasswordFile); err != nil || info.Mode() != 0o600 {
			t.Errorf("the password file has mode %v, %v, want 0600", info.Mode(), err)
		}
	}
	closeStack(t, s)
	if _, err := os.Stat(s.PasswordFile); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after Close: Stat = %v, want that the file is gone", err)
	}
}

func TestACacheWithoutAPasswordHasNoneToRotate(t *testing.T) {
	s := startTopology(t, Config{Cache: Redis})
	if s.PasswordFile != "" {
		t.Errorf("PasswordFile = %s, want none", s.PasswordFile)
	}
	for name, err := range map[string]error{
		"Rotate": s.Rotate(t.Context(), "x"), "SetPassword": s.SetPassword(t.Context(), "x"), "HandOver": s.HandOver("x"),
	} {
		if !errors.Is(err, errNoPassword) {
			t.Errorf("%s = %v, want %v", name, err, errNoPassword)
		}
	}
}
