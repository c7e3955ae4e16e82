package resp

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"brownout/chaos/link/wire"
	"brownout/results"
)

// cut gives b to step in pieces: the sizes come from by, so that the fuzzer
// chooses them.
func cut(b, by []byte, step func([]byte) wire.Step) []byte {
	var all []byte
	for i := 0; len(b) > 0; i++ {
		n := len(b)
		if len(by) > 0 {
			n = min(n, 1+int(by[i%len(by)])%16)
		}
		all = append(all, step(b[:n:n]).Forward...)
		b = b[n:]
	}
	return all
}

func seeds(f *testing.F) {
	for _, s := range [][2]string{
		{get + set + ping, "$1|x|+OK|+PONG|"},
		{"PING|get k|", "+PONG|$-1|"},
		{"*2|$5|HELLO|$1|3|*2|$9|SUBSCRIBE|$1|a|", "%1|+proto|:3|>3|+subscribe|+a|:1|"},
		{multi + set + exec, "+OK|+QUEUED|*1|+OK|"},
		{"*1|$7|MONITOR|", "+OK|+1 [0]|"},
		{"*3|$5|PSYNC|$1|?|$2|-1|", "+FULLRESYNC|$3|abc"},
		{"*1|$99|x", "*3|~2|%1|"},
		{"*-1|*0||", "=7|txt:abc|(12|,1|#t|_|!3|ERR|"},
		{"\x00\xff", "HTTP/1.1 200 OK|"},
	} {
		f.Add(crlf(s[0]), crlf(s[1]), []byte{0})
		f.Add(crlf(s[0]), crlf(s[1]), []byte{2, 6, 0, 15})
	}
}

// FuzzRoundTrip: what is forwarded is what came, byte for byte, whatever it is and
// however it is cut.
func FuzzRoundTrip(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, up, down, by []byte) {
		d := New(func(results.Exchange) {})
		if got := cut(up, by, func(b []byte) wire.Step { return d.Up(b, 1) }); !bytes.Equal(got, up) {
			t.Errorf("Up forwarded %q of %q", got, up)
		}
		if got := cut(down, by, func(b []byte) wire.Step { return d.Down(b, 1) }); !bytes.Equal(got, down) {
			t.Errorf("Down forwarded %q of %q", got, down)
		}
		d.End(1)
	})
}

// FuzzCuts: the exchanges are the same however the streams are cut.
func FuzzCuts(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, up, down, by []byte) {
		tell := func(by []byte) (all []results.Exchange, aside string) {
			d := New(func(e results.Exchange) { all = append(all, e) })
			cut(up, by, func(b []byte) wire.Step { return d.Up(b, 1) })
			cut(down, by, func(b []byte) wire.Step { return d.Down(b, 2) })
			d.End(3)
			return all, d.Aside()
		}
		whole, aside := tell(nil)
		pieces, asidePieces := tell(append(slices.Clone(by), 0))
		if diff := cmp.Diff(whole, pieces); diff != "" || aside != asidePieces {
			t.Errorf("exchanges depend on the cut (-whole +pieces), aside %q and %q:\n%s", aside, asidePieces, diff)
		}
	})
}

// FuzzAnswered: with an answer in force and lifted somewhere, each request gets one
// reply, in its turn: its own, or that of the answer.
func FuzzAnswered(f *testing.F) {
	f.Add([]byte("gsgsg"), uint8(1), uint8(3), []byte{3})
	f.Add([]byte("ssggss"), uint8(0), uint8(9), []byte{0, 7})
	f.Fuzz(func(t *testing.T, kinds []byte, on, off uint8, by []byte) {
		s := newScene()
		var a *wire.Answer
		var client []byte // what the client gets
		var server []byte // replies that the server has made
		var serving request
		for i, k := range kinds {
			if i == int(on) {
				a, _, _ = s.inject("readonly")
			}
			if a != nil && i == int(off) {
				s.Lift(a)
			}
			text := get
			if k%2 == 0 {
				text = set
			}
			forwarded := cut(crlf(text), by, func(b []byte) wire.Step {
				step := s.Up(b, time.Duration(i))
				client = append(client, step.Back...)
				return step
			})
			for len(forwarded) > 0 {
				n, done, _, err := serving.scan(forwarded)
				if err != nil {
					t.Fatalf("the server got %q: %v", forwarded, err)
				}
				forwarded = forwarded[n:]
				if done {
					server = append(server, '+', serving.word(0)[0], '\r', '\n')
				}
			}
			if k%3 == 0 { // the server speaks now
				client = append(client, cut(server, by, func(b []byte) wire.Step { return s.Down(b, 9) })...)
				server = nil
			}
		}
		client = append(client, cut(server, by, func(b []byte) wire.Step { return s.Down(b, 9) })...)
		var want []byte
		for i, k := range kinds {
			switch {
			case k%2 != 0:
				want = append(want, "+G\r\n"...)
			case i >= int(on) && (i < int(off) || int(off) < int(on)):
				want = append(want, crlf(readonly)...)
			default:
				want = append(want, "+S\r\n"...)
			}
		}
		if !bytes.Equal(client, want) {
			t.Errorf("the client got %q, want %q", client, want)
		}
	})
}
