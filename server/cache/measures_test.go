package cache_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"brownout/chaos/ca"
	"brownout/chaos/stack"
	"brownout/server/cache"
	"brownout/server/servertest"

	"github.com/alicebob/miniredis/v2"
)

// commands is how often the server was sent a command (INFO commandstats).
func commands(t *testing.T, servers *stack.Stack, name string) int {
	t.Helper()
	reply, err := servers.Cache.Do(t.Context(), "INFO", "commandstats")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(reply.Text, "cmdstat_"+name+":calls=")
	n := 0
	if found {
		if _, err := fmt.Sscanf(rest, "%d", &n); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// pool makes the cache open some connections, which then are idle.
func pool(t *testing.T, c *cache.Redis, conns int) {
	t.Helper()
	var g sync.WaitGroup
	for range conns {
		g.Go(func() {
			for range 20 {
				if err := c.Ping(t.Context()); err != nil {
					t.Errorf("Ping() = %v, want nil", err)
				}
			}
		})
	}
	g.Wait()
}

// failures counts the reads that fail.
func failures(t *testing.T, c *cache.Redis, reads int) (n int) {
	t.Helper()
	set := environment()
	for range reads {
		if _, err := c.Get(t.Context(), set); err != nil && !strings.Contains(err.Error(), "not in the cache") {
			n++
		}
	}
	return n
}

func TestIdleConnectionsThatTheServerHasClosedFailNothingUnderTLS(t *testing.T) {
	authority, err := ca.New()
	if err != nil {
		t.Fatal(err)
	}
	servers := servertest.Caches(t, stack.Config{Cache: stack.Redis, TLS: authority})
	for _, row := range []struct {
		check bool
		want  string
	}{
		{true, "none"},
		{false, "some"}, // go-redis by itself, or this test proves nothing
	} {
		s := settings(servers.Cache.URL)
		s.Security.CAFile = servers.CAFile
		s.Client.CheckConns, s.Client.BreakAfter, s.Client.MaxConns = row.check, 0, 8
		c, err := cache.NewRedis(s)
		if err != nil {
			t.Fatal(err)
		}
		pool(t, c, s.Client.MaxConns)
		do(t, servers, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
		got := failures(t, c, 20)
		if (got == 0) != (row.want == "none") {
			t.Errorf("with CheckConns %t %d reads fail after the server closed the connections, want %s", row.check, got, row.want)
		}
		c.Close()
	}
}

// A server that has become a replica: one failed write is enough to leave it.
func TestReadonlyRenewsThePool(t *testing.T) {
	for _, row := range []struct {
		name, answer string
		renew        bool
	}{
		{"READONLY", "READONLY You can't write against a read only replica.", true},
		{"ERR READONLY, as proxies say it", "ERR READONLY You can't write against a read only replica.", true},
		{"without the measure", "ERR READONLY You can't write against a read only replica.", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := miniredis.RunT(t)
			c := client()
			c.RenewConns, c.MaxConns = row.renew, 8
			r := newRedis(t, "redis://"+m.Addr(), c)
			pool(t, r, c.MaxConns)
			m.SetError(row.answer)
			if err := r.Set(t.Context(), "e", []byte("x")); err == nil {
				t.Fatal("Set() = nil, want READONLY")
			}
			m.SetError("")
			before := m.TotalConnectionCount()
			if n := failures(t, r, 1); n > 0 {
				t.Errorf("%d reads fail, want none", n)
			}
			if renewed := m.TotalConnectionCount() > before; renewed != row.renew {
				t.Errorf("a new connection is used: %t, want %t", renewed, row.renew)
			}
		})
	}
}

// A server that goes on saying READONLY is not dialled for every command.
func TestRenewalsAreFew(t *testing.T) {
	m := miniredis.RunT(t)
	r := newRedis(t, "redis://"+m.Addr(), client())
	m.SetError("ERR READONLY You can't write against a read only replica.")
	began := time.Now()
	for range 200 {
		if err := r.Set(t.Context(), "e", []byte("x")); err == nil {
			t.Fatal("Set() = nil, want READONLY")
		}
	}
	if got, most := m.TotalConnectionCount(), 2+int(time.Since(began)/time.Second); got > most {
		t.Errorf("200 writes took %d connections, want at most %d", got, most)
	}
}

func TestAConnectionIsNotUsedForLongerThanItsLifetime(t *testing.T) {
	m := miniredis.RunT(t)
	c := client()
	c.ConnLifetime = 50 * time.Millisecond
	r := newRedis(t, "redis://"+m.Addr(), c)
	eventually(t, func() bool { return r.Ping(t.Context()) == nil && m.TotalConnectionCount() > 3 })
}

func TestTheFirstConnectionIsMadeAtTheStart(t *testing.T) {
	for _, wanted := range []bool{true, false} {
		m := miniredis.RunT(t)
		s := settings("redis://" + m.Addr())
		s.Client.ConnectAtStart, s.WatchEmpty = wanted, false
		open(t, cache.BackendRedis, s)
		if wanted {
			eventually(t, func() bool { return m.TotalConnectionCount() == 1 })
			continue
		}
		time.Sleep(50 * time.Millisecond) // time to do what must not be done
		if got := m.TotalConnectionCount(); got != 0 {
			t.Errorf("%d connections before the first request, want none", got)
		}
	}
}

// ROTATE, then SET: both passwords hold for a while, then only the new one does. The
// file changes in between. Every connection is closed at each step, as on a failover.
func TestAPasswordIsChangedWithoutAnError(t *testing.T) {
	servers := servertest.Caches(t, stack.Config{Cache: stack.Redis})
	grant(t, servers, "first")
	s := settings(servers.Cache.URL)
	file := passwordFile(t, "first")
	s.Security.User, s.Security.PasswordFile = "brownout", file
	r, err := cache.NewRedis(s)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	next := func(step string) {
		t.Helper()
		do(t, servers, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
		if n := failures(t, r, 5); n > 0 {
			t.Errorf("%s: %d of 5 reads fail, want none", step, n)
		}
	}
	next("before")
	do(t, servers, "ACL", "SETUSER", "brownout", ">second")
	next("both hold")
	writePassword(t, file, "second")
	next("the file has changed")
	writePassword(t, file, "")
	next("the file is being written again")
	writePassword(t, file, "second")
	do(t, servers, "ACL", "SETUSER", "brownout", "<first")
	next("only the second holds")
	writePassword(t, file, "first")
	do(t, servers, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
	if n := failures(t, r, 1); n != 1 {
		t.Error("the first password still lets in, so this test proves nothing")
	}
}
