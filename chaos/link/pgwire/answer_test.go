package pgwire

import (
	"bytes"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"brownout/chaos/link/wire"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgproto3"
)

// A tally counts what an answer could have hit, and what it hit.
type tally struct{ chances, bites atomic.Int64 }

func newAnswer(kind string) (*wire.Answer, *tally) {
	c := &tally{}
	a := &wire.Answer{Kind: kind, Chance: func() { c.chances.Add(1) }, Bite: func() { c.bites.Add(1) }}
	if kind == SlowQuery {
		a.Delay = time.Second
	}
	return a, c
}

func (c *tally) check(t *testing.T, what string, chances, bites int64) {
	t.Helper()
	if gotChances, gotBites := c.chances.Load(), c.bites.Load(); gotChances != chances || gotBites != bites {
		t.Errorf("%s: counted %d chances and %d bites, want %d and %d", what, gotChances, gotBites, chances, bites)
	}
}

func checkStep(t *testing.T, what string, got, want wire.Step) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.Transformer("text", func(b []byte) string { return string(b) })); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// checkSilence checks that d swallows what comes behind its end.
func checkSilence(t *testing.T, d *Dialog) {
	t.Helper()
	checkStep(t, "Up behind the end", d.Up(encode(ask("select 1")), 0), wire.Step{})
	checkStep(t, "Down behind the end", d.Down(encode(ready), 0), wire.Step{})
	late, counted := newAnswer(AdminShutdown)
	checkStep(t, "Inject behind the end", d.Inject(late, false, 0), wire.Step{})
	counted.check(t, "an answer behind the end", 0, 0)
}

func fatalBytes(f fatal) []byte { return f.appendTo(nil) }

func TestAFatalIsAnErrorResponse(t *testing.T) {
	var got pgproto3.ErrorResponse
	b := fatalBytes(terminating())
	if err := got.Decode(b[5:]); err != nil {
		t.Fatal(err)
	}
	want := pgproto3.ErrorResponse{
		Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: "57P01",
		Message: "terminating connection due to administrator command",
		File:    "postgres.c", Line: 3211, Routine: "ProcessInterrupts",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fatal (-want +got):\n%s", diff)
	}
	if b[0] != 'E' || int(b[3])<<8|int(b[4]) != len(b)-1 {
		t.Errorf("header = %q, want E and the length %d", b[:5], len(b)-1)
	}
}

