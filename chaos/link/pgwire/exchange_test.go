package pgwire

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"brownout/results"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgproto3"
)

func TestExchanges(t *testing.T) {
	long := "select " + strings.Repeat("1 + ", 1000) + "1"
	for _, row := range []struct {
		name  string
		turns []turn
		want  []string
	}{
		{"a connection that says nothing has none", nil, nil},
		{"starting is none", greeted(), nil},
		{"starting with a password is none", []turn{
			client(hello()), server(&pgproto3.AuthenticationCleartextPassword{}),
			client(&pgproto3.PasswordMessage{Password: "select secret"}),
			server(&pgproto3.AuthenticationOk{}, ready),
		}, nil},
		{"a refused password is none", []turn{
			client(hello()), server(&pgproto3.AuthenticationCleartextPassword{}),
			client(&pgproto3.PasswordMessage{Password: "select secret"}), server(failure("28P01")),
		}, nil},
		{"a simple query is one", greeted(
			client(ask("select 1")), server(row, tag("SELECT 1"), ready)),
			[]string{`SELECT "select ?" ok`}},
		{"the kind is the tag without its counts", greeted(
			client(ask("insert into t values (1)")), server(tag("INSERT 0 12"), ready),
			client(ask("create table t (a int)")), server(tag("CREATE TABLE"), ready),
			client(ask("create table t as select 1")), server(tag("SELECT 1"), ready)),
			[]string{`INSERT "insert into t values (?)" ok`, `CREATE TABLE "create table t (a int)" ok`,
				`SELECT "create table t as select ?" ok`}},
		{"each statement of a query is one", greeted(
			client(ask("begin; insert into t values ('a;b') ;; -- end;\ncommit")),
			server(tag("BEGIN"), tag("INSERT 0 1"), tag("COMMIT"), ready)),
			[]string{`BEGIN "begin" ok`, `INSERT "insert into t values (?)" ok`, `COMMIT "commit" ok`}},
		{"an error ends the statements of a query", greeted(
			client(ask("select 1; select 1/0; select 2")), server(row, tag("SELECT 1"), failure("22012"), ready)),
			[]string{`SELECT "select ?" ok`, `SELECT "select ?/?" 22012`}},
		{"an error in the text is the first statement's", greeted(
			client(ask("select 1; selec 2")), server(failure("42601"), ready)),
			[]string{`SELECT "select ?" 42601`}},
		{"an empty query is one", greeted(
			client(ask("-- ping")), server(&pgproto3.EmptyQueryResponse{}, ready)),
			[]string{`EMPTY "" ok`}},
		{"statements behind what is looked at have no pattern", greeted(
			client(ask(long+"; select 2; foo")), server(tag("SELECT 1"), tag("SELECT 1"), failure("42601"), ready)),
			[]string{`SELECT "select ` + strings.Repeat("? + ", 28) + `?" ok`, `SELECT "" ok`, `UNKNOWN "" 42601`}},
		{"a statement in parentheses has a kind", greeted(
			client(ask("((select 1/0))")), server(failure("22012"), ready)),
			[]string{`SELECT "((select ?/?))" 22012`}},
		{"asynchronous messages belong to none", greeted(
			client(ask("listen c")), server(&pgproto3.NoticeResponse{Code: "00000"}, tag("LISTEN"), ready),
			server(&pgproto3.NotificationResponse{Channel: "c"}, &pgproto3.ParameterStatus{Name: "a", Value: "b"})),
			[]string{`LISTEN "listen c" ok`}},
		{"a server that shuts down while nothing is asked is none", greeted(
			client(ask("select 1")), server(tag("SELECT 1"), ready), server(failure("57P01"))),
			[]string{`SELECT "select ?" ok`}},
		{"an error between two queries is none", greeted(
			client(parse("", "select 1"), ask("select 2")), server(parsed, tag("SELECT 1"), ready), server(failure("57014")),
			client(ask("values (3)")), server(tag("SELECT 1"), ready)),
			[]string{`SELECT "select ?" ok`, `SELECT "values (?)" ok`}},
		{"a query without a reply is one", greeted(client(ask("select 1"))),
			[]string{`SELECT "select ?" none`}},
		{"of a query that was cut off the statement at work is one", greeted(
			client(ask("select 1; select 'a'; select 3")), server(tag("SELECT 1"))),
			[]string{`SELECT "select ?" ok`, `SELECT "select ?" none`}},
		{"a query that lacks only ReadyForQuery is over", greeted(
			client(ask("select 1")), server(tag("SELECT 1"))),
			[]string{`SELECT "select ?" ok`}},
		{"a function call is one", greeted(
			client(&pgproto3.FunctionCall{Function: 1}), server(&pgproto3.FunctionCallResponse{}, ready),
			client(&pgproto3.FunctionCall{Function: 2}), server(failure("42883"), ready),
			client(&pgproto3.FunctionCall{Function: 3})),
			[]string{`FUNCTION CALL "" ok`, `FUNCTION CALL "" 42883`, `FUNCTION CALL "" none`}},
		{"terminating is none", greeted(client(&pgproto3.Terminate{})), nil},
	} {
		t.Run(row.name, func(t *testing.T) { checkExchanges(t, row.turns, row.want) })
	}
}

