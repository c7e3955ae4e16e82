package pgwire

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgproto3"
)

func raw(b ...byte) turn       { return turn{false, b} }
func rawServer(b ...byte) turn { return turn{true, b} }

// header is the beginning of a message of kind with length.
func header(kind byte, length uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{kind}, length)
}

func TestSteppingAside(t *testing.T) {
	// Behind each row follows a statement, which is found if the dialog follows still.
	after := []turn{client(ask("select 1")), server(tag("SELECT 1"), ready)}
	ssl, gss := client(&pgproto3.SSLRequest{}), client(&pgproto3.GSSEncRequest{})
	start := []turn{client(hello()), server(&pgproto3.AuthenticationOk{}, ready)}
	join := func(first ...turn) []turn { return append(first, start...) }
	for _, row := range []struct {
		name  string
		turns []turn
		want  string // Aside
	}{
		{"a refused SSLRequest goes on", join(ssl, rawServer('N')), ""},
		{"a refused GSSENCRequest and SSLRequest go on", join(gss, rawServer('N'), ssl, rawServer('N')), ""},
		{"TLS", join(ssl, rawServer('S'), raw(0x16, 3, 1, 0, 100)), encrypted},
		{"GSS encryption", join(gss, rawServer('G'), raw(1, 2, 3)), encrypted},
		{"an answer that is none", join(ssl, rawServer('?')), foreign},
		{"TLS from the start", []turn{raw(0x16, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3)}, foreign},
		{"a client that does not wait for the answer", []turn{{false, append(ssl.b, 0)}}, foreign},
		{"a client that starts without waiting for the answer",
			[]turn{client(&pgproto3.SSLRequest{}, hello()), rawServer('N'), server(&pgproto3.AuthenticationOk{}, ready)}, foreign},
		{"an SSLRequest while the server speaks", join(rawServer('N', 0), ssl, rawServer('N')), foreign},
		{"protocol 2", []turn{raw(0, 0, 0, 9, 0, 2, 0, 0, 0)}, foreign},
		{"a short packet", []turn{raw(0, 0, 0, 7, 0, 3, 0, 0)}, foreign},
		{"a long packet", []turn{raw(0, 0, 0x27, 0x11)}, foreign}, // 10001
		{"a later minor version", []turn{{false, encode(&pgproto3.StartupMessage{ProtocolVersion: 3<<16 | 2})},
			server(&pgproto3.AuthenticationOk{}, ready)}, ""},
		{"a message of an unknown type", append(start, turn{false, header('y', 4)}), foreign},
		{"a message of an unknown type from the server", append(start, turn{true, header('y', 4)}), foreign},
		{"a message that is too short", append(start, turn{false, header('S', 3)}), foreign},
		{"a message that is too long", append(start, turn{false, header('d', 1<<30)}), foreign},
		{"a reply that nobody asked for", append(start, server(tag("SELECT 1"))), unasked},
		{"a reply to another kind of request", append(start, client(&pgproto3.FunctionCall{}), server(tag("SELECT 1"))), unasked},
		{"a suspended portal of a query", append(start, client(ask("select 2")), server(&pgproto3.PortalSuspended{})), unasked},
		{"a function's result for a query", append(start, client(ask("select 2")), server(&pgproto3.FunctionCallResponse{})), unasked},
		{"a copy that nobody asked for", append(start, server(copyIn)), unasked},
		{"a ReadyForQuery too many", append(start, server(ready)), unasked},
		{"a ReadyForQuery for an Execute", append(start, client(exec("")), server(ready)), unasked},
		{"a ReadyForQuery before the reply", append(start, client(exec(""), synced), server(ready)), unasked},
		{"replication", append(start, client(ask("start_replication 0/0")), server(copyBoth)), replicates},
		{"a query within a copy", append(start, client(ask("copy t from stdin")), server(copyIn), client(ask("select 2"))), foreign},
		{"an empty connection", nil, foreign}, // of the statement, whose length would be of gigabytes
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, size := range []int{0, 1, 3} {
				r := &recorder{}
				d := New(r.report)
				for _, s := range append(row.turns, after...) {
					play(t, d, s, size)
				}
				if got := d.Aside(); got != row.want {
					t.Errorf("in pieces of %d bytes: Aside() = %q, want %q", size, got, row.want)
				}
				if found := len(r.exchanges) > 0; found != (row.want == "") {
					t.Errorf("in pieces of %d bytes: exchanges = %v, want some only of a dialog that follows", size, r.lines())
				}
				d.End(0)
			}
		})
	}
}

// play gives s to d in pieces of size bytes, 0: at once.
func play(t testing.TB, d *Dialog, s turn, size int) {
	t.Helper()
	for b := s.b; len(b) > 0; {
		n := len(b)
		if size > 0 {
			n = min(n, size)
		}
		say(t, d, turn{s.fromServer, b[:n:n]}, 0)
		b = b[n:]
	}
}

func TestAnErrorMayAnswerAnSSLRequest(t *testing.T) {
	for _, size := range []int{0, 1} {
		d := New((&recorder{}).report)
		play(t, d, client(&pgproto3.SSLRequest{}), size)
		play(t, d, server(failure("53000")), size)
		if got := d.Aside(); got != "" || !d.down.between() {
			t.Errorf("in pieces of %d bytes: Aside() = %q, between messages: %v, want the error to be understood", size, got, d.down.between())
		}
	}
}