func TestAdminShutdownOfALiveConnection(t *testing.T) {
	whole := encode(row)
	for _, r := range []struct {
		name       string
		turns      []turn // before it is in force
		back       []byte // at once; nil: not closed at once
		forward    []byte // of the server's next bytes, when it is not closed at once
		next       []byte
		exchanges  []string
		closedOnly bool // at once, without a word
	}{
		{name: "an idle one is told at once", turns: greeted(), back: fatalBytes(terminating())},
		{name: "its statement has failed", turns: greeted(client(ask("select 1"))),
			back: fatalBytes(terminating()), exchanges: []string{`SELECT "select ?" 57P01 injected`}},
		{name: "a statement that lacks only ReadyForQuery has not", turns: greeted(client(ask("select 1")), server(tag("SELECT 1"))),
			back: fatalBytes(terminating()), exchanges: []string{`SELECT "select ?" ok`}},
		{name: "what the server would skip is none, what is behind that has no reply",
			turns: greeted(client(parse("", "values (1)"), bind("", ""), exec(""), exec(""), synced, ask("select 1")), server(parsed, bound)),
			back:  fatalBytes(terminating()), exchanges: []string{`VALUES "values (?)" 57P01 injected`, `SELECT "select ?" none`}},
		{name: "a message that has begun is finished", turns: greeted(client(ask("select 1")), turn{true, whole[:7]}),
			next: append(whole[7:], encode(row, ready)...), forward: append(whole[7:], fatalBytes(terminating())...),
			exchanges: []string{`SELECT "select ?" 57P01 injected`}},
		{name: "a message of which a byte has come is finished", turns: greeted(turn{true, whole[:1]}),
			next: whole[1:], forward: append(whole[1:], fatalBytes(terminating())...)},
		{name: "a message that ends the statement lets it be", turns: greeted(client(ask("select 1")), turn{true, encode(tag("SELECT 1"))[:3]}),
			next: encode(tag("SELECT 1"))[3:], forward: append(encode(tag("SELECT 1"))[3:], fatalBytes(terminating())...),
			exchanges: []string{`SELECT "select ?" ok`}},
		{name: "one that has sent nothing is told nothing", closedOnly: true},
		{name: "one that waits to be authenticated is told nothing",
			turns: []turn{client(hello()), server(&pgproto3.AuthenticationCleartextPassword{})}, closedOnly: true},
		{name: "one that asked for TLS is told nothing", turns: []turn{client(&pgproto3.SSLRequest{})}, closedOnly: true},
		{name: "one that has just been authenticated is told", turns: []turn{client(hello()), server(&pgproto3.AuthenticationOk{})},
			back: fatalBytes(terminating())},
		{name: "one whose authentication is under way is told nothing behind that",
			turns: []turn{client(hello()), {true, encode(&pgproto3.AuthenticationCleartextPassword{})[:6]}},
			next:  encode(&pgproto3.AuthenticationCleartextPassword{})[6:], forward: encode(&pgproto3.AuthenticationCleartextPassword{})[6:]},
	} {
		t.Run(r.name, func(t *testing.T) {
			found := &recorder{}
			d := New(found.report)
			for _, s := range r.turns {
				play(t, d, s, 0)
			}
			a, counted := newAnswer(AdminShutdown)
			step := d.Inject(a, false, 0)
			if r.back != nil || r.closedOnly {
				checkStep(t, "Inject", step, wire.Step{Back: r.back, Close: true})
			} else {
				checkStep(t, "Inject", step, wire.Step{})
				counted.check(t, "in the middle of a message", 1, 0)
				checkStep(t, "Up meanwhile", d.Up(encode(synced)[:2], 0), wire.Step{Forward: encode(synced)[:2]})
				checkStep(t, "Down", d.Down(r.next, 0), wire.Step{Forward: r.forward, Close: true})
			}
			counted.check(t, r.name, 1, 1)
			checkSilence(t, d)
			d.Lift(a)
			d.End(0)
			if got := found.lines(); !slices.Equal(got, r.exchanges) {
				t.Errorf("exchanges = %q, want %q", got, r.exchanges)
			}
			for _, e := range found.exchanges {
				if told := int64(len(fatalBytes(terminating()))); e.Injected && e.Down < told {
					t.Errorf("an exchange of %d bytes down, want it to have the %d of the error", e.Down, told)
				}
			}
		})
	}
}

func TestAnAnswerThatIsLiftedInTimeHitsNobody(t *testing.T) {
	whole := encode(row)
	d := New((&recorder{}).report)
	for _, s := range greeted(client(ask("select 1")), turn{true, whole[:7]}) {
		play(t, d, s, 0)
	}
	a, counted := newAnswer(AdminShutdown)
	d.Inject(a, false, 0)
	d.Lift(a)
	play(t, d, turn{true, append(whole[7:], encode(tag("SELECT 1"), ready)...)}, 0)
	counted.check(t, "lifted in the middle of a message", 1, 0)

	for _, kind := range []string{AdminShutdown, TooManyConnections, SlowQuery} {
		a, counted := newAnswer(kind)
		fresh := New((&recorder{}).report)
		fresh.Inject(a, true, 0)
		play(t, fresh, turn{false, encode(hello())[:5]}, 0)
		fresh.Lift(a)
		play(t, fresh, turn{false, encode(hello())[5:]}, 0)
		play(t, fresh, client(ask("select 1")), 0)
		counted.check(t, kind+" lifted before the StartupMessage was whole", 0, 0)
	}
}

