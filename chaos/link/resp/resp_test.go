package resp

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"brownout/chaos/link/wire"
	"brownout/results"
)

// A scene is a dialog with what it reported.
type scene struct {
	*Dialog
	told []results.Exchange
	at   time.Duration
}

func newScene() *scene {
	s := &scene{}
	s.Dialog = New(func(e results.Exchange) { s.told = append(s.told, e) })
	return s
}

// crlf writes requests and replies as they are read best: "*1|$4|PING|".
func crlf(s string) []byte { return []byte(strings.ReplaceAll(s, "|", "\r\n")) }

func words(b []byte) string { return strings.ReplaceAll(string(b), "\r\n", "|") }

func (s *scene) up(text string) wire.Step {
	s.at++
	return s.Up(crlf(text), s.at)
}

func (s *scene) down(text string) wire.Step {
	s.at++
	return s.Down(crlf(text), s.at)
}

func (s *scene) inject(kind string) (a *wire.Answer, chances, bites *int) {
	chances, bites = new(int), new(int)
	a = &wire.Answer{Kind: kind, Seed: 7, Chance: func() { *chances++ }, Bite: func() { *bites++ }}
	s.at++
	s.Inject(a, false, s.at)
	return a, chances, bites
}

// said lists what was reported: kind, pattern and reply.
func (s *scene) said() []string {
	var all []string
	for _, e := range s.told {
		words := []string{e.Kind}
		if e.Pattern != "" {
			words = append(words, e.Pattern)
		}
		all = append(all, strings.Join(append(words, e.Reply), " "))
	}
	return all
}

const (
	get  = "*2|$3|GET|$7|flags:1|"
	set  = "*3|$3|SET|$7|flags:1|$1|x|"
	ping = "*1|$4|PING|"
)

func TestExchanges(t *testing.T) {
	for _, row := range []struct {
		name, up, down string
		want           []string
	}{
		{"a key that is there", get, "$1|x|", []string{"GET flags:* ok"}},
		{"a key that is not, in RESP2", get, "$-1|", []string{"GET flags:* nil"}},
		{"a key that is not, in RESP3", get, "_|", []string{"GET flags:* nil"}},
		{"an error is its first word", set, "-READONLY You can't|", []string{"SET flags:* READONLY"}},
		{"a blob error too", set, "!21|SYNTAX invalid syntax|", []string{"SET flags:* SYNTAX"}},
		{"a pipeline", get + ping + get, "$1|x|+PONG|$-1|", []string{"GET flags:* ok", "PING ok", "GET flags:* nil"}},
		{"names in lower case", "*1|$4|ping|", "+PONG|", []string{"PING ok"}},
		{"a line instead of an array", "PING|", "+PONG|", []string{"PING ok"}},
		{"a line with a key", "get  key9 |", "$-1|", []string{"GET key* nil"}},
		{"an empty line is no request", "|" + ping, "+PONG|", []string{"PING ok"}},
		{"an empty array is no request", "*0|" + ping, "+PONG|", []string{"PING ok"}},
		{"a part of a command is named", "*2|$6|CLIENT|$2|ID|", ":5|", []string{"CLIENT|ID ok"}},
		{"a part that Redis does not know", "*2|$6|CLIENT|$4|NOPE|", "-ERR Unknown subcommand|", []string{"CLIENT ERR"}},
		{"a command that Redis does not know", "*1|$4|NOPE|", "-ERR unknown command|", []string{"NOPE ERR"}},
		{"nested arrays are one reply", ping + ping, "*2|*2|:1|*-1|$-1|+PONG|", []string{"PING ok", "PING ok"}},
		{"a null inside is no null", ping, "*1|*-1|", []string{"PING ok"}},
		{"an error inside is no error", ping, "*1|-ERR x|", []string{"PING ok"}},
		{"maps count twice", ping + ping, "%2|+a|:1|+b|%0|+PONG|", []string{"PING ok", "PING ok"}},
		{"every simple type of RESP3", ping + ping + ping + ping + ping, "#t|,1.5|(349|=7|txt:abc|~1|:1|",
			[]string{"PING ok", "PING ok", "PING ok", "PING ok", "PING ok"}},
		{"a push is no reply", get + get, ">2|+invalidate|*1|$1|k|$1|x|>1|+x|$-1|", []string{"GET flags:* ok", "GET flags:* nil"}},
		{"a value with line ends in it", ping, "$9|a|b||c|", []string{"PING ok"}},
		{"nothing is told before the reply is whole", get, "$5|abc", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newScene()
			if got := s.up(row.up); words(got.Forward) != row.up || got.Back != nil {
				t.Errorf("Up = %q, %q, want what came", got.Forward, got.Back)
			}
			if got := s.down(row.down); words(got.Forward) != row.down {
				t.Errorf("Down = %q, want what came", got.Forward)
			}
			if diff := cmp.Diff(row.want, s.said()); diff != "" {
				t.Errorf("exchanges (-want +got):\n%s", diff)
			}
			if s.Aside() != "" {
				t.Errorf("Aside() = %q, want none", s.Aside())
			}
		})
	}
}

