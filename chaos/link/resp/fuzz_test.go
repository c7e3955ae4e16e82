package resp

import (
	"bytes"
	"strings"
	"testing"

	"brownout/chaos"
	"brownout/results"

	"github.com/google/go-cmp/cmp"
)

// seedStreams adds what the unit tests play as seeds.
func seedStreams(f *testing.F) {
	for _, tt := range tapTests {
		var up, down string
		for i, text := range tt.turns {
			if i%2 == 0 {
				up += text
			} else {
				down += text
			}
		}
		f.Add([]byte(up), []byte(down), []byte{1, 7, 0, 200, 2})
	}
	f.Add([]byte(strings.Repeat("x", 1000)), []byte("*1000000000\r\n"), []byte{255})
}

// chunks cuts b at the places that cuts says; byte 0 lets the rest be whole.
func chunks(b, cuts []byte) [][]byte {
	var all [][]byte
	for i := 0; len(b) > 0; i++ {
		n := len(b)
		if len(cuts) > 0 && cuts[i%len(cuts)] > 0 {
			n = min(n, int(cuts[i%len(cuts)]))
		}
		all, b = append(all, b[:n]), b[n:]
	}
	return all
}

// FuzzWhatPassesIsNotChanged holds that without an answer in force each step
// forwards the very slice that it was given, and that little is kept.
func FuzzWhatPassesIsNotChanged(f *testing.F) {
	seedStreams(f)
	f.Fuzz(func(t *testing.T, up, down, cuts []byte) {
		d := New(func(results.Exchange) {})
		upChunks, downChunks := chunks(up, cuts), chunks(down, cuts)
		for i := range max(len(upChunks), len(downChunks)) {
			if i < len(upChunks) {
				s := d.Up(upChunks[i], 0)
				if !same(s.Forward, upChunks[i]) || s.Back != nil || s.Close {
					t.Fatalf("Up(%q) = %q, back %q, close %t", upChunks[i], s.Forward, s.Back, s.Close)
				}
			}
			if i < len(downChunks) {
				s := d.Down(downChunks[i], 0)
				if !same(s.Forward, downChunks[i]) || s.Back != nil || s.Close {
					t.Fatalf("Down(%q) = %q, back %q, close %t", downChunks[i], s.Forward, s.Back, s.Close)
				}
			}
		}
		if kept := len(d.held) + cap(d.forward) + cap(d.back) + cap(d.given); kept > 0 {
			t.Errorf("%d bytes are kept", kept)
		}
		if len(d.request.line) > maxLine || len(d.queue.ring) > 2*maxPending || len(d.names) > maxPatterns {
			t.Errorf("a line of %d bytes, %d slots and %d patterns are kept", len(d.request.line), len(d.queue.ring), len(d.names))
		}
	})
}

func same(a, b []byte) bool { return len(a) == len(b) && len(a) > 0 && &a[0] == &b[0] }

// FuzzPiecesDoNotMatter holds that what is counted, answered and forwarded does not
// depend on how the streams are cut, with and without answers in force.
func FuzzPiecesDoNotMatter(f *testing.F) {
	seedStreams(f)
	kinds := []chaos.Kind{"", chaos.Readonly, chaos.ReadonlyClose, chaos.Loading, chaos.NoAuth, chaos.ClusterDown, chaos.Garbage}
	f.Fuzz(func(t *testing.T, up, down, cuts []byte) {
		for _, kind := range kinds {
			once := passage(kind, [][]byte{up}, [][]byte{down})
			often := passage(kind, chunks(up, cuts), chunks(down, cuts))
			if diff := cmp.Diff(once.exchanges(), often.exchanges()); diff != "" {
				t.Errorf("%s: exchanges differ (-whole +cut):\n%s", kind, diff)
			}
			if diff := cmp.Diff(once.said, often.said); diff != "" {
				t.Errorf("%s: exchanges differ (-whole +cut):\n%s", kind, diff)
			}
			if once.toRedis.String() != often.toRedis.String() || once.toUser.String() != often.toUser.String() {
				t.Errorf("%s: the server is sent %q and %q, the client %q and %q", kind, &once.toRedis, &often.toRedis, &once.toUser, &often.toUser)
			}
			if once.Aside() != often.Aside() || once.closed != often.closed {
				t.Errorf("%s: aside %q and %q, closed %t and %t", kind, once.Aside(), often.Aside(), once.closed, often.closed)
			}
		}
	})
}

// passage plays what the client sends, and then what the server sends.
func passage(kind chaos.Kind, up, down [][]byte) *talk {
	d := newTalk()
	if kind != "" {
		d.inject(kind)
	}
	for _, b := range up {
		d.asks(string(b))
	}
	for _, b := range down {
		d.replies(string(b))
	}
	d.End(3)
	return d
}

// FuzzInlineRequestsAreSplitAsWhole holds that an inline request is read as the
// array of its arguments is.
func FuzzInlineRequestsAreSplitAsWhole(f *testing.F) {
	for _, line := range []string{`get a`, `set "a b" 'c\'d'`, `set "\x41\n\"" x`, `set a"b`, `get "a"b`, ``} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.ContainsAny(line, "\n\x00*") || len(line) > 1000 {
			return
		}
		args, ok := splitLine(line)
		inline := passage("", [][]byte{append(line, '\n')}, nil)
		if !ok {
			if inline.Aside() != notRequest {
				t.Errorf("%q is followed", line)
			}
			return
		}
		words := make([]string, len(args))
		for i, arg := range args {
			words[i] = string(arg)
		}
		want := passage("", [][]byte{[]byte(array(words))}, nil)
		if diff := cmp.Diff(want.exchanges(), inline.exchanges()); diff != "" {
			t.Errorf("%q: exchanges differ (-array +inline):\n%s", line, diff)
		}
	})
}