func TestNewConnectionsAreTurnedAway(t *testing.T) {
	start := encode(hello())
	for kind, want := range map[string]fatal{AdminShutdown: shuttingDown(), TooManyConnections: tooMany()} {
		for _, r := range []struct {
			name  string
			turns []turn // go through
			last  []byte
		}{
			{"at once", nil, start},
			{"when the StartupMessage is whole", []turn{{false, start[:9]}}, start[9:]},
			{"behind an SSLRequest", []turn{client(&pgproto3.SSLRequest{}), rawServer('N')}, start},
			{"with what they sent behind it", nil, append(bytes.Clone(start), encode(ask("select 1"))...)},
		} {
			t.Run(kind+" "+r.name, func(t *testing.T) {
				found := &recorder{}
				d := New(found.report)
				a, counted := newAnswer(kind)
				checkStep(t, "Inject", d.Inject(a, true, 0), wire.Step{})
				for _, s := range r.turns {
					play(t, d, s, 0)
				}
				counted.check(t, "before the StartupMessage", 0, 0)
				checkStep(t, "Up", d.Up(r.last, 0), wire.Step{Back: fatalBytes(want), Close: true})
				counted.check(t, "with the StartupMessage", 1, 1)
				checkSilence(t, d)
				d.End(0)
				if len(found.exchanges) > 0 {
					t.Errorf("exchanges = %q, want none", found.lines())
				}
			})
		}
	}
}

func TestTheFirstAnswerInForceTurnsAway(t *testing.T) {
	d := New((&recorder{}).report)
	first, counted := newAnswer(TooManyConnections)
	second, notCounted := newAnswer(AdminShutdown)
	d.Inject(first, true, 0)
	d.Inject(second, true, 0)
	checkStep(t, "Up", d.Up(encode(hello()), 0), wire.Step{Back: fatalBytes(tooMany()), Close: true})
	counted.check(t, "the first", 1, 1)
	notCounted.check(t, "the second", 0, 0)
}

func TestTooManyConnectionsLeavesLiveOnesAlone(t *testing.T) {
	d := New((&recorder{}).report)
	a, counted := newAnswer(TooManyConnections)
	play(t, d, turn{false, encode(hello())[:5]}, 0)
	checkStep(t, "Inject", d.Inject(a, false, 0), wire.Step{})
	play(t, d, turn{false, encode(hello())[5:]}, 0)
	play(t, d, client(ask("select 1")), 0)
	counted.check(t, "a live connection", 0, 0)
}

func TestSlowQuery(t *testing.T) {
	const second = time.Second
	question := encode(ask("select 1"))
	d := New((&recorder{}).report)
	a, counted := newAnswer(SlowQuery)
	d.Inject(a, true, 0)
	chances := int64(0)
	for _, r := range []struct {
		name       string
		b          []byte
		delay      time.Duration
		statements int64
	}{
		{"starting is not slow", encode(hello()), 0, 0},
		{"a password is not slow", encode(&pgproto3.PasswordMessage{Password: "p"}), 0, 0},
		{"preparing is not slow", encode(parse("s", "select 1"), &pgproto3.Describe{ObjectType: 'S', Name: "s"}, synced), 0, 0},
		{"a query is slow", question, second, 1},
		{"executing is slow", encode(bind("", "s"), exec(""), synced), second, 1},
		{"a function call is slow", encode(&pgproto3.FunctionCall{}), second, 1},
		{"statements that come together wait once", encode(exec(""), exec(""), ask("select 1")), second, 3},
		{"the beginning of a statement does not wait", question[:9], 0, 0},
		{"its end does", question[9:], second, 1},
		{"the next end does too", append(encode(synced), question...), second, 1},
	} {
		checkStep(t, r.name, d.Up(r.b, 0), wire.Step{Forward: r.b, Delay: r.delay})
		chances += r.statements
		counted.check(t, r.name, chances, chances)
	}
	b := encode(ready)
	checkStep(t, "Down", d.Down(b, 0), wire.Step{Forward: b})

	other, _ := newAnswer(SlowQuery)
	d.Inject(other, false, 0)
	checkStep(t, "two of them", d.Up(question, 0), wire.Step{Forward: question, Delay: 2 * second})
	d.Lift(a)
	checkStep(t, "one lifted", d.Up(question, 0), wire.Step{Forward: question, Delay: second})
	d.Lift(other)
	checkStep(t, "both lifted", d.Up(question, 0), wire.Step{Forward: question})
	counted.check(t, "the first", chances+1, chances+1)
}

