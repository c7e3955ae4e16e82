package pgwire

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"brownout/results"

	"github.com/jackc/pgx/v5/pgproto3"
)

// A turn is what one side says in one go.
type turn struct {
	fromServer bool
	b          []byte
}

type message interface {
	Encode([]byte) ([]byte, error)
}

func encode(messages ...message) []byte {
	var b []byte
	for _, m := range messages {
		var err error
		if b, err = m.Encode(b); err != nil {
			panic(err)
		}
	}
	return b
}

func client(messages ...message) turn { return turn{false, encode(messages...)} }
func server(messages ...message) turn { return turn{true, encode(messages...)} }

// What clients say.
func hello() message {
	return &pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "u"}}
}
func ask(text string) message         { return &pgproto3.Query{String: text} }
func parse(name, text string) message { return &pgproto3.Parse{Name: name, Query: text} }
func bind(portal, name string) message {
	return &pgproto3.Bind{DestinationPortal: portal, PreparedStatement: name}
}
func exec(portal string) message { return &pgproto3.Execute{Portal: portal} }

var ( // of no state
	synced   = &pgproto3.Sync{}
	copyData = &pgproto3.CopyData{Data: []byte("1\n")}
	copyDone = &pgproto3.CopyDone{}
)

// What servers say.
func tag(text string) message { return &pgproto3.CommandComplete{CommandTag: []byte(text)} }
func failure(code string) message {
	return &pgproto3.ErrorResponse{Severity: "ERROR", SeverityUnlocalized: "ERROR", Code: code, Message: "no"}
}

var (
	ready    = &pgproto3.ReadyForQuery{TxStatus: 'I'}
	inside   = &pgproto3.ReadyForQuery{TxStatus: 'T'}
	row      = &pgproto3.DataRow{Values: [][]byte{[]byte("1")}}
	parsed   = &pgproto3.ParseComplete{}
	bound    = &pgproto3.BindComplete{}
	copyIn   = &pgproto3.CopyInResponse{ColumnFormatCodes: []uint16{0}}
	copyOut  = &pgproto3.CopyOutResponse{ColumnFormatCodes: []uint16{0}}
	copyBoth = &pgproto3.CopyBothResponse{}
)

// greeted is a connection up to its first ReadyForQuery, and then turns.
func greeted(turns ...turn) []turn {
	return append([]turn{
		client(hello()),
		server(&pgproto3.AuthenticationOk{}, &pgproto3.ParameterStatus{Name: "TimeZone", Value: "UTC"},
			&pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte{1, 2, 3, 4}}, ready),
	}, turns...)
}

// A recorder has the exchanges of a dialog.
type recorder struct{ exchanges []results.Exchange }

func (r *recorder) report(e results.Exchange) { r.exchanges = append(r.exchanges, e) }

// lines says of each exchange what a test is after: KIND "pattern" reply.
func (r *recorder) lines() []string {
	var lines []string
	for _, e := range r.exchanges {
		line := fmt.Sprintf("%s %q %s", e.Kind, e.Pattern, e.Reply)
		if e.Injected {
			line += " injected"
		}
		lines = append(lines, line)
	}
	return lines
}

// say gives b to d and checks that it comes out as it went in.
func say(t testing.TB, d *Dialog, s turn, at time.Duration) {
	t.Helper()
	step, name := d.Up, "Up"
	if s.fromServer {
		step, name = d.Down, "Down"
	}
	got := step(s.b, at)
	if string(got.Forward) != string(s.b) || len(got.Back) > 0 || got.Delay != 0 || got.Close {
		t.Fatalf("%s(%q) = %+v, want it forwarded as it is", name, s.b, got)
	}
	if len(s.b) > 0 && &got.Forward[0] != &s.b[0] {
		t.Fatalf("%s(%q) returned a copy, want the input itself", name, s.b)
	}
}

// converse plays a connection, a turn each millisecond, in pieces of size bytes (0:
// a turn at a time), and returns what was found.
func converse(t testing.TB, turns []turn, size int) *recorder {
	t.Helper()
	r := &recorder{}
	d := New(r.report)
	at := time.Duration(0)
	for _, s := range turns {
		at += time.Millisecond
		if size == 0 {
			say(t, d, s, at)
			continue
		}
		for b := range slices.Chunk(s.b, size) {
			// Of its own, as a link's buffer is: what is kept of it must be a copy.
			piece := turn{s.fromServer, slices.Clone(b)}
			say(t, d, piece, at)
			clear(piece.b)
		}
	}
	d.End(at + time.Millisecond)
	return r
}
