package pgwire

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	textTerminating  = "FATAL: terminating connection due to administrator command (SQLSTATE 57P01)"
	textShuttingDown = "FATAL: the database system is shutting down (SQLSTATE 57P03)"
	textTooMany      = "FATAL: sorry, too many clients already (SQLSTATE 53300)"
)

// symptom is what an application sees of err: the server's words, or pgx's.
func symptom(err error) string {
	var pg *pgconn.PgError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &pg):
		return pg.Error()
	}
	return err.Error()
}

func checkSymptom(t *testing.T, what string, err error, want string) {
	t.Helper()
	t.Logf("%s: %s", what, symptom(err))
	if got := symptom(err); got != want {
		t.Errorf("%s: %s, want %s", what, got, want)
	}
}

// eventually waits until done.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for guard := time.Now().Add(hang); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(guard) {
			t.Fatalf("waited too long until %s", what)
		}
	}
}

// eachMode runs test with a connection in each of pgx's modes, and how to make more.
func eachMode(t *testing.T, test func(t *testing.T, p *proxy, connect func() (*pgx.Conn, error))) {
	n := shared.get(t)
	for _, m := range modes {
		t.Run(m.mode.String(), func(t *testing.T) {
			p := startProxy(t, n.addr)
			ctx := guarded(t)
			test(t, p, func() (*pgx.Conn, error) {
				cfg, err := pgx.ParseConfig(n.through(p))
				if err != nil {
					return nil, err
				}
				cfg.DefaultQueryExecMode = m.mode
				c, err := pgx.ConnectConfig(ctx, cfg)
				if err == nil {
					t.Cleanup(func() { c.Close(ctx) })
				}
				return c, err
			})
		})
	}
}

func query(t *testing.T, c *pgx.Conn, args ...any) error {
	t.Helper()
	_, err := c.Exec(guarded(t), "select $1::int", append(args, 1)[0])
	return err
}

func TestAdminShutdownAsPgxSeesIt(t *testing.T) {
	eachMode(t, func(t *testing.T, p *proxy, connect func() (*pgx.Conn, error)) {
		idle, err := connect()
		checkSymptom(t, "before: connecting", err, "ok")
		checkSymptom(t, "before: a query", query(t, idle), "ok")
		busy, err := connect()
		checkSymptom(t, "before: connecting", err, "ok")
		at := sleeping(t, busy)

		a, counted := p.put(AdminShutdown, 0)
		checkSymptom(t, "during: the query at work", <-at, textTerminating)
		checkSymptom(t, "during: the next query of a live connection", query(t, idle), textTerminating)
		if !idle.IsClosed() || !busy.IsClosed() {
			t.Errorf("IsClosed() = %v, %v, want both closed", idle.IsClosed(), busy.IsClosed())
		}
		if got := symptom(query(t, idle)); !strings.HasSuffix(got, "conn closed") {
			t.Errorf("during: another query of it: %s, want it to say that the connection is closed", got)
		}
		_, err = connect()
		checkSymptom(t, "during: connecting", err, textShuttingDown)

		p.lift(a)
		again, err := connect()
		checkSymptom(t, "after: connecting", err, "ok")
		checkSymptom(t, "after: a query", query(t, again), "ok")
		counted.check(t, "admin_shutdown", 3, 3)
		p.stop()
		if got, want := injected(p), []string{"SELECT 57P01"}; !slices.Equal(got, want) {
			t.Errorf("injected exchanges = %q, want %q", got, want)
		}
	})
}

// sleeping makes c execute what takes longer than a test, and waits until the
// server does.
func sleeping(t *testing.T, c *pgx.Conn) <-chan error {
	t.Helper()
	ctx, n := guarded(t), shared.get(t)
	at := make(chan error, 1)
	pid := c.PgConn().PID()
	go func() { _, err := c.Exec(ctx, "select pg_sleep($1)", 600.0); at <- err }()
	watch := n.connect(t, n.url)
	eventually(t, "the server executes a query", func() bool {
		var sleeps bool
		err := watch.QueryRow(ctx, "select coalesce(wait_event, '') = 'PgSleep' from pg_stat_activity where pid = $1", pid).Scan(&sleeps)
		return err == nil && sleeps
	})
	return at
}

func injected(p *proxy) []string {
	var all []string
	for _, e := range p.exchanges().exchanges {
		if e.Injected {
			all = append(all, e.Kind+" "+e.Reply)
		}
	}
	return all
}