func TestCancelRequestsAreNeverAnswered(t *testing.T) {
	for _, kind := range []string{AdminShutdown, TooManyConnections, SlowQuery} {
		cancel := client(&pgproto3.CancelRequest{ProcessID: 1, SecretKey: make([]byte, 4)})
		before, counted := newAnswer(kind)
		d := New((&recorder{}).report)
		d.Inject(before, true, 0)
		play(t, d, cancel, 0)
		after, afterwards := newAnswer(kind)
		checkStep(t, "Inject", d.Inject(after, false, 0), wire.Step{})
		counted.check(t, kind+" in force before", 0, 0)
		afterwards.check(t, kind+" in force afterwards", 0, 0)
	}
}

func TestEncryptedConnectionsAreMissed(t *testing.T) {
	for _, kind := range []string{AdminShutdown, TooManyConnections} {
		d := New((&recorder{}).report)
		door, counted := newAnswer(kind)
		d.Inject(door, true, 0)
		play(t, d, client(&pgproto3.SSLRequest{}), 0)
		play(t, d, rawServer('S'), 0)
		counted.check(t, kind+" of a new connection", 1, 0)
		play(t, d, client(hello()), 0)
		live, counted := newAnswer(kind)
		checkStep(t, "Inject", d.Inject(live, false, 0), wire.Step{})
		want := int64(0)
		if kind == AdminShutdown {
			want = 1
		}
		counted.check(t, kind+" of a live connection", want, 0)
	}
}

func TestADialogThatStepsAsideForgetsAShutdown(t *testing.T) {
	d := New((&recorder{}).report)
	for _, s := range greeted(turn{true, []byte{'D', 0}}) {
		play(t, d, s, 0)
	}
	a, counted := newAnswer(AdminShutdown)
	checkStep(t, "Inject", d.Inject(a, false, 0), wire.Step{})
	play(t, d, rawServer(0, 0, 0, 1, 2, 3), 0)
	play(t, d, server(ready), 0)
	counted.check(t, "a stream that broke", 1, 0)
}

func TestADialogThatStepsAsideWithAMessageForgetsAShutdown(t *testing.T) {
	whole := encode(copyBoth)
	d := New((&recorder{}).report)
	for _, s := range greeted(client(ask("start_replication")), turn{true, whole[:3]}) {
		play(t, d, s, 0)
	}
	a, counted := newAnswer(AdminShutdown)
	checkStep(t, "Inject", d.Inject(a, false, 0), wire.Step{})
	play(t, d, turn{true, whole[3:]}, 0)
	play(t, d, server(ready), 0)
	counted.check(t, "a stream that became a replication", 1, 0)
}

func TestAnswersOfOtherProtocolsAreIgnored(t *testing.T) {
	d := New((&recorder{}).report)
	a, counted := newAnswer("readonly")
	checkStep(t, "Inject", d.Inject(a, true, 0), wire.Step{})
	for _, s := range greeted(client(ask("select 1"))) {
		play(t, d, s, 0)
	}
	checkStep(t, "Inject", d.Inject(a, false, 0), wire.Step{})
	counted.check(t, "readonly", 0, 0)
}

func TestNothingIsSaidBehindTheEnd(t *testing.T) {
	found := &recorder{}
	d := New(found.report)
	for _, s := range greeted(client(ask("select 1"))) {
		play(t, d, s, 0)
	}
	d.End(1)
	d.End(2)
	checkSilence(t, d)
	if got, want := found.lines(), []string{`SELECT "select ?" none`}; !slices.Equal(got, want) {
		t.Errorf("exchanges = %q, want %q", got, want)
	}
}
