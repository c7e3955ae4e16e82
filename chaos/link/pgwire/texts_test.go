package pgwire

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5/pgproto3"
)

// A rawClient speaks the protocol by hand.
type rawClient struct {
	net.Conn
	t *testing.T
}

func dialRaw(t *testing.T, addr string) *rawClient {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(hang)); err != nil {
		t.Fatal(err)
	}
	return &rawClient{c, t}
}

func (c *rawClient) say(messages ...message) {
	c.t.Helper()
	if _, err := c.Write(encode(messages...)); err != nil {
		c.t.Fatal(err)
	}
}

// start says who we are, as user, to the database brownout.
func (c *rawClient) start(user string) {
	c.t.Helper()
	c.say(&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30,
		Parameters: map[string]string{"user": user, "database": "brownout"}})
}

// until reads until the server has sent the message m.
func (c *rawClient) until(m message) {
	c.t.Helper()
	want, read := string(encode(m)), ""
	for b := make([]byte, 1); !strings.HasSuffix(read, want); read += string(b) {
		if _, err := c.Read(b); err != nil {
			c.t.Fatalf("reading up to %q: %v", want, err)
		}
	}
}

// rest is what comes until the server closes the connection with FIN.
func (c *rawClient) rest() []byte {
	c.t.Helper()
	b, err := io.ReadAll(c)
	if err != nil {
		c.t.Fatalf("reading to the end: %v", err)
	}
	return b
}

// startSession opens a connection and waits until it is ready.
func startSession(t *testing.T, addr string) *rawClient {
	t.Helper()
	c := dialRaw(t, addr)
	c.start("brownout")
	c.until(ready)
	return c
}

// TestTextsAreTheServersOwn brings a server into the states that the answers
// pretend, and compares. Where the server says that an error comes from in its
// source is compared with PostgreSQL 15 only, without the line.
func TestTextsAreTheServersOwn(t *testing.T) {
	n, err := startNode("max_connections=4")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.close(); err != nil {
			t.Error(err)
		}
	}()
	var options cmp.Options
	if !strings.HasPrefix(n.stack.Database.Version, "15.") {
		options = append(options, cmpopts.IgnoreFields(pgproto3.ErrorResponse{}, "File", "Routine"))
	}
	options = append(options, cmpopts.IgnoreFields(pgproto3.ErrorResponse{}, "Line"))
	compare := func(state string, theirs []byte, ours fatal) {
		t.Helper()
		if diff := cmp.Diff(decodeError(t, theirs), decodeError(t, fatalBytes(ours)), options); diff != "" {
			t.Errorf("%s (-the server's +ours):\n%s", state, diff)
		}
	}

	n.lockOut(t, "stranger")
	terminated, idle := startSession(t, n.addr), startSession(t, n.addr)
	idle.say(ask("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'"))
	compare("pg_terminate_backend", terminated.rest(), terminating())
	idle.until(ready)

	waits := dialRaw(t, n.addr) // in the middle of its authentication
	waits.start("stranger")
	waits.until(&pgproto3.AuthenticationSASL{AuthMechanisms: []string{"SCRAM-SHA-256"}})
	compare("a connection too many", n.refusal(t), tooMany())

	silent := dialRaw(t, n.addr)    // has sent nothing
	startSession(t, n.addr).leave() // by now it has been accepted: before the shutdown
	n.signal(t, syscall.SIGTERM)    // a smart shutdown waits for clients, and takes no new ones
	compare("a new connection during a shutdown", n.refusal(t), shuttingDown())
	n.signal(t, syscall.SIGINT)
	compare("a fast shutdown", idle.rest(), terminating())
	if got := waits.rest(); len(got) > 0 {
		t.Errorf("to a client that it is authenticating the server says %q, and we say nothing", got)
	}
	if got, err := io.ReadAll(silent); len(got) > 0 || err != nil {
		t.Errorf("to a client that has said nothing the server says %q (%v), and we say nothing", got, err)
	}
}

// refusal opens connections until one is turned away, and returns what that is told.
// The others are closed.
func (n *node) refusal(t *testing.T) []byte {
	t.Helper()
	for {
		c := dialRaw(t, n.addr)
		c.start("brownout")
		first := make([]byte, 1)
		if _, err := io.ReadFull(c, first); err != nil {
			t.Fatal(err)
		}
		if first[0] == 'E' {
			return append(first, c.rest()...)
		}
		c.until(ready)
		defer c.leave()
	}
}

// leave ends a session and waits until the server has forgotten it.
func (c *rawClient) leave() {
	c.t.Helper()
	c.say(&pgproto3.Terminate{})
	c.rest()
}

func (n *node) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(n.process.PID(), sig); err != nil {
		t.Fatal(err)
	}
}

// lockOut makes the server ask a new user for a password, and nobody else.
func (n *node) lockOut(t *testing.T, user string) {
	t.Helper()
	rules := fmt.Sprintf("host all %s all scram-sha-256\nhost all all all trust\n", user)
	if err := os.WriteFile(filepath.Join(n.data, "pg_hba.conf"), []byte(rules), 0); err != nil { // it exists
		t.Fatal(err)
	}
	n.exec(t, "select pg_reload_conf()", "create role "+user+" login superuser password 'secret'")
}

func decodeError(t *testing.T, b []byte) pgproto3.ErrorResponse {
	t.Helper()
	var e pgproto3.ErrorResponse
	if len(b) < 5 || b[0] != 'E' {
		t.Fatalf("%q is no ErrorResponse", b)
	}
	if err := e.Decode(b[5:]); err != nil {
		t.Fatal(errors.Join(err, fmt.Errorf("decoding %q", b)))
	}
	return e
}
