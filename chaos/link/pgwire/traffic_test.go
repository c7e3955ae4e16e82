package pgwire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"brownout/results"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// modes are the ways in which pgx executes, with the number of statements of the
// traffic below that fail while they are only being prepared.
var modes = []struct {
	mode     pgx.QueryExecMode
	prepares int
}{
	{pgx.QueryExecModeCacheStatement, 1}, {pgx.QueryExecModeCacheDescribe, 1}, {pgx.QueryExecModeDescribeExec, 1},
	{pgx.QueryExecModeExec, 0}, {pgx.QueryExecModeSimpleProtocol, 0},
}

// TestCountsAreTheServersOwn compares what was found in pgx's traffic with what the
// server counted. pg_stat_statements counts each statement that ended well, those of
// one Query apart, and no error; an error is a line of the log. log_statement logs a
// Query once, whatever is in it, and log_min_duration_statement no error: neither is
// exact.
func TestCountsAreTheServersOwn(t *testing.T) {
	n := shared.get(t)
	for _, m := range modes {
		t.Run(m.mode.String(), func(t *testing.T) {
			db := n.newDatabase(t)
			p := startProxy(t, n.addr)
			makeTraffic(t, n.through(p, "database", db), m.mode, 200)
			p.stop()
			n.checkCounts(t, p, db, m.prepares)
		})
	}
}

