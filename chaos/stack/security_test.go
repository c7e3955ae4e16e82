//go:build linux

package stack

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"

	"brownout/chaos/ca"
	"brownout/chaos/stack/admin"

	"github.com/jackc/pgx/v5"
)

const testPassword = "s3cret-pass#word"

func newAuthority(t *testing.T) *ca.Authority {
	t.Helper()
	authority, err := ca.New()
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

func TestAnAppMayDoWhatAClientOfElastiCacheMay(t *testing.T) {
	t.Parallel()
	s := startStack(t, Config{
		Cache: Redis, Password: testPassword, ACL: true, Dir: ownPlace(t),
		Settings: map[string]string{"enable-debug-command": "yes"}, // or nobody may
	})
	if want := "redis://app:" + "s3cret-pass%23word@" + s.Cache.Addr; s.Cache.URL != want {
		t.Errorf("URL = %s, want %s", s.Cache.URL, want)
	}
	byToken := through(s.Cache)
	byToken.User = ""
	for name, client := range map[string]admin.Server{"the user": through(s.Cache), "the token alone": byToken} {
		for _, forbidden := range restricted() {
			if got := answerTo(t, client, forbidden); !strings.HasPrefix(got, "NOPERM") {
				t.Errorf("%s with %s = %q, want NOPERM", forbidden, name, got)
			}
		}
		for _, allowed := range []string{
			"SET key value", "GET key", "INFO", "ROLE", "CLIENT LIST", "EVAL return(1) 0", "SUBSCRIBE channel",
			"MULTI", "SCAN 0", "FLUSHALL", "WAIT 0 1", "CLUSTER INFO", "ACL WHOAMI",
		} {
			_, err := client.Do(t.Context(), strings.Fields(allowed)...)
			var answer *admin.Error
			if errors.As(err, &answer) && strings.HasPrefix(answer.Text, "NOPERM") {
				t.Errorf("%s with %s = %v, want that it is allowed", allowed, name, err)
			}
		}
	}
}

// answerTo sends a command with as many arguments as it wants, which is looked at
// before the rights, and returns the error.
func answerTo(t *testing.T, client admin.Server, command string) string {
	t.Helper()
	if command == "config" {
		command = "config|get" // there is no config without a subcommand
	}
	words := strings.Split(command, "|")
	for range 8 {
		_, err := client.Do(t.Context(), words...)
		var answer *admin.Error
		if !errors.As(err, &answer) {
			t.Fatalf("%v = %v, want an error of the server", words, err)
		}
		if !strings.Contains(answer.Text, "wrong number of arguments") {
			return answer.Text
		}
		words = append(words, "1")
	}
	return ""
}

func TestWhoGivesNoPasswordIsNotLetIn(t *testing.T) {
	t.Parallel()
	for _, acl := range []bool{false, true} {
		s := startStack(t, Config{Cache: Redis, Password: testPassword, ACL: acl, Dir: ownPlace(t)})
		for name, row := range map[string]struct {
			client admin.Server
			want   string
		}{
			"no password":        {admin.Server{Addr: s.Cache.Addr}, "NOAUTH"},
			"a wrong password":   {admin.Server{Addr: s.Cache.Addr, Password: "x"}, "WRONGPASS"},
			"the right password": {through(s.Cache), ""},
		} {
			_, err := row.client.Do(t.Context(), "PING")
			if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
				t.Errorf("PING with %s, acl %v = %v, want %q", name, acl, err, row.want)
			}
		}
	}
}

func TestAStackWithTLSSpeaksNothingElse(t *testing.T) {
	t.Parallel()
	authority := newAuthority(t)
	s := startStack(t, Config{Cache: Redis, Database: Postgres, TLS: authority, Password: testPassword, Dir: ownPlace(t)})
	if !strings.HasPrefix(s.Cache.URL, "rediss://:") {
		t.Errorf("URL of the cache = %s, want rediss:// and a password", s.Cache.URL)
	}
	app(t, s.Cache, "SET", "key", "value")
	if got := queryOne(t, s.Database.URL, "select ssl::int from pg_stat_ssl where pid = pg_backend_pid()"); got != 1 {
		t.Error("the database is not spoken to in TLS")
	}
	if got, err := os.ReadFile(s.CAFile); err != nil || string(got) != string(authority.PEM()) {
		t.Errorf("CAFile holds %q, %v, want the authority", got, err)
	}

	plain := through(s.Cache)
	plain.TLS = nil
	if r, err := plain.Do(t.Context(), "PING"); err == nil {
		t.Errorf("PING without TLS = %+v, want an error", r)
	}
	naked := strings.Replace(s.Database.URL, "verify-full", "disable", 1)
	if conn, err := pgx.Connect(t.Context(), naked); err == nil {
		conn.Close(context.Background())
		t.Error("connecting to the database without TLS = nil, want an error")
	}
	stranger := through(s.Cache)
	stranger.TLS = clientTLS(newAuthority(t))
	if r, err := stranger.Do(t.Context(), "PING"); err == nil {
		t.Errorf("PING with another authority = %+v, want an error", r)
	}
}

// A link that announces another loopback address, as gates with names do.
func TestNodesAreFoundAtLinksOfOtherAddresses(t *testing.T) {
	for name, c := range topologies() {
		if testing.Short() && name != Cluster {
			continue // the only one that listens there
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGates(t, nil)
			c.Link = func(ctx context.Context, n *Node) (string, error) {
				g.listen = "127.0.3." + n.Name[len(n.Name)-1:] + ":0"
				return g.link(ctx, n)
			}
			s := startTopology(t, c)
			for _, n := range s.Nodes {
				if host, _, _ := net.SplitHostPort(n.Link); !strings.HasPrefix(host, "127.0.3.") {
					t.Errorf("the link of %s is %s, want one of 127.0.3.0", n.Name, n.Link)
				}
			}
			replicates(t, s, s.Cache, s.Servers()[len(s.Servers())/2], "value")
		})
	}
}
