//go:build linux

package stack

import (
	"context"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"brownout/chaos/stack/admin"
	"brownout/results"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"
)

func TestANodeComesBackAtItsAddressWithWhatItsDiskHolds(t *testing.T) {
	for _, row := range []struct {
		name string
		do   func(ctx context.Context, n *Node) error
		want string
	}{
		{"restarted, it keeps its data", func(ctx context.Context, n *Node) error { return n.Restart(ctx, false) }, "value"},
		{"restarted empty, it has none", func(ctx context.Context, n *Node) error { return n.Restart(ctx, true) }, ""},
		{"killed, it has none", func(ctx context.Context, n *Node) error {
			return errors.Join(n.Kill(ctx), n.Restart(ctx, false))
		}, ""},
		{"saved and killed, it has what was saved", func(ctx context.Context, n *Node) error {
			_, err := n.Do(ctx, "SAVE")
			return errors.Join(err, n.Kill(ctx), n.Restart(ctx, false))
		}, "value"},
		{"saved, killed and restarted empty, it has none", func(ctx context.Context, n *Node) error {
			_, err := n.Do(ctx, "SAVE")
			return errors.Join(err, n.Kill(ctx), n.Restart(ctx, true))
		}, ""},
		{"frozen and restarted, it keeps its data", func(ctx context.Context, n *Node) error {
			return errors.Join(n.Pause(), n.Restart(ctx, false))
		}, "value"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var j journal
			s := startStack(t, Config{Cache: Redis, Dir: ownPlace(t), Record: j.record})
			before := s.Cache.Process()
			app(t, s.Cache, "SET", "key", "value")
			if err := row.do(patient(t), s.Cache); err != nil {
				t.Fatal(err)
			}
			if got := app(t, s.Cache, "GET", "key"); got != row.want {
				t.Errorf("GET = %q, want %q", got, row.want)
			}
			if now := s.Cache.Process(); now == before || !before.Exited() || before.Err() != nil {
				t.Errorf("the process is %d after %d, exited %v, %v; want another", now.PID(), before.PID(), before.Exited(), before.Err())
			}
			kinds := []results.EventKind{
				results.EventStart, results.EventReady, results.EventExit, results.EventStart, results.EventReady,
			}
			if got := j.kinds(s.Cache.Name); !slices.Equal(got, kinds) {
				t.Errorf("events = %v, want %v", got, kinds)
			}
		})
	}
}

func TestAKilledNodeKeepsItsPort(t *testing.T) {
	t.Parallel()
	s := startStack(t, Config{Cache: Redis, Dir: ownPlace(t)})
	if err := s.Cache.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Cache.Do(t.Context(), "PING"); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("PING to a killed node = %v, want that the connection is refused", err)
	}
	if err := takePort(t, s.Cache.Addr); !errors.Is(err, unix.EADDRINUSE) {
		t.Errorf("taking the port of a killed node = %v, want that it is in use", err)
	}
	closeStack(t, s)
	if err := takePort(t, s.Cache.Addr); err != nil {
		t.Errorf("taking the port after Close: %v", err)
	}
}

// takePort binds a socket to addr as one who does not insist (SO_REUSEADDR).
func takePort(t *testing.T, addr string) error {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	_, text := splitAddr(addr)
	number, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return unix.Bind(fd, &unix.SockaddrInet4{Port: number, Addr: [4]byte{127, 0, 0, 1}})
}