func TestCountsOfAPoolAreTheServersOwn(t *testing.T) {
	n := shared.get(t)
	ctx := guarded(t)
	db := n.newDatabase(t)
	p := startProxy(t, n.addr)
	pool, err := pgxpool.New(ctx, n.through(p, "database", db, "pool_max_conns", "4"))
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			for i := range 100 {
				if _, err := pool.Exec(ctx, "select $1::int", i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	work.Wait()
	pool.Close()
	p.stop()
	n.checkCounts(t, p, db, 0)
}

// newDatabase makes an empty database and forgets what was counted.
func (n *node) newDatabase(t *testing.T) (name string) {
	t.Helper()
	if !n.counts {
		t.Skip("this PostgreSQL lacks the extension pg_stat_statements")
	}
	name = fmt.Sprint("traffic", n.databases.Add(1))
	n.exec(t, "create extension if not exists pg_stat_statements", "select pg_stat_statements_reset()", "create database "+name)
	return name
}

// exec executes texts, one after the other, by themselves.
func (n *node) exec(t *testing.T, texts ...string) {
	t.Helper()
	c := n.connect(t, n.url)
	for _, text := range texts {
		if _, err := c.Exec(guarded(t), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	c.Close(guarded(t))
}

func (n *node) connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(guarded(t), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

// checkCounts compares what p found with what the server counted in db.
func (n *node) checkCounts(t *testing.T, p *proxy, db string, prepares int) {
	t.Helper()
	ours, failures := map[string]int{}, 0
	for _, e := range p.exchanges().exchanges {
		switch {
		case e.Kind == KindEmpty, e.Kind == kindDeallocateAll: // are not counted by it
		case e.Reply == results.ReplyOK:
			word, _, _ := strings.Cut(e.Kind, " ")
			ours[word]++
		default:
			failures++
		}
	}
	if diff := cmp.Diff(n.counted(t, db), ours); diff != "" {
		t.Errorf("statements that ended well (-the server's +ours):\n%s", diff)
	}
	if got, want := failures, n.errors(t, db)-prepares; got != want {
		t.Errorf("%d statements failed, and %d by the server's log", got, want)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, g := range p.plugs {
		if why := g.dialog.Aside(); why != "" {
			t.Errorf("a dialog stepped aside: %s", why)
		}
	}
}

// counted is what the server counted in db, by the first word of statements.
func (n *node) counted(t *testing.T, db string) map[string]int {
	t.Helper()
	rows, err := n.connect(t, n.url).Query(guarded(t),
		`select upper(split_part(query, ' ', 1)), sum(calls)::int from pg_stat_statements
		where dbid = (select oid from pg_database where datname = $1) group by 1`, db)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]int{}
	var word string
	var calls int
	if _, err := pgx.ForEachRow(rows, []any{&word, &calls}, func() error { all[word] = calls; return nil }); err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("the server counted nothing")
	}
	return all
}

// errors is how many errors the server logged for db.
func (n *node) errors(t *testing.T, db string) int {
	t.Helper()
	log, err := os.ReadFile(n.log)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(log), "on "+db+": ERROR:")
}

// A caller makes traffic on a connection.
type caller struct {
	t *testing.T
	*pgx.Conn
	ctx context.Context
}

// makeTraffic does with pgx what pgx can do; size is that of batches and copies.
func makeTraffic(t *testing.T, url string, mode pgx.QueryExecMode, size int) {
	t.Helper()
	ctx := guarded(t)
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	cfg.DefaultQueryExecMode = mode
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	c := &caller{t, conn, ctx}
	c.statements()
	c.failures()
	c.batches(size)
	c.copies(size)
	c.queries()
	c.pipeline()
	if err := conn.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

func (c *caller) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *caller) exec(text string, args ...any) {
	c.t.Helper()
	_, err := c.Exec(c.ctx, text, args...)
	c.must(err)
}

func (c *caller) statements() {
	c.t.Helper()
	c.exec("create table t (id int primary key, v text)")
	for i := range 5 {
		c.exec("insert into t values ($1, $2)", i, fmt.Sprint("v", i))
		var v string
		c.must(c.QueryRow(c.ctx, "select v from t where id = $1", i).Scan(&v))
	}
	tx, err := c.Begin(c.ctx)
	c.must(err)
	c.exec("update t set v = $1 where id = $2", "x", 1)
	c.must(tx.Commit(c.ctx))
	c.must(c.Ping(c.ctx))
	c.exec("listen news")
	c.exec("notify news, 'hello'")
	c.must(c.DeallocateAll(c.ctx))
}

func (c *caller) fails(err error, code string) {
	c.t.Helper()
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code != code {
		c.t.Fatalf("error = %v, want SQLSTATE %s", err, code)
	}
}

func (c *caller) failures() {
	c.t.Helper()
	for _, row := range []struct {
		code, text string
		args       []any
	}{
		{"23505", "insert into t values ($1, $2)", []any{1, "twice"}},
		{"42601", "selec 1", nil},
		{"42P01", "select * from nonesuch where a = $1", []any{1}},
		{"22012", "select 1/(id-id) from t where id = $1", []any{1}},
	} {
		_, err := c.Exec(c.ctx, row.text, row.args...)
		c.fails(err, row.code)
	}
}

func (c *caller) batches(size int) {
	c.t.Helper()
	good := &pgx.Batch{}
	for i := range size {
		good.Queue("select v from t where id = $1", i)
		good.Queue("update t set v = 'b' || v where id = $1", i)
	}
	c.must(c.SendBatch(c.ctx, good).Close())
	bad := &pgx.Batch{}
	for i := range 10 {
		bad.Queue("select v from t where id = $1", i)
	}
	bad.Queue("select 1/(id-id) from t where id = $1", 1)
	bad.Queue("select v from t where id = $1", 1)
	c.fails(c.SendBatch(c.ctx, bad).Close(), "22012")
}

func (c *caller) copies(size int) {
	c.t.Helper()
	var rows [][]any
	for i := range size {
		rows = append(rows, []any{1000 + i, strings.Repeat("v", 10*size)})
	}
	into, columns := pgx.Identifier{"t"}, []string{"id", "v"}
	_, err := c.CopyFrom(c.ctx, into, columns, pgx.CopyFromRows(rows))
	c.must(err)
	_, err = c.CopyFrom(c.ctx, into, columns, pgx.CopyFromRows(rows))
	c.fails(err, "23505")
	_, err = c.CopyFrom(c.ctx, into, columns, pgx.CopyFromFunc(func() ([]any, error) { return nil, errors.New("no") }))
	c.fails(err, "57014")
	_, err = c.PgConn().CopyTo(c.ctx, io.Discard, "copy t to stdout")
	c.must(err)
}

// queries has several statements in one.
func (c *caller) queries() {
	c.t.Helper()
	_, err := c.PgConn().Exec(c.ctx, "begin; insert into t values (7, ';'); select 'a' ;; commit").ReadAll()
	c.must(err)
	_, err = c.PgConn().Exec(c.ctx, "select 1; select 1/0; select 2").ReadAll()
	c.fails(err, "22012")
}

func (c *caller) pipeline() {
	c.t.Helper()
	p := c.PgConn().StartPipeline(c.ctx)
	p.SendPrepare("mine", "select v from t where id = $1", nil)
	name := strings.Repeat("n", 63) // all that the server looks at
	p.SendPrepare(name+"1", "select 3", nil)
	p.SendQueryPrepared(name+"2", nil, nil, nil)
	for range 3 {
		p.SendQueryPrepared("mine", [][]byte{[]byte("1")}, nil, nil)
		p.SendQueryParams("select 2", nil, nil, nil, nil)
	}
	c.must(p.Sync())
	p.SendFlushRequest()
	p.SendQueryParams("select $1::int/0", [][]byte{[]byte("1")}, nil, nil, nil)
	p.SendQueryPrepared("mine", [][]byte{[]byte("1")}, nil, nil)
	c.must(p.Sync())
	c.must(p.Flush())
	for failed := false; ; {
		got, err := p.GetResults()
		if r, ok := got.(*pgconn.ResultReader); ok {
			_, err = r.Close()
		}
		if err != nil {
			c.fails(err, "22012")
			failed = true
		}
		if got == nil && err == nil {
			if !failed {
				c.t.Fatal("the pipeline did not fail")
			}
			break
		}
	}
	c.must(p.Close())
}

// through is the node's URL by way of p, with another database and parameters of pgx.
func (n *node) through(p *proxy, parameters ...string) string {
	u, err := url.Parse(n.url)
	if err != nil {
		panic(err)
	}
	u.Host = p.addr()
	q := u.Query()
	for i := 0; i+1 < len(parameters); i += 2 {
		if parameters[i] == "database" {
			u.Path = "/" + parameters[i+1]
			continue
		}
		q.Set(parameters[i], parameters[i+1])
	}
	u.RawQuery = q.Encode()
	return u.String()
}
