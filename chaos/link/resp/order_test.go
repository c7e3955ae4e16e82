package resp

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"brownout/chaos"

	"pgregory.net/rapid"
)

// A toyRedis replies to whole requests of the words MULTI, EXEC, DISCARD and of
// commands whose last argument is a number that no other request has.
type toyRedis struct {
	read   int // bytes of what it was sent
	queued []string
	multi  bool
	out    string // replies that are not read yet
}

// serve takes what is new in all that it was sent.
func (s *toyRedis) serve(t *rapid.T, sent string) {
	for {
		var r request
		n, status := r.scan([]byte(sent[s.read:]))
		if status == broken {
			t.Fatalf("the server is sent what is no RESP: %q", sent[s.read:])
		}
		if status == more {
			return
		}
		args := arguments([]byte(sent[s.read:][:n]))
		s.read += n
		s.out += s.reply(string(args[0]), string(args[len(args)-1]))
	}
}

func (s *toyRedis) reply(name, token string) string {
	switch {
	case name == "MULTI":
		s.multi = true
		return "+OK\r\n"
	case name == "DISCARD" && s.multi:
		s.multi, s.queued = false, nil
		return "+OK\r\n"
	case name == "EXEC" && s.multi:
		all := array(s.queued)
		s.multi, s.queued = false, nil
		return all
	case name == "EXEC" || name == "DISCARD":
		return "-ERR " + name + " without MULTI\r\n"
	case s.multi:
		s.queued = append(s.queued, token)
		return "+QUEUED\r\n"
	}
	return bulk(token)
}

// TestEveryRequestHasItsReplyInItsPlace lets answers come and go while a pipeline is
// sent and replied to in pieces.
func TestEveryRequestHasItsReplyInItsPlace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, server := newTalk(), &toyRedis{}
		commands := rapid.SliceOfN(rapid.SampledFrom([]string{"GET", "SET", "SET", "MULTI", "EXEC", "DISCARD", "PING"}), 1, 30).Draw(t, "commands")
		unsent, pushes := pipeline(commands), 0
		var force []*account
		for unsent != "" || len(server.out) > 0 {
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0:
				kind := rapid.SampledFrom([]chaos.Kind{chaos.Readonly, chaos.ErrReadonly, chaos.OOM, chaos.Loading}).Draw(t, "kind")
				force = append(force, d.inject(kind))
			case 1, 2:
				if len(force) > 0 {
					i := rapid.IntRange(0, len(force)-1).Draw(t, "lifted")
					d.Lift(&force[i].Answer)
					force = append(force[:i], force[i+1:]...)
				}
			case 3:
				if d.Dialog.reply.idle() {
					d.replies(">1\r\n+push\r\n")
					pushes++
				}
			case 4, 5, 6:
				n := rapid.IntRange(0, len(unsent)).Draw(t, "sent")
				d.asks(unsent[:n])
				unsent = unsent[n:]
				server.serve(t, d.toRedis.String())
			default:
				n := rapid.IntRange(0, len(server.out)).Draw(t, "replied")
				d.replies(server.out[:n])
				server.out = server.out[n:]
			}
		}
		d.End(3)
		if d.Aside() != "" {
			t.Fatalf("stepped aside: %s", d.Aside())
		}
		checkReplies(t, d, commands, pushes)
		checkSent(t, d)
	})
}

// pipeline makes a request of each command; its last argument is its place.
func pipeline(commands []string) string {
	var b strings.Builder
	for i, name := range commands {
		switch name {
		case "SET":
			b.WriteString(req(fmt.Sprintf("SET k %d", i)))
		case "GET", "PING":
			b.WriteString(req(fmt.Sprintf("%s %d", name, i)))
		default:
			b.WriteString(req(name))
		}
	}
	return b.String()
}

// checkReplies holds that the client got one reply to each command, in order, and
// that no transaction with a refused command was run.
func checkReplies(t *rapid.T, d *talk, commands []string, pushes int) {
	got := []byte(d.toUser.String())
	open, dirty := false, false
	var queued []string
	for i, name := range commands {
		text := nextReply(t, &got, &pushes)
		refused := text[0] == '-'
		want := bulk(strconv.Itoa(i))
		switch {
		case name == "MULTI" && !open:
			open, dirty, queued = true, false, nil
			want = "+OK\r\n"
		case name == "MULTI": // the toy does not mind
			want = "+OK\r\n"
		case name == "EXEC" && open:
			if dirty && !strings.HasPrefix(text, "-EXECABORT ") {
				t.Fatalf("reply %d to EXEC = %q, want EXECABORT", i, text)
			}
			want, open = array(queued), false
		case name == "EXEC" || name == "DISCARD":
			want = text // an error, or OK
			open = false
		case open:
			want = "+QUEUED\r\n"
			queued = append(queued, strconv.Itoa(i))
		}
		dirty = dirty || open && refused
		if text != want && !refused {
			t.Fatalf("reply %d to %s = %q, want %q or an error", i, name, text, want)
		}
	}
	if len(got) > 0 || pushes > 0 {
		t.Fatalf("%q is left, and %d pushes are missing", got, pushes)
	}
}

// nextReply takes a reply off b, and the pushes before it.
func nextReply(t *rapid.T, b *[]byte, pushes *int) string {
	for {
		var r reply
		n, status := r.scan(*b)
		if status != whole {
			t.Fatalf("the client is sent %q, which is no reply", *b)
		}
		text := string((*b)[:n])
		*b = (*b)[n:]
		if r.top != '>' {
			return text
		}
		*pushes--
	}
}

// checkSent holds that the exchanges that are not injected are what the server was
// sent, in order.
func checkSent(t *rapid.T, d *talk) {
	var said, sent []string
	for _, e := range d.said {
		if !e.Injected {
			said = append(said, e.Kind)
		}
	}
	for rest := []byte(d.toRedis.String()); len(rest) > 0; {
		var r request
		n, _ := r.scan(rest)
		sent = append(sent, r.cmd.kind)
		rest = rest[n:]
	}
	if fmt.Sprint(said) != fmt.Sprint(sent) {
		t.Fatalf("exchanges %v, the server was sent %v", said, sent)
	}
}
