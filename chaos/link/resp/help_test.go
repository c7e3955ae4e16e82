package resp

import (
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"brownout/chaos"
	"brownout/chaos/link/wire"
	"brownout/results"

	"github.com/google/go-cmp/cmp"
)

// A talk drives a dialog and writes down what comes of it.
type talk struct {
	*Dialog
	said    []results.Exchange
	toRedis strings.Builder // what the dependency was sent
	toUser  strings.Builder // what the client was sent
	closed  bool
	size    int // bytes are given in pieces of at the most size; 0: as they are
}

func newTalk() *talk {
	t := &talk{}
	t.Dialog = New(func(e results.Exchange) { t.said = append(t.said, e) })
	return t
}

// pieces cuts text as t.size says.
func (t *talk) pieces(text string) []string {
	if t.size == 0 {
		return []string{text}
	}
	var all []string
	for len(text) > t.size {
		all, text = append(all, text[:t.size]), text[t.size:]
	}
	return append(all, text)
}

// asks gives the dialog what the client sends.
func (t *talk) asks(text string) {
	for _, piece := range t.pieces(text) {
		s := t.Up([]byte(piece), 1)
		if !t.closed {
			t.toUser.Write(s.Back)
		}
		t.closed = t.closed || s.Close
		if !t.closed {
			t.toRedis.Write(s.Forward)
		}
	}
}

// replies gives it what the dependency sends.
func (t *talk) replies(text string) {
	for _, piece := range t.pieces(text) {
		s := t.Down([]byte(piece), 2)
		if !t.closed {
			t.toUser.Write(s.Forward)
		}
		t.closed = t.closed || s.Close
	}
}

// An account counts what an answer could have hit, and hit.
type account struct {
	wire.Answer
	chances, bites atomic.Int64
}

func answer(kind chaos.Kind) *account {
	a := &account{Answer: wire.Answer{Kind: string(kind), Seed: 1}}
	a.Chance = func() { a.chances.Add(1) }
	a.Bite = func() { a.bites.Add(1) }
	return a
}

// inject puts an answer in force on a connection that has been used.
func (t *talk) inject(kind chaos.Kind) *account {
	a := answer(kind)
	t.Inject(&a.Answer, false, 0)
	return a
}

// req is a request: the words of text, as an array.
func req(text string) string { return array(strings.Fields(text)) }

func array(words []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, w := range words {
		b.WriteString(bulk(w))
	}
	return b.String()
}

func bulk(text string) string { return "$" + strconv.Itoa(len(text)) + "\r\n" + text + "\r\n" }

// exchanges renders what was said, one word each: kind, pattern, reply.
func (t *talk) exchanges() []string {
	var all []string
	for _, e := range t.said {
		text := e.Kind
		if e.Pattern != "" {
			text += " " + e.Pattern
		}
		text += " " + e.Reply
		if e.Injected {
			text += " injected"
		}
		all = append(all, text)
	}
	return all
}

func compare[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", what, diff)
	}
}
