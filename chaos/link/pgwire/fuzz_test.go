package pgwire

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"brownout/results"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgproto3"
)

// A script is turns in bytes: for each, two bytes with its length, whose highest bit
// says that the server speaks, and what is said.
const spokenByServer = 1 << 15

func writeScript(turns []turn) []byte {
	var b []byte
	for _, s := range turns {
		for part := range slices.Chunk(s.b, spokenByServer-1) {
			length := uint16(len(part))
			if s.fromServer {
				length |= spokenByServer
			}
			b = append(binary.BigEndian.AppendUint16(b, length), part...)
		}
	}
	return b
}

// readScript reads any bytes as a script.
func readScript(b []byte) []turn {
	var turns []turn
	for len(b) >= 2 {
		length := binary.BigEndian.Uint16(b)
		b = b[2:]
		n := min(int(length&^spokenByServer), len(b))
		turns = append(turns, turn{length&spokenByServer != 0, b[:n:n]})
		b = b[n:]
	}
	return turns
}

// scripts are the seeds: what pgx and PostgreSQL said to each other (see
// TestRecordTraffic), and what they would not say.
func scripts(f *testing.F) [][]byte {
	f.Helper()
	files, err := filepath.Glob("testdata/traffic/*.script")
	if err != nil || len(files) == 0 {
		f.Fatalf("finding recorded traffic: %d files, %v", len(files), err)
	}
	all := [][]byte{
		writeScript([]turn{client(&pgproto3.GSSEncRequest{}), rawServer('N'), client(&pgproto3.SSLRequest{}), rawServer('S'), raw(1)}),
		writeScript([]turn{client(&pgproto3.CancelRequest{SecretKey: []byte{1, 2, 3, 4}}), raw(1)}),
		writeScript(greeted(client(parse("", "copy t from stdin"), bind("", ""), exec(""), synced, copyData, copyDone, synced),
			server(parsed, bound, copyIn, failure("22P02"), ready))),
		writeScript(greeted(client(parse("s", "selec"), &pgproto3.Flush{}), server(failure("42601")),
			client(exec(""), &pgproto3.FunctionCall{}, synced), server(ready, &pgproto3.NotificationResponse{}))),
		writeScript(greeted(client(ask("start_replication")), server(copyBoth), server(copyData))),
		writeScript(greeted(client(exec("p"), &pgproto3.Close{ObjectType: 'S', Name: "s"}, synced), server(&pgproto3.PortalSuspended{}, inside))),
		writeScript(greeted(server(ready))),
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

// FuzzRoundTrip checks that every byte comes out as it went in, whatever it is, and
// that a dialog holds little.
func FuzzRoundTrip(f *testing.F) {
	for _, s := range scripts(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		d := New(func(e results.Exchange) {
			if e.Kind == "" || e.Reply == "" || len(e.Pattern) > patternMax || e.Done < e.Sent || e.Up < 0 || e.Down < 0 || e.Injected {
				t.Errorf("exchange %+v, want a kind, a reply, a short pattern and an order in time, and not injected", e)
			}
		})
		for i, s := range readScript(script) {
			say(t, d, s, time.Duration(i))
		}
		checkSize(t, "a script", d)
		d.End(time.Hour)
		checkSize(t, "its end", d)
	})
}

// FuzzChunking checks that the same exchanges are found whatever chunks the bytes
// come in.
func FuzzChunking(f *testing.F) {
	for _, s := range scripts(f) {
		f.Add(s, 5)
	}
	f.Fuzz(func(t *testing.T, script []byte, size int) {
		turns := readScript(script)
		want := converse(t, turns, 0).exchanges
		for _, size := range []int{1, 1 + int(uint8(size))} {
			if diff := cmp.Diff(want, converse(t, turns, size).exchanges); diff != "" {
				t.Errorf("exchanges in pieces of %d bytes (-as they came +got):\n%s", size, diff)
			}
		}
		timeless(want)
		got := converse(t, merge(turns), 0).exchanges
		timeless(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("exchanges of merged turns (-as they came +got):\n%s", diff)
		}
	})
}

// merge makes one of neighbouring turns of the same side.
func merge(turns []turn) []turn {
	var merged []turn
	for _, s := range turns {
		if n := len(merged); n > 0 && merged[n-1].fromServer == s.fromServer {
			merged[n-1].b = slices.Concat(merged[n-1].b, s.b)
			continue
		}
		merged = append(merged, s)
	}
	return merged
}

func timeless(all []results.Exchange) {
	for i := range all {
		all[i].Sent, all[i].Done = 0, 0
	}
}

// FuzzAnswers checks what an answer that comes and goes at any time may do: nothing,
// or end the connection between two messages of the server, with an error of its own
// at the most.
func FuzzAnswers(f *testing.F) {
	for _, s := range scripts(f) {
		f.Add(s, 0, 100, 7)
		f.Add(s, 9, 100, 11)
		f.Add(s, 9, 10, 3)
	}
	f.Fuzz(func(t *testing.T, script []byte, put, lift, size int) {
		for _, kind := range []string{AdminShutdown, TooManyConnections, SlowQuery} {
			newShow(kind, put, lift).play(t, cutUp(readScript(script), 1+int(uint8(size))))
		}
	})
}

func cutUp(turns []turn, size int) []turn {
	var pieces []turn
	for _, s := range turns {
		for b := range slices.Chunk(s.b, size) {
			pieces = append(pieces, turn{s.fromServer, b})
		}
	}
	return pieces
}

// A show plays turns to a dialog with an answer, and what was forwarded to another
// without.
type show struct {
	dialog, plain *Dialog
	kind          string
	put, lift     int // the turns before which the answer comes and goes
	ended         bool
}

func newShow(kind string, put, lift int) *show {
	drop := func(results.Exchange) {}
	return &show{dialog: New(drop), plain: New(drop), kind: kind, put: put, lift: lift}
}

func (s *show) play(t *testing.T, turns []turn) {
	a, counted := newAnswer(s.kind)
	for i, next := range turns {
		if i == s.put {
			step := s.dialog.Inject(a, i == 0, 0)
			s.checkEnd(t, step.Back, step.Close)
		}
		if i == s.lift {
			s.dialog.Lift(a)
		}
		s.turn(t, next)
	}
	s.dialog.End(0)
	chances, bites := counted.chances.Load(), counted.bites.Load()
	if bites > chances || s.ended != (bites > 0 && s.kind != SlowQuery) {
		t.Errorf("%s counted %d chances and %d bites, and ended: %v", s.kind, chances, bites, s.ended)
	}
}

func (s *show) turn(t *testing.T, next turn) {
	if !next.fromServer {
		step := s.dialog.Up(next.b, 0)
		s.checkForward(t, step.Forward, next.b, step.Close)
		s.plain.Up(step.Forward, 0)
		s.checkEnd(t, step.Back, step.Close)
		return
	}
	step := s.dialog.Down(next.b, 0)
	before := bytes.TrimSuffix(step.Forward, fatalBytes(terminating()))
	if !step.Close {
		before = step.Forward
	}
	s.checkForward(t, before, next.b, step.Close)
	s.plain.Down(before, 0)
	s.checkEnd(t, step.Forward[len(before):], step.Close)
}

// checkForward checks that got is what was said, or the beginning of that at the
// end, or nothing behind that.
func (s *show) checkForward(t *testing.T, got, said []byte, last bool) {
	t.Helper()
	switch {
	case s.ended && len(got) == 0:
	case last && bytes.HasPrefix(said, got):
	case !s.ended && !last && bytes.Equal(got, said):
	default:
		t.Fatalf("%s: forwarded %q of %q (at its end: %v, behind it: %v)", s.kind, got, said, last, s.ended)
	}
}

// checkEnd checks what the client is told at the end.
func (s *show) checkEnd(t *testing.T, told []byte, last bool) {
	t.Helper()
	if !last {
		if len(told) > 0 {
			t.Fatalf("%s: told %q, and did not end", s.kind, told)
		}
		return
	}
	if s.ended || s.kind == SlowQuery || !s.plain.down.between() || !s.plain.follows() {
		t.Fatalf("%s: ended; ended before: %v, follows: %v, between messages: %v",
			s.kind, s.ended, s.plain.follows(), s.plain.down.between())
	}
	s.ended = true
	texts := [][]byte{nil, fatalBytes(terminating())}
	if s.put == 0 {
		texts = [][]byte{fatalBytes(shuttingDown()), fatalBytes(tooMany())}
	}
	if !slices.ContainsFunc(texts, func(b []byte) bool { return bytes.Equal(b, told) }) {
		t.Fatalf("%s: told %q, want one of %q", s.kind, told, texts)
	}
}