// checkExchanges plays turns in pieces of several sizes.
func checkExchanges(t *testing.T, turns []turn, want []string) {
	t.Helper()
	for _, size := range []int{0, 1, 3, 7, 64} {
		if diff := cmp.Diff(want, converse(t, turns, size).lines()); diff != "" {
			t.Errorf("exchanges in pieces of %d bytes (-want +got):\n%s", size, diff)
		}
	}
}

func TestExchangesOfTheExtendedProtocol(t *testing.T) {
	for _, row := range []struct {
		name  string
		turns []turn
		want  []string
	}{
		{"preparing is none, executing is one", greeted(
			client(parse("s", "select $1"), &pgproto3.Describe{ObjectType: 'S', Name: "s"}, synced),
			server(parsed, &pgproto3.ParameterDescription{}, &pgproto3.RowDescription{}, ready),
			client(bind("", "s"), &pgproto3.Describe{ObjectType: 'P'}, exec(""), synced),
			server(bound, &pgproto3.RowDescription{}, row, tag("SELECT 1"), ready)),
			[]string{`SELECT "select $1" ok`}},
		{"a name that is parsed again means the new text", greeted(
			client(parse("s", "select 1"), parse("s", "values (1)"), bind("p", "s"), exec("p"), synced),
			server(parsed, parsed, bound, tag("SELECT 1"), ready)),
			[]string{`SELECT "values (?)" ok`}},
		{"a portal keeps the text it was bound to", greeted(
			client(parse("s", "select 1"), bind("p", "s"), parse("s", "values (1)"), exec("p"), synced),
			server(parsed, bound, parsed, tag("SELECT 1"), ready)),
			[]string{`SELECT "select ?" ok`}},
		{"a closed statement has no text", greeted(
			client(parse("s", "select 1"), &pgproto3.Close{ObjectType: 'S', Name: "s"}, synced),
			server(parsed, &pgproto3.CloseComplete{}, ready),
			client(bind("", "s"), exec(""), synced), server(failure("26000"), ready)),
			[]string{`UNKNOWN "" 26000`}},
		{"a closed portal has no text", greeted(
			client(parse("s", "select 1"), bind("p", "s"), &pgproto3.Close{ObjectType: 'P', Name: "p"}, exec("p"), synced),
			server(parsed, bound, &pgproto3.CloseComplete{}, failure("34000"), ready)),
			[]string{`UNKNOWN "" 34000`}},
		{"a portal does not outlive its transaction", greeted(
			client(parse("s", "select 1"), bind("p", "s"), synced), server(parsed, bound, inside),
			client(exec("p"), synced), server(tag("SELECT 1"), ready),
			client(exec("p"), synced), server(failure("34000"), ready)),
			[]string{`SELECT "select ?" ok`, `UNKNOWN "" 34000`}},
		{"deallocating all forgets the texts", greeted(
			client(parse("s", "select 1"), synced), server(parsed, ready),
			client(ask("deallocate all")), server(tag("DEALLOCATE ALL"), ready),
			client(bind("", "s"), exec(""), synced), server(failure("26000"), ready)),
			[]string{`DEALLOCATE ALL "deallocate all" ok`, `UNKNOWN "" 26000`}},
		{"each Execute of a pipeline is one", greeted(
			client(parse("", "select 1"), bind("", ""), exec(""), parse("", "values (2)"), bind("", ""), exec(""), synced,
				bind("", ""), exec(""), synced),
			server(parsed, bound, tag("SELECT 1"), parsed, bound, tag("SELECT 1"), ready, bound, tag("SELECT 1"), ready)),
			[]string{`SELECT "select ?" ok`, `SELECT "values (?)" ok`, `SELECT "values (?)" ok`}},
		{"a suspended portal is one for each Execute", greeted(
			client(parse("", "select 1"), bind("p", ""), &pgproto3.Execute{Portal: "p", MaxRows: 1}, synced),
			server(parsed, bound, row, &pgproto3.PortalSuspended{}, inside),
			client(exec("p"), synced), server(row, tag("SELECT 1"), ready)),
			[]string{`SELECT "select ?" ok`, `SELECT "select ?" ok`}},
		{"an empty statement is one", greeted(
			client(parse("", ""), bind("", ""), exec(""), synced),
			server(parsed, bound, &pgproto3.EmptyQueryResponse{}, ready)),
			[]string{`EMPTY "" ok`}},
		{"what is skipped after an error is none", greeted(
			client(parse("", "select 1/0"), bind("", ""), exec(""), bind("", ""), exec(""), synced,
				parse("", "values (2)"), bind("", ""), exec(""), synced),
			server(parsed, bound, failure("22012"), ready, parsed, bound, tag("SELECT 1"), ready)),
			[]string{`SELECT "select ?/?" 22012`, `SELECT "values (?)" ok`}},
		{"what comes later and is skipped is none", greeted(
			client(parse("", "select 1/0"), bind("", ""), exec(""), &pgproto3.Flush{}),
			server(parsed, bound, failure("22012")),
			client(parse("", "values (1)"), bind("", ""), exec(""), ask("select 3"), &pgproto3.FunctionCall{}, synced),
			server(ready),
			client(bind("", ""), exec(""), synced), server(bound, tag("SELECT 1"), ready)),
			[]string{`SELECT "select ?/?" 22012`, `SELECT "select ?/?" ok`}},
		{"an error in Parse is the reply to its Execute", greeted(
			client(parse("", "selec 1"), bind("", ""), exec(""), exec(""), synced), server(failure("42601"), ready)),
			[]string{`SELEC "selec ?" 42601`}},
		{"an error in Parse is the reply to an Execute that comes later", greeted(
			client(parse("", "selec 1"), bind("", ""), &pgproto3.Flush{}), server(failure("42601")),
			client(exec(""), exec(""), synced), server(ready)),
			[]string{`SELEC "selec ?" 42601`}},
		{"an error in Parse without an Execute is none", greeted(
			client(parse("", "selec 1"), synced), server(failure("42601"), ready),
			client(parse("", "selec 1"), &pgproto3.Flush{}), server(failure("42601")), client(synced), server(ready),
			client(ask("select 1")), server(tag("SELECT 1"), ready)),
			[]string{`SELECT "select ?" ok`}},
		{"an error behind the reply to an Execute is the next one's", greeted(
			client(parse("", "select 1"), bind("", ""), exec(""), bind("", "t"), exec(""), synced),
			server(parsed, bound, tag("SELECT 1"), failure("26000"), ready)),
			[]string{`SELECT "select ?" ok`, `UNKNOWN "" 26000`}},
		{"an error behind the reply to an Execute skips what is behind", greeted(
			client(parse("", "select 1"), bind("p", ""), synced), server(parsed, bound, inside),
			client(exec("p")), server(tag("SELECT 1"), failure("57014")),
			client(exec("p"), exec("p"), synced), server(inside)),
			[]string{`SELECT "select ?" ok`, `SELECT "select ?" 57014`}},
		{"an error while the server skips is none", greeted(
			client(parse("", "select 1"), bind("", ""), exec(""), &pgproto3.Flush{}), server(parsed, bound, failure("22012"), failure("57P01")),
			client(exec(""))),
			[]string{`SELECT "select ?" 22012`}},
		{"an error that no Execute was meant for is not the reply to a later one", greeted(
			client(parse("", "selec"), &pgproto3.Flush{}), server(failure("42601")), client(synced), server(ready),
			client(parse("", "select 1"), bind("", ""), exec(""), &pgproto3.Flush{}), server(parsed, bound, failure("22012")),
			client(exec(""), synced), server(ready)),
			[]string{`SELECT "select ?" 22012`}},
		{"a portal of a later transaction has its text", greeted(
			client(parse("s", "select 1"), synced, bind("p", "s")), server(parsed, ready),
			client(exec("p"), synced), server(bound, tag("SELECT 1"), ready)),
			[]string{`SELECT "select ?" ok`}},
		{"a portal of a transaction that begins later has its text", greeted(
			client(parse("s", "select 1"), synced, ask("begin"), bind("p", "s"), synced), server(parsed, ready),
			server(tag("BEGIN"), inside, bound, inside), client(exec("p"), synced), server(tag("SELECT 1"), inside)),
			[]string{`BEGIN "begin" ok`, `SELECT "select ?" ok`}},
		{"names are told apart by their first 63 bytes", greeted(
			client(parse(strings.Repeat("n", 63)+"1", "select 1"), bind(strings.Repeat("p", 63)+"1", strings.Repeat("n", 63)+"2"),
				exec(strings.Repeat("p", 63)+"2"), synced),
			server(parsed, bound, tag("SELECT 1"), ready)),
			[]string{`SELECT "select ?" ok`}},
		{"an error at Sync is none", greeted(
			client(parse("", "insert into t values (1)"), bind("", ""), exec(""), synced),
			server(parsed, bound, tag("INSERT 0 1"), failure("23503"), ready)),
			[]string{`INSERT "insert into t values (?)" ok`}},
		{"every Execute without a reply is one", greeted(
			client(parse("", "select 1"), bind("", ""), exec(""), exec(""), synced)),
			[]string{`SELECT "select ?" none`, `SELECT "select ?" none`}},
	} {
		t.Run(row.name, func(t *testing.T) { checkExchanges(t, row.turns, row.want) })
	}
}