func TestAnAttributeBelongsToWhatFollows(t *testing.T) {
	s := newScene()
	s.up(get + ping)
	for _, b := range [][]byte{[]byte("|2\r\n"), crlf("+ttl|:9|+hits|*1|-x|"), crlf("$-1|+PONG|")} {
		s.Down(b, 9)
	}
	if diff := cmp.Diff([]string{"GET flags:* nil", "PING ok"}, s.said()); diff != "" {
		t.Errorf("exchanges (-want +got):\n%s", diff)
	}
}

func TestAnExchangeHasTimesAndBytes(t *testing.T) {
	s := newScene()
	s.up(get[:8])
	s.up(get[8:])
	s.down("$1|")
	s.down("x|")
	want := []results.Exchange{{Sent: 2, Done: 4, Kind: "GET", Pattern: "flags:*", Up: int64(len(crlf(get))), Down: 7, Reply: results.ReplyOK}}
	if diff := cmp.Diff(want, s.told); diff != "" {
		t.Errorf("exchanges (-want +got):\n%s", diff)
	}
}

func TestWhatWasNotAnsweredIsToldAtTheEnd(t *testing.T) {
	s := newScene()
	s.up(get + ping)
	s.down("$1|x|")
	s.End(9)
	if diff := cmp.Diff([]string{"GET flags:* ok", "PING none"}, s.said()); diff != "" {
		t.Errorf("exchanges (-want +got):\n%s", diff)
	}
}

func TestADialogStepsAside(t *testing.T) {
	for _, row := range []struct{ name, up, down, why string }{
		{"replication", "*3|$5|PSYNC|$1|?|$2|-1|", "+FULLRESYNC x 0|$4|RDB!", "it is replication"},
		{"MONITOR", "*1|$7|MONITOR|", "+OK|+1 [0] \"GET\"|", "it is MONITOR's"},
		{"replies that are switched off", "*3|$6|CLIENT|$5|REPLY|$3|OFF|", "", "its replies are switched off"},
		{"a subscription in RESP2", "*2|$9|SUBSCRIBE|$1|a|", "*3|$9|subscribe|$1|a|:1|*3|$7|message|", "it is subscribed in RESP2"},
		{"a request that is no RESP", "*1|x", "", "a request is not RESP"},
		{"a number that is none", "*1x|", "", "a request is not RESP"},
		{"a bulk longer than any", "*1|$999999999999|", "", "a request is not RESP"},
		{"a reply that is no RESP", ping, "HTTP/1.1 502|", "a reply is not RESP"},
		{"a streamed reply", ping, "*?|", "a reply is not RESP"},
		{"a reply to nothing", "", "+OK|", "the server said something that nobody had asked for"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newScene()
			if got := s.up(row.up); words(got.Forward) != row.up {
				t.Errorf("Up = %q, want what came", got.Forward)
			}
			if got := s.down(row.down); words(got.Forward) != row.down {
				t.Errorf("Down = %q, want what came", got.Forward)
			}
			if s.Aside() != row.why {
				t.Errorf("Aside() = %q, want %q", s.Aside(), row.why)
			}
			s.inject("garbage")
			if got := s.up(get); words(got.Forward) != get || got.Back != nil {
				t.Errorf("Up afterwards = %q, %q, want what came", got.Forward, got.Back)
			}
			if got := s.down("anything"); words(got.Forward) != "anything" {
				t.Errorf("Down afterwards = %q, want what came", got.Forward)
			}
		})
	}
}

func TestSubscriptionsInRESP3AreFollowed(t *testing.T) {
	s := newScene()
	s.up("*2|$5|HELLO|$1|3|")
	s.down("%1|+proto|:3|")
	s.up("*2|$9|SUBSCRIBE|$1|a|" + ping)
	s.down(">3|+subscribe|+a|:1|+PONG|>3|+message|+a|+x|")
	if diff := cmp.Diff([]string{"HELLO ok", "SUBSCRIBE ok", "PING ok"}, s.said()); diff != "" {
		t.Errorf("exchanges (-want +got):\n%s", diff)
	}
	if s.Aside() != "" {
		t.Errorf("Aside() = %q, want none", s.Aside())
	}
}

func TestAnErrorBeforeTheServerHangsUpIsInOrder(t *testing.T) {
	s := newScene()
	s.down("-ERR max number of clients reached|")
	if s.Aside() != "" || len(s.told) != 0 {
		t.Errorf("Aside() = %q, told %v, want nothing", s.Aside(), s.told)
	}
}

func TestPatterns(t *testing.T) {
	for key, want := range map[string]string{
		"feature_flags:production": "feature_flags:*",
		"a:b:c":                    "a:*",
		"user123x9":                "user*x*",
		"plain":                    "plain",
		"tab\tkey":                 "tab*key",
		"":                         "",
	} {
		if got := new(interned).pattern([]byte(key)); got != want {
			t.Errorf("pattern(%q) = %q, want %q", key, got, want)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	s := newScene()
	for range maxQueue + 1 {
		s.up(ping)
	}
	if want := "more requests were sent at once than are followed"; s.Aside() != want {
		t.Errorf("Aside() = %q, want %q", s.Aside(), want)
	}
	d := New(func(results.Exchange) {})
	for i := range 10 * maxInterned {
		d.patterns.get([]byte{byte(i), byte(i >> 8)})
	}
	if got := len(d.patterns.seen); got != maxInterned {
		t.Errorf("%d strings are kept, want %d", got, maxInterned)
	}
}