func TestAdminShutdownAsAPoolSeesIt(t *testing.T) {
	n := shared.get(t)
	for _, row := range []struct {
		name  string
		pings bool // as a pool does with what has been idle for a second
		want  []string
	}{
		{"a connection that was used just now", false, []string{textTerminating, textShuttingDown}},
		{"a connection that was idle for long", true, []string{textShuttingDown, textShuttingDown}},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := startProxy(t, n.addr)
			pool := newPool(t, n.through(p), row.pings)
			checkSymptom(t, "before: a query", ask1OfPool(t, pool), "ok")
			a, _ := p.put(AdminShutdown, 0)
			for i, want := range row.want {
				checkSymptom(t, fmt.Sprint("during: query ", i+1), ask1OfPool(t, pool), want)
			}
			p.lift(a)
			checkSymptom(t, "after: a query", ask1OfPool(t, pool), "ok")
		})
	}
}

func newPool(t *testing.T, url string, pings bool) *pgxpool.Pool {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	cfg.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return pings }
	pool, err := pgxpool.NewWithConfig(guarded(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func ask1OfPool(t *testing.T, pool *pgxpool.Pool) error {
	t.Helper()
	_, err := pool.Exec(guarded(t), "select $1::int", 1)
	return err
}

func TestTooManyConnectionsAsPgxSeesIt(t *testing.T) {
	eachMode(t, func(t *testing.T, p *proxy, connect func() (*pgx.Conn, error)) {
		live, err := connect()
		checkSymptom(t, "before: connecting", err, "ok")
		a, counted := p.put(TooManyConnections, 0)
		checkSymptom(t, "during: a query of a live connection", query(t, live), "ok")
		_, err = connect()
		checkSymptom(t, "during: connecting", err, textTooMany)
		p.lift(a)
		again, err := connect()
		checkSymptom(t, "after: connecting", err, "ok")
		checkSymptom(t, "after: a query", query(t, again), "ok")
		counted.check(t, "too_many_connections", 1, 1)
	})
}

func TestTooManyConnectionsAsAPoolSeesIt(t *testing.T) {
	n := shared.get(t)
	p := startProxy(t, n.addr)
	pool := newPool(t, n.through(p), false)
	checkSymptom(t, "before: a query", ask1OfPool(t, pool), "ok")
	a, _ := p.put(TooManyConnections, 0)
	held, err := pool.Acquire(guarded(t))
	checkSymptom(t, "during: acquiring the connection there is", err, "ok")
	_, err = pool.Acquire(guarded(t))
	checkSymptom(t, "during: acquiring another", err, textTooMany)
	held.Release()
	checkSymptom(t, "during: a query when it is back", ask1OfPool(t, pool), "ok")
	p.lift(a)
	held, err = pool.Acquire(guarded(t))
	checkSymptom(t, "after: acquiring the connection there is", err, "ok")
	defer held.Release()
	other, err := pool.Acquire(guarded(t))
	checkSymptom(t, "after: acquiring another", err, "ok")
	other.Release()
}

// TestNewConnectionsAreTurnedAwayBehindAnSSLRequest has a client that asks for TLS
// first. This server has none.
func TestNewConnectionsAreTurnedAwayBehindAnSSLRequest(t *testing.T) {
	n := shared.get(t)
	p := startProxy(t, n.addr)
	_, counted := p.put(TooManyConnections, 0)
	_, err := pgx.Connect(guarded(t), n.through(p, "sslmode", "prefer"))
	checkSymptom(t, "connecting with sslmode=prefer", err, textTooMany)
	counted.check(t, "too_many_connections", 1, 1)
}

func TestSlowQueryAsPgxSeesIt(t *testing.T) {
	const delay = 50 * time.Millisecond
	eachMode(t, func(t *testing.T, p *proxy, connect func() (*pgx.Conn, error)) {
		a, counted := p.put(SlowQuery, delay)
		c, err := connect()
		checkSymptom(t, "connecting", err, "ok")
		counted.check(t, "connecting", 0, 0)
		if _, err := c.Prepare(guarded(t), "s", "select $1::int"); err != nil {
			t.Fatal(err)
		}
		counted.check(t, "preparing", 0, 0)
		start := time.Now()
		for range 3 {
			checkSymptom(t, "a query", query(t, c), "ok")
		}
		if got := time.Since(start); got < 3*delay {
			t.Errorf("3 queries took %v, want at least %v", got, 3*delay)
		}
		counted.check(t, "3 queries", 3, 3)
		p.lift(a)
		checkSymptom(t, "after: a query", query(t, c), "ok")
		counted.check(t, "after", 3, 3)
		p.stop()
		for i, e := range p.exchanges().exchanges {
			if took := e.Done - e.Sent; i < 3 && took < delay || e.Injected {
				t.Errorf("exchange %d took %v (injected: %v), want at least %v of the first 3, and none injected", i, took, e.Injected, delay)
			}
		}
	})
}

func TestASlowQueryIsReleasedWhenTheAnswerIsLifted(t *testing.T) {
	n := shared.get(t)
	p := startProxy(t, n.addr)
	c := n.connect(t, n.through(p))
	a, counted := p.put(SlowQuery, time.Hour)
	asked := make(chan error, 1)
	go func() { asked <- query(t, c) }()
	eventually(t, "a query is kept", func() bool { return counted.bites.Load() == 1 })
	p.lift(a)
	checkSymptom(t, "the query that was kept", <-asked, "ok")
}

func TestAClientThatGivesUpASlowQuery(t *testing.T) {
	n := shared.get(t)
	p := startProxy(t, n.addr)
	c := n.connect(t, n.through(p))
	a, counted := p.put(SlowQuery, time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := c.Exec(ctx, "select 1")
	checkSymptom(t, "a query with a deadline", err, "timeout: context deadline exceeded")
	if !c.IsClosed() {
		t.Error("IsClosed() = false, want the connection to be closed")
	}
	p.lift(a)
	counted.check(t, "the query, and no CancelRequest", 1, 1)
}

// TestACancelRequestReachesTheServer has one pass while new connections are turned
// away.
func TestACancelRequestReachesTheServer(t *testing.T) {
	n := shared.get(t)
	p := startProxy(t, n.addr)
	c := n.connect(t, n.through(p))
	at := sleeping(t, c)
	_, counted := p.put(TooManyConnections, 0)
	if err := c.PgConn().CancelRequest(guarded(t)); err != nil {
		t.Fatal(err)
	}
	checkSymptom(t, "a query that is cancelled", <-at, "ERROR: canceling statement due to user request (SQLSTATE 57014)")
	counted.check(t, "too_many_connections", 0, 0)
}

// TestAShutdownNeverCutsAMessage ends connections in the middle of large replies.
func TestAShutdownNeverCutsAMessage(t *testing.T) {
	n := shared.get(t)
	p := startProxy(t, n.addr)
	ctx := guarded(t)
	for i := range 20 {
		c := n.connect(t, n.through(p))
		begun := make(chan struct{})
		ended := make(chan error, 1)
		go func() {
			rows, err := c.Query(ctx, "select repeat('x', 5000 + i) from generate_series(1, 20000) as i")
			for first := true; err == nil && rows.Next(); first = false {
				if first {
					close(begun)
				}
			}
			ended <- errors.Join(err, rows.Err())
		}()
		<-begun
		time.Sleep(time.Duration(rand.IntN(3000)) * time.Microsecond) // anywhere in the reply
		a, counted := p.put(AdminShutdown, 0)
		err := <-ended
		p.lift(a)
		checkSymptom(t, fmt.Sprint("large reply ", i), err, textTerminating)
		counted.check(t, "admin_shutdown", 1, 1)
	}
}

func TestPasswordsPass(t *testing.T) {
	n, err := startNode()
	if err != nil {
		t.Fatal(err)
	}
	defer n.close()
	n.lockOut(t, "stranger")
	p := startProxy(t, n.addr)
	url := strings.Replace(n.through(p), "brownout:brownout@", "stranger:secret@", 1)
	checkSymptom(t, "a query of a user with a password", query(t, n.connect(t, url)), "ok")
	_, err = pgx.Connect(guarded(t), strings.Replace(url, "secret", "wrong", 1))
	checkSymptom(t, "a wrong password", err, `FATAL: password authentication failed for user "stranger" (SQLSTATE 28P01)`)
	p.stop()
	if got := p.exchanges().lines(); len(got) != 1 {
		t.Errorf("exchanges = %q, want the query", got)
	}
}