func TestAFrozenNodeIsSilentUntilItGoesOn(t *testing.T) {
	t.Parallel()
	s := startStack(t, Config{Cache: Redis, Database: Postgres, Dir: ownPlace(t)})
	conn, err := pgx.Connect(t.Context(), s.Database.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	asks := map[*Node]func() error{
		s.Cache:    func() error { _, err := s.Cache.Do(t.Context(), "PING"); return err },
		s.Database: func() error { _, err := conn.Exec(t.Context(), "select 1"); return err },
	}
	for n, ask := range asks {
		if err := n.Pause(); err != nil {
			t.Fatal(err)
		}
		for _, pid := range family(n.Process().PID()) {
			// A worker of PostgreSQL that has just ended is no more to be stopped, and nobody
			// takes it away while its parent is frozen.
			if state := stateOf(t, pid); state != "T" && (state != "Z" || pid == n.Process().PID()) {
				t.Errorf("process %d of %s is in state %s, want T", pid, n.Name, state)
			}
		}
		answer := make(chan error, 1)
		go func() { answer <- ask() }()
		select {
		case err := <-answer:
			t.Fatalf("the frozen %s answered %v", n.Name, err)
		case <-time.After(50 * time.Millisecond): // long enough to be wrong
		}
		if err := n.Continue(); err != nil {
			t.Fatal(err)
		}
		if err := <-answer; err != nil {
			t.Errorf("%s after Continue: %v", n.Name, err)
		}
	}
}

func stateOf(t *testing.T, pid int) string {
	t.Helper()
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	return rest[:1]
}

func TestAFrozenStackCloses(t *testing.T) {
	t.Parallel()
	c := topologies()[Sentinel]
	c.Database = Postgres
	s := startTopology(t, c)
	conn, err := pgx.Connect(t.Context(), s.Database.URL) // a server of its own, with a group of its own
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	traces := tracesOf(s)
	for _, n := range s.Nodes {
		if err := n.Pause(); err != nil {
			t.Fatal(err)
		}
	}
	closeStack(t, s)
	eventually(t, "nothing is left", func() bool { return len(traces.left()) == 0 })
}

func TestADatabaseIsRestartedAndKilled(t *testing.T) {
	t.Parallel()
	s := startStack(t, Config{Database: Postgres, Dir: ownPlace(t)})
	conn, err := pgx.Connect(t.Context(), s.Database.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "create table kept as select 42 as n"); err != nil {
		t.Fatal(err)
	}
	conn.Close(t.Context())
	if err := errors.Join(s.Database.Kill(patient(t)), s.Database.Restart(patient(t), false)); err != nil {
		t.Fatal(err)
	}
	if got := queryOne(t, s.Database.URL, "select n from kept"); got != 42 { // at once: nothing had time to settle
		t.Errorf("after Kill and Restart the table holds %d, want 42", got)
	}
	if err := s.Database.Restart(patient(t), false); err != nil {
		t.Fatal(err)
	}
	if got := queryOne(t, s.Database.URL, "select n from kept"); got != 42 {
		t.Errorf("after Restart the table holds %d, want 42", got)
	}
	if err := s.Database.Restart(t.Context(), true); err == nil || s.Database.Process().Exited() {
		t.Errorf("Restart of an empty database = %v, want an error and a database that lives", err)
	}
}

func TestAnExternalNodeIsNotOurs(t *testing.T) {
	t.Parallel()
	own := startStack(t, Config{Cache: Redis, Dir: ownPlace(t)})
	s := startStack(t, Config{Cache: Redis, CacheURL: own.Cache.URL})
	for name, err := range map[string]error{
		"Kill": s.Cache.Kill(t.Context()), "Pause": s.Cache.Pause(),
		"Continue": s.Cache.Continue(), "Restart": s.Cache.Restart(t.Context(), true),
	} {
		if !errors.Is(err, errNotOurs) {
			t.Errorf("%s of an external node = %v, want that it is not ours", name, err)
		}
	}
	if _, err := s.Cache.Do(t.Context(), "PING"); err != nil {
		t.Errorf("PING to an external node: %v", err)
	}
}

func TestLagIsHowFarAReplicaIsBehind(t *testing.T) {
	t.Parallel()
	s := startTopology(t, Config{Cache: Replicated})
	primary, replica := s.Servers()[0], s.Servers()[1]
	lag := func() int64 {
		n, err := replica.Lag(t.Context(), primary)
		if err != nil {
			t.Fatalf("Lag: %v", err)
		}
		return n
	}
	eventually(t, "the replica catches up", func() bool { return lag() == 0 })
	if _, err := replica.Do(t.Context(), "REPLICAOF", "127.0.0.1", "1"); err != nil { // nobody is there
		t.Fatal(err)
	}
	app(t, primary, "SET", "key", strings.Repeat("x", 5000))
	if got := lag(); got < 5000 {
		t.Errorf("Lag = %d after writing 5000 bytes to a primary without replica, want more", got)
	}
	if err := replica.Follow(t.Context(), primary); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the replica catches up again", func() bool { return lag() == 0 })
	if err := replica.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := replica.Lag(t.Context(), primary); err == nil {
		t.Errorf("Lag of a killed replica = %d, want an error", got)
	}
}

// What a failover made of a node, it is after a restart too.
func TestAPromotedNodeStaysPrimaryWhenItIsRestarted(t *testing.T) {
	t.Parallel()
	s := startTopology(t, Config{Cache: Replicated})
	old, next := s.Servers()[0], s.Servers()[1]
	failOver(t, s, old, next)
	if err := s.Await(patient(t)); err != nil {
		t.Fatal(err)
	}
	for _, n := range []*Node{old, next} {
		if err := n.Restart(patient(t), false); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Await(patient(t)); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Primary(t.Context()); err != nil || got != next {
		t.Errorf("Primary = %v, %v, want %s", got, err, next.Name)
	}
}

func TestSentinelsReplaceAKilledPrimary(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	t.Parallel()
	s := startTopology(t, topologies()[Sentinel])
	if err := s.Cache.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	eventually(t, "all Sentinels name another primary", func() bool {
		for _, sentinel := range s.Sentinels() {
			if n, err := s.PrimaryBySentinel(t.Context(), sentinel); err != nil || n == s.Cache {
				return false
			}
		}
		return true
	})
	t.Logf("another primary after %v", time.Since(begin).Round(time.Millisecond))
	named, err := s.PrimaryBySentinel(t.Context(), s.Sentinels()[0])
	if err != nil {
		t.Fatal(err)
	}
	if all, err := s.Primaries(t.Context()); err != nil || names(all) != named.Name {
		t.Errorf("Primaries = %s, %v, want %s, the killed one left out", names(all), err, named.Name)
	}
	if err := s.Cache.Restart(patient(t), false); err != nil {
		t.Fatal(err)
	}
	if err := s.Await(patient(t)); err != nil {
		t.Errorf("Await after the old primary's return: %v", err)
	}
}

func TestAClusterReplacesAKilledPrimary(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	t.Parallel()
	s := startTopology(t, topologies()[Cluster])
	if err := s.Cache.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	watcher, next := s.Servers()[1], s.Servers()[shards]
	eventually(t, "the replica serves the slots", func() bool {
		seen, err := s.Shards(t.Context(), watcher)
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(seen, func(one Shard) bool { return one.Primary == next })
	})
	t.Logf("another primary after %v", time.Since(begin).Round(time.Millisecond))
	if err := s.Cache.Restart(patient(t), false); err != nil {
		t.Fatal(err)
	}
	if err := s.Await(patient(t)); err != nil {
		t.Errorf("Await after the old primary's return: %v", err)
	}
	if role, err := s.Cache.admin.Role(t.Context()); err != nil || role.Name != admin.Slave {
		t.Errorf("the old primary is %+v, %v, want a replica", role, err)
	}
}

func TestForcedFailoversOfAClusterNeedNoPrimary(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	t.Parallel()
	c := topologies()[Cluster]
	c.ClusterNodeTimeout = hang // it does nothing by itself
	s := startTopology(t, c)
	if err := s.Cache.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	next := s.Servers()[shards]
	if err := next.ClusterFailover(t.Context(), TakeOver); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the replica is primary", func() bool {
		role, err := next.admin.Role(t.Context())
		return err == nil && role.Name == admin.Master
	})
}