func TestACancelRequestIsNotAside(t *testing.T) {
	for _, key := range []int{4, 32} { // protocol 3.2 has long keys
		r := &recorder{}
		d := New(r.report)
		play(t, d, client(&pgproto3.CancelRequest{ProcessID: 1, SecretKey: make([]byte, key)}), 0)
		play(t, d, client(ask("select 1")), 0)
		d.End(0)
		if got := d.Aside(); got != "" || len(r.exchanges) > 0 {
			t.Errorf("after a CancelRequest: Aside() = %q, %d exchanges, want neither", got, len(r.exchanges))
		}
	}
}

func TestWhatWaitsWhenADialogStepsAsideIsNotReported(t *testing.T) {
	r := converse(t, greeted(client(ask("select 1")), turn{true, header('y', 4)}), 0)
	if len(r.exchanges) > 0 {
		t.Errorf("exchanges = %v, want none: their replies were not understood", r.lines())
	}
}

func TestADialogHoldsLittle(t *testing.T) {
	const many = maxWaiting + 10
	executes := strings.Repeat(string(encode(exec(""))), many)
	for _, row := range []struct {
		name string
		turn turn
		want string // Aside
	}{
		{"requests without a reply", turn{false, []byte(executes)}, tooMuch},
		{"statements without a reply", client(slices.Repeat([]message{ask(strings.Repeat("a;", 1000))}, maxWaiting/1000+1)...), tooMuch},
		{"a message of a megabyte", client(ask(strings.Repeat("x", 1<<20))), ""},
		{"a reply of a megabyte", server(&pgproto3.DataRow{Values: [][]byte{make([]byte, 1<<20)}}), ""},
		{"names", turn{false, manyNames(5000)}, ""},
	} {
		d := New((&recorder{}).report)
		for _, s := range greeted(row.turn) {
			play(t, d, s, 1000)
		}
		if got := d.Aside(); got != row.want {
			t.Errorf("%s: Aside() = %q, want %q", row.name, got, row.want)
		}
		checkSize(t, row.name, d)
	}
}

func TestADialogForgetsWhatWasAnswered(t *testing.T) {
	d := New((&recorder{}).report)
	start := greeted(client(parse("", "x"), bind("", "")), server(parsed, bound))
	for _, s := range append(start, client(slices.Repeat([]message{exec("")}, 4*queueKept)...), client(synced)) {
		play(t, d, s, 0)
	}
	play(t, d, server(append(slices.Repeat([]message{tag("SELECT 1")}, 4*queueKept), ready)...), 0)
	if got := cap(d.waiting.items); got > queueKept {
		t.Errorf("there is room for %d requests when all are answered, want at most %d", got, queueKept)
	}
	up, down := extendedTrip()
	copyUp := encode(parse("", "copy t from stdin"), bind("", ""), exec(""), synced, synced, copyDone, synced)
	copyDown := encode(parsed, bound, copyIn, tag("COPY 0"), ready)
	for range maxWaiting {
		d.Up(up, 0)
		d.Down(down, 0)
		d.Up(copyUp, 0)
		d.Down(copyDown, 0)
	}
	if got := d.Aside(); got != "" || d.waiting.weight != 0 {
		t.Errorf("Aside() = %q, weight of what waits %d, want nothing to wait", got, d.waiting.weight)
	}
}

func TestAQueueThatIsNeverEmptyStaysShort(t *testing.T) {
	var q queue
	for i := range 10 * queueKept {
		q.push(request{what: doExecute, pattern: "p"})
		if i > 3 {
			q.pop()
		}
	}
	if got := cap(q.items); got > 64 {
		t.Errorf("there is room for %d requests where 4 wait, want at most 64", got)
	}
	for q.front() != nil {
		q.pop()
	}
	for i, r := range q.items[:cap(q.items)] {
		if r.pattern != "" {
			t.Errorf("place %d of an empty queue holds %q, want nothing", i, r.pattern)
		}
	}
}

// manyNames prepares and binds n statements under names of their own.
func manyNames(n int) []byte {
	var b []byte
	for i := range n {
		name := strings.Repeat("n", 100) + string(rune('0'+i%10))
		name = string(binary.BigEndian.AppendUint16([]byte("n"), uint16(i)|0x0101)) + name
		b = append(b, encode(parse(name, "select 1"), bind(name, name))...)
	}
	return b
}

// checkSize checks that d holds no more than it promises.
func checkSize(t testing.TB, name string, d *Dialog) {
	t.Helper()
	type sizes struct{ Up, Down, Waiting, Statements, Portals bool }
	got := sizes{
		cap(d.up.kept) <= 2*textKept, cap(d.down.kept) <= 2*replyKept, d.waiting.len() <= d.waiting.weight && d.waiting.weight <= maxWaiting && cap(d.waiting.items) <= 4*maxWaiting,
		len(d.statements.named) <= maxNames, len(d.portals.named) <= maxNames,
	}
	if diff := cmp.Diff(sizes{true, true, true, true, true}, got); diff != "" {
		t.Errorf("%s: what a dialog holds is within its bounds (-want +got):\n%s", name, diff)
	}
}