func TestExchangesOfCopy(t *testing.T) {
	const text = "copy t from stdin"
	for _, row := range []struct {
		name  string
		turns []turn
		want  []string
	}{
		{"copy in is one", greeted(
			client(ask(text)), server(copyIn), client(copyData, copyData, copyDone), server(tag("COPY 2"), ready)),
			[]string{`COPY "copy t from stdin" ok`}},
		{"copy in by an eager client is one", greeted(
			client(ask(text), copyData, copyDone), server(copyIn, tag("COPY 1"), ready),
			client(ask("select 1")), server(tag("SELECT 1"), ready)),
			[]string{`COPY "copy t from stdin" ok`, `SELECT "select ?" ok`}},
		{"copy in that the client fails is one", greeted(
			client(ask(text)), server(copyIn), client(copyData, &pgproto3.CopyFail{Message: "no"}), server(failure("57014"), ready)),
			[]string{`COPY "copy t from stdin" 57014`}},
		{"data behind the error of a copy are nobody's", greeted(
			client(ask(text)), server(copyIn), client(copyData), server(failure("22P02"), ready), client(copyData, copyDone),
			client(ask("select 1")), server(tag("SELECT 1"), ready)),
			[]string{`COPY "copy t from stdin" 22P02`, `SELECT "select ?" ok`}},
		{"the end of a copy that has failed is nobody's", greeted(
			client(ask(text)), server(copyIn), client(copyData), server(failure("22P02")), client(copyData, copyDone), server(ready),
			client(ask("select 1")), server(tag("SELECT 1"), ready)),
			[]string{`COPY "copy t from stdin" 22P02`, `SELECT "select ?" ok`}},
		{"copy out is one", greeted(
			client(ask("copy t to stdout")), server(copyOut, copyData, copyData, copyDone, tag("COPY 2"), ready)),
			[]string{`COPY "copy t to stdout" ok`}},
		{"a Sync within a copy means nothing", greeted(
			client(parse("", text), bind("", ""), exec(""), synced), server(parsed, bound, copyIn),
			client(synced, copyData, synced, copyDone, synced), server(tag("COPY 1"), ready),
			client(ask("select 1")), server(tag("SELECT 1"), ready)),
			[]string{`COPY "copy t from stdin" ok`, `SELECT "select ?" ok`}},
		{"a Sync within an eager copy means nothing", greeted(
			client(parse("", text), bind("", ""), exec(""), synced, copyData, synced, copyDone, synced),
			server(parsed, bound, copyIn, tag("COPY 1"), ready),
			client(ask("select 1")), server(tag("SELECT 1"), ready)),
			[]string{`COPY "copy t from stdin" ok`, `SELECT "select ?" ok`}},
		{"a Sync that ends a failed copy counts", greeted(
			client(parse("", text), bind("", ""), exec(""), synced), server(parsed, bound, copyIn),
			client(copyData), server(failure("22P02")), client(copyData, copyDone, exec(""), synced), server(ready),
			client(ask("select 1")), server(tag("SELECT 1"), ready)),
			[]string{`COPY "copy t from stdin" 22P02`, `SELECT "select ?" ok`}},
		{"a copy that was cut off has no reply", greeted(client(ask(text)), server(copyIn), client(copyData)),
			[]string{`COPY "copy t from stdin" none`}},
	} {
		t.Run(row.name, func(t *testing.T) { checkExchanges(t, row.turns, row.want) })
	}
}

