package admin

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// serve answers each request on each connection with the next of replies, and
// writes down the requests. Without a reply it says nothing more.
func serve(t *testing.T, replies ...string) (s Server, requests func() []string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		in := bufio.NewReader(conn)
		for _, reply := range replies {
			request, err := read(in, "", 0)
			if err != nil {
				return
			}
			var words []string
			for _, w := range request.List {
				words = append(words, w.Text)
			}
			got = append(got, strings.Join(words, " "))
			io.WriteString(conn, reply)
		}
		io.Copy(io.Discard, in)
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return Server{Addr: l.Addr().String()}, func() []string { l.Close(); <-done; return got }
}

func TestDoReadsWhatServersAnswer(t *testing.T) {
	for _, row := range []struct {
		name, reply string
		want        Reply
		err         error
	}{
		{"a status", "+OK\r\n", Reply{Text: "OK"}, nil},
		{"a number", ":-12\r\n", Reply{Text: "-12"}, nil},
		{"a bulk string with a line end", "$4\r\na\r\nb\r\n", Reply{Text: "a\r\nb"}, nil},
		{"an empty bulk string", "$0\r\n\r\n", Reply{}, nil},
		{"no bulk string", "$-1\r\n", Reply{Null: true}, nil},
		{"a list in a list", "*2\r\n*1\r\n:1\r\n$1\r\na\r\n", Reply{List: []Reply{{List: []Reply{{Text: "1"}}}, {Text: "a"}}}, nil},
		{"no list", "*-1\r\n", Reply{Null: true}, nil},
		{"an empty list", "*0\r\n", Reply{List: []Reply{}}, nil},
		{"an error", "-ERR no\r\n", Reply{}, &Error{"PING", "ERR no"}},
		{"an error in a list", "*1\r\n-ERR no\r\n", Reply{}, &Error{"PING", "ERR no"}},
		{"another protocol", "HTTP/1.1 400 Bad Request\r\n", Reply{}, &ProtocolError{`"HTTP/1.1 400 Bad Request"`}},
		{"an empty line", "\r\n", Reply{}, &ProtocolError{`""`}},
		{"a length that is none", "$x\r\n", Reply{}, &ProtocolError{`a bulk string of length "x"`}},
		{"a length beyond all bounds", "$99999999999\r\n", Reply{}, &ProtocolError{`a bulk string of length "99999999999"`}},
		{"a list beyond all bounds", "*99999999\r\n", Reply{}, &ProtocolError{`a list of length "99999999" at depth 0`}},
		{"lists without end", strings.Repeat("*1\r\n", 20), Reply{}, &ProtocolError{`a list of length "1" at depth 8`}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, _ := serve(t, row.reply)
			got, err := s.Do(t.Context(), "PING")
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("Do differs (-want +got):\n%s", diff)
			}
			if (err == nil) != (row.err == nil) || err != nil && err.Error() != row.err.Error() {
				t.Errorf("Do = %v, want %v", err, row.err)
			}
		})
	}
}

func TestDoAuthenticatesFirst(t *testing.T) {
	for _, row := range []struct{ name, user, password, want string }{
		{"nobody", "", "", "PING"},
		{"the default user", "", "secret", "AUTH secret; PING"},
		{"a user", "app", "secret", "AUTH app secret; PING"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, requests := serve(t, "+OK\r\n", "+OK\r\n")
			s.User, s.Password = row.user, row.password
			if _, err := s.Do(t.Context(), "PING"); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(requests(), "; "); got != row.want {
				t.Errorf("requests = %s, want %s", got, row.want)
			}
		})
	}
	s, _ := serve(t, "-WRONGPASS no\r\n")
	s.Password = "secret"
	if _, err := s.Do(t.Context(), "PING"); err == nil || err.Error() != `AUTH answered "WRONGPASS no"` {
		t.Errorf("Do with a wrong password = %v, want the answer to AUTH", err)
	}
}

func TestDoEndsWithItsContext(t *testing.T) {
	s, _ := serve(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	go cancel(enough)
	if _, err := s.Do(ctx, "PING"); !errors.Is(err, enough) && !errors.Is(err, context.Canceled) {
		t.Errorf("Do at a silent server = %v, want the end of its context", err)
	}
}

func TestWhatPassesIsTemporary(t *testing.T) {
	for text, want := range map[string]bool{
		"LOADING Redis is loading": true, "BUSY running": true, "MASTERDOWN link": true,
		"NOAUTH Authentication required.": false, "ERR LOADING": false, "LOADINGS": false,
	} {
		if got := (&Error{Text: text}).Temporary(); got != want {
			t.Errorf("Temporary of %q = %v, want %v", text, got, want)
		}
	}
}

// list is the reply with these texts and lists.
func list(parts ...string) string {
	head := "*" + string(rune('0'+len(parts))) + "\r\n"
	for i, p := range parts {
		if !strings.HasPrefix(p, "*") && !strings.HasPrefix(p, ":") {
			parts[i] = "+" + p + "\r\n"
		}
	}
	return head + strings.Join(parts, "")
}

func TestRolesAreRead(t *testing.T) {
	for _, row := range []struct {
		name, reply string
		want        Role
	}{
		{"a primary", list("master", ":42\r\n", list(list("127.0.0.1", "7001", "42"))), Role{Name: Master, Offset: 42, Replicas: []string{"127.0.0.1:7001"}}},
		{"a replica", list("slave", "127.0.0.1", ":7000\r\n", "connected", ":41\r\n"), Role{Name: Slave, Offset: 41, Primary: "127.0.0.1:7000", State: "connected"}},
		{"a sentinel", list("sentinel", list("mymaster")), Role{Name: Sentinel}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, _ := serve(t, row.reply)
			got, err := s.Role(t.Context())
			if diff := cmp.Diff(row.want, got); diff != "" || err != nil {
				t.Errorf("Role = %v, differs (-want +got):\n%s", err, diff)
			}
		})
	}
	s, _ := serve(t, list("wizard"))
	if got, err := s.Role(t.Context()); err == nil {
		t.Errorf("Role of a wizard = %+v, want an error", got)
	}
}

func TestSlotsAreRead(t *testing.T) {
	s, _ := serve(t, list(
		list(":0\r\n", ":99\r\n", list("127.0.0.1", ":7000\r\n", "id"), list("127.0.0.1", ":7003\r\n", "id")),
		list(":100\r\n", ":16383\r\n", list("127.0.0.1", ":7001\r\n", "id"))))
	got, err := s.Slots(t.Context())
	want := []Slots{
		{From: 0, To: 99, Primary: "127.0.0.1:7000", Replicas: []string{"127.0.0.1:7003"}},
		{From: 100, To: 16383, Primary: "127.0.0.1:7001"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Slots = %v, differs (-want +got):\n%s", err, diff)
	}
}

func TestInfoIsRead(t *testing.T) {
	s, requests := serve(t, "$40\r\n# Server\r\nredis_version:7.0.15\r\nport:1\r\n\r\n")
	got, err := s.Info(t.Context(), "server")
	want := map[string]string{"redis_version": "7.0.15", "port": "1"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Info = %v, differs (-want +got):\n%s", err, diff)
	}
	if got := requests(); len(got) != 1 || got[0] != "INFO server" {
		t.Errorf("requests = %q, want INFO server", got)
	}
}

func TestWhatASentinelSeesIsRead(t *testing.T) {
	s, _ := serve(t, list(list("ip", "127.0.0.1", "port", "7001", "flags", "s_down,slave")))
	seen, err := s.Replicas(t.Context(), "mymaster")
	if err != nil || len(seen) != 1 || seen[0].Addr() != "127.0.0.1:7001" || seen[0].Is(Slave) {
		t.Errorf("Replicas = %v, %v, want one at 127.0.0.1:7001 that is down", seen, err)
	}
	s, _ = serve(t, list("127.0.0.1", "7000"))
	if got, err := s.MasterAddr(t.Context(), "mymaster"); err != nil || got != "127.0.0.1:7000" {
		t.Errorf("MasterAddr = %s, %v, want 127.0.0.1:7000", got, err)
	}
	s, _ = serve(t, "*-1\r\n")
	if got, err := s.MasterAddr(t.Context(), "other"); err == nil {
		t.Errorf("MasterAddr of an unknown name = %s, want an error", got)
	}
}