func TestTimesAndBytes(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	prepare := []message{parse("", "select 1"), bind("", "")}
	turns := greeted( // two turns
		client(prepare...),        // 3
		client(exec("")),          // 4
		server(parsed, bound),     // 5
		server(row),               // 6
		server(tag("SELECT 1")),   // 7
		client(synced),            // 8
		server(ready),             // 9
		client(ask("select 1;2")), // 10
		server(row, tag("SELECT 1"), &pgproto3.NoticeResponse{}, failure("42601"), ready), // 11
		client(ask("copy t from stdin")), // 12
		server(copyIn),                   // 13
		client(copyData, copyDone),       // 14
		server(tag("COPY 1"), ready),     // 15
		client(parse("", "x"), synced),   // 16
		server(failure("42601"), ready),  // 17
		client(ask("select 1")),          // 18
	)
	size := func(m ...message) int64 { return int64(len(encode(m...))) }
	want := []results.Exchange{
		{Sent: ms(4), Done: ms(7), Kind: "SELECT", Pattern: "select ?", Reply: results.ReplyOK,
			Up: size(append(prepare, exec(""))...), Down: size(parsed, bound, row, tag("SELECT 1"))},
		{Sent: ms(10), Done: ms(11), Kind: "SELECT", Pattern: "select ?", Reply: results.ReplyOK,
			Up: size(ask("select 1;2")), Down: size(row, tag("SELECT 1"))},
		{Sent: ms(10), Done: ms(11), Kind: "UNKNOWN", Pattern: "?", Reply: "42601", Down: size(failure("42601"))},
		{Sent: ms(12), Done: ms(15), Kind: "COPY", Pattern: "copy t from stdin", Reply: results.ReplyOK,
			Up: size(ask("copy t from stdin"), copyData, copyDone), Down: size(copyIn, tag("COPY 1"))},
		{Sent: ms(18), Done: ms(19), Kind: "SELECT", Pattern: "select ?", Reply: results.ReplyNone, Up: size(ask("select 1"))},
	}
	for _, pieces := range []int{0, 1, 5} {
		if diff := cmp.Diff(want, converse(t, turns, pieces).exchanges); diff != "" {
			t.Errorf("exchanges in pieces of %d bytes (-want +got):\n%s", pieces, diff)
		}
	}
}

// TestNoWordOfAPassword looks for it in everything that a dialog holds and says.
func TestNoWordOfAPassword(t *testing.T) {
	const secret = "hunter2"
	for _, size := range []int{0, 1, 4} {
		r := &recorder{}
		d := New(r.report)
		for _, s := range []turn{
			client(hello()), server(&pgproto3.AuthenticationCleartextPassword{}),
			client(&pgproto3.PasswordMessage{Password: secret}),
			server(&pgproto3.AuthenticationOk{}, ready),
			client(ask("alter role u password '" + secret + "'")),
		} {
			for len(s.b) > 0 {
				n := len(s.b)
				if size > 0 {
					n = min(n, size)
				}
				say(t, d, turn{s.fromServer, s.b[:n]}, 0)
				s.b = s.b[n:]
				if held := fmt.Sprintf("%s %+v", d.up.kept, d.waiting.items); strings.Contains(held, secret) && d.up.kind == 'p' {
					t.Fatalf("the dialog holds %q", held)
				}
			}
		}
		d.End(0)
		if got := fmt.Sprint(r.exchanges); strings.Contains(got, secret) || len(r.exchanges) != 1 {
			t.Errorf("exchanges = %s, want one without %q", got, secret)
		}
	}
}
