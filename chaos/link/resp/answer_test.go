package resp

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"brownout/chaos/link/wire"
)

const (
	ttl   = "*2|$3|TTL|$1|k|"
	del   = "*2|$3|DEL|$1|k|"
	multi = "*1|$5|MULTI|"
	exec  = "*1|$4|EXEC|"
	auth  = "*2|$4|AUTH|$1|p|"
	info  = "*1|$4|INFO|"
	eval  = "*3|$4|EVAL|$8|return 1|$1|0|"

	readonly = "-" + readonlyText + "|"
)

// TestAnswers has, for each kind of answer, a request that it is about and one that
// it is not.
func TestAnswers(t *testing.T) {
	for _, row := range []struct{ kind, up, forward, back string }{
		{"readonly", set, "", readonly},
		{"readonly", del, "", readonly},
		{"readonly", get, get, ""},
		{"readonly", eval, "", "-" + readonlyText + " script: e0e1f9fabfc9d4800c877a703b823ac0578ff8db, on @user_script:1.|"},
		{"readonly_close", get, get, ""},
		{"err_readonly", set, "", "-ERR " + readonlyText + "|"},
		{"err_readonly", get, get, ""},
		{"loading", get, "", "-" + loadingText + "|"},
		{"loading", info, info, ""},
		{"loading", "*3|$6|CLIENT|$7|SETNAME|$1|a|", "*3|$6|CLIENT|$7|SETNAME|$1|a|", ""},
		{"masterdown", get, "", "-" + masterDownText + "|"},
		{"masterdown", info, info, ""},
		{"oom", set, "", "-" + oomText + "|"},
		{"oom", del, del, ""},
		{"oom", get, get, ""},
		{"clusterdown", get, "", "-" + clusterText + "|"},
		{"clusterdown", eval, "", "-" + clusterText + "|"},
		{"clusterdown", ping, ping, ""},
		{"noauth", ping, "", "-" + noAuthText + "|"},
		{"noauth", auth, auth, ""},
		{"noauth", "*2|$5|HELLO|$1|3|", "", "-" + noHelloText + "|"},
		{"noauth", "*5|$5|HELLO|$1|3|$4|AUTH|$1|u|$1|p|", "*5|$5|HELLO|$1|3|$4|AUTH|$1|u|$1|p|", ""},
	} {
		t.Run(row.kind+" "+words([]byte(row.up)), func(t *testing.T) {
			s := newScene()
			a, chances, bites := s.inject(row.kind)
			got := s.up(row.up)
			if words(got.Forward) != row.forward || words(got.Back) != row.back || got.Close {
				t.Errorf("Up = %q, %q, close %v, want %q, %q", words(got.Forward), words(got.Back), got.Close, row.forward, row.back)
			}
			want := 0
			if row.back != "" {
				want = 1
			}
			if *chances != want || *bites != want {
				t.Errorf("chances, bites = %d, %d, want %d each", *chances, *bites, want)
			}
			if want == 1 && (len(s.told) != 1 || !s.told[0].Injected) {
				t.Errorf("told %+v, want one exchange that was injected", s.told)
			}
			s.Lift(a)
			if got := s.up(row.up); words(got.Forward) != row.up || got.Back != nil {
				t.Errorf("Up after Lift = %q, %q, want what came", words(got.Forward), words(got.Back))
			}
		})
	}
}

func TestGarbageIsTheSameForTheSameSeedAndNoRESP(t *testing.T) {
	one, two := newScene(), newScene()
	one.inject("garbage")
	two.inject("garbage")
	a, b := string(one.up(ping).Back), string(two.up(ping).Back)
	if a == "" || a != b {
		t.Errorf("noise = %q and %q, want the same", a, b)
	}
	if next := string(one.up(ping).Back); next == a {
		t.Errorf("the second noise is the first one again: %q", next)
	}
	if !strings.HasSuffix(a, "\r\n") || strings.ContainsAny(a[:1], "+-:$*_,#(=!~%>|") {
		t.Errorf("noise = %q, want a line that no type begins", a)
	}
	if diff := cmp.Diff([]string{"PING garbage", "PING garbage"}, one.said()); diff != "" {
		t.Errorf("exchanges (-want +got):\n%s", diff)
	}
}

func TestAnAnswerWaitsForItsTurn(t *testing.T) {
	s := newScene()
	s.up(get)
	s.inject("readonly")
	if got := s.up(set + ttl); words(got.Forward) != ttl || got.Back != nil {
		t.Fatalf("Up = %q, %q, want TTL forwarded and no reply yet", words(got.Forward), words(got.Back))
	}
	if got := words(s.down("$1").Forward); got != "$1" {
		t.Errorf("Down of half a reply = %q, want it", got)
	}
	if got, want := words(s.down("|x|:5|").Forward), "|x|"+readonly+":5|"; got != want {
		t.Errorf("Down = %q, want %q", got, want)
	}
	if diff := cmp.Diff([]string{"GET flags:* ok", "SET flags:* READONLY", "TTL k ok"}, s.said()); diff != "" {
		t.Errorf("exchanges (-want +got):\n%s", diff)
	}
}

func TestAReplyBehindAnAnswerIsNotBeforeIt(t *testing.T) {
	s := newScene()
	s.inject("readonly")
	got := s.up(set + get)
	if words(got.Back) != readonly || words(got.Forward) != get {
		t.Errorf("Up = %q, %q, want the answer first and GET forwarded", words(got.Back), words(got.Forward))
	}
}

func TestReadonlyCloseHangsUp(t *testing.T) {
	s := newScene()
	s.inject("readonly_close")
	got := s.up(set + get)
	if words(got.Back) != readonly || !got.Close || len(got.Forward) != 0 {
		t.Errorf("Up = %q, %q, close %v, want the answer, nothing forwarded, close", words(got.Back), words(got.Forward), got.Close)
	}
	if got := s.up(get); len(got.Forward)+len(got.Back) != 0 {
		t.Errorf("Up after the close = %+v, want nothing", got)
	}
	if got := s.down("+x|"); len(got.Forward) != 0 {
		t.Errorf("Down after the close = %+v, want nothing", got)
	}
}

func TestReadonlyCloseInItsTurnHangsUp(t *testing.T) {
	s := newScene()
	s.up(get)
	s.inject("readonly_close")
	if got := s.up(set + get); got.Close || len(got.Back) != 0 {
		t.Errorf("Up = %+v, want no close yet", got)
	}
	got := s.down("$1|x|$1|y|")
	if words(got.Forward) != "$1|x|"+readonly || !got.Close {
		t.Errorf("Down = %q, close %v, want the first reply, the answer, close", words(got.Forward), got.Close)
	}
}

func TestARequestUnderWayIsLetThrough(t *testing.T) {
	s := newScene()
	s.up(set[:5])
	s.inject("readonly")
	if got := s.up(set[5:] + set); words(got.Forward) != set[5:] {
		t.Errorf("Up = %q, want the rest of the first request alone", words(got.Forward))
	}
}

func TestAHeldRequestIsDecidedWhenItIsWhole(t *testing.T) {
	s := newScene()
	a, _, _ := s.inject("readonly")
	if got := s.up(set[:9]); len(got.Forward)+len(got.Back) != 0 {
		t.Fatalf("Up of half a request = %+v, want nothing yet", got)
	}
	if got := s.up(set[9:]); words(got.Back) != readonly {
		t.Errorf("Up of the rest = %q, want the answer", words(got.Back))
	}
	s.up(get[:9])
	s.Lift(a)
	if got := s.up(get[9:]); words(got.Forward) != get {
		t.Errorf("Up of the rest after Lift = %q, want the whole request", words(got.Forward))
	}
}

func TestAVeryLongRequestGoesBy(t *testing.T) {
	s := newScene()
	_, _, bites := s.inject("readonly")
	head := "*3|$3|SET|$1|k|$2000000|"
	body := strings.Repeat("x", 1_500_000)
	n := len(s.up(head).Forward) + len(s.up(body).Forward) + len(s.up(body[:500_000]+"|").Forward)
	if want := len(crlf(head)) + 2_000_002; n != want || *bites != 0 {
		t.Errorf("forwarded %d bytes with %d bites, want %d and none", n, *bites, want)
	}
	s.down("+OK|")
	if got := s.up(set); words(got.Back) != readonly {
		t.Errorf("the next request was answered %q, want READONLY", words(got.Back))
	}
}

func TestATransactionIsRefusedAsAReplicaDoes(t *testing.T) {
	abort := "-" + abortText + "|"
	s := newScene()
	s.inject("readonly")
	s.up(multi)
	s.down("+OK|")
	if got := s.up(set); words(got.Back) != readonly {
		t.Errorf("a write in MULTI was answered %q, want READONLY", words(got.Back))
	}
	if got := s.up(exec + get); words(got.Forward) != "*1|$7|DISCARD|"+get || len(got.Back) != 0 {
		t.Errorf("Up of EXEC = %q, %q, want DISCARD in its place", words(got.Forward), words(got.Back))
	}
	if got := words(s.down("+O").Forward) + words(s.down("K|$1|x|").Forward); got != abort+"$1|x|" {
		t.Errorf("Down = %q, want EXECABORT in the place of OK", got)
	}
	if diff := cmp.Diff([]string{"MULTI ok", "SET flags:* READONLY", "EXEC EXECABORT", "GET flags:* ok"}, s.said()); diff != "" {
		t.Errorf("exchanges (-want +got):\n%s", diff)
	}
}

func TestAnExecOfWritesQueuedBeforeIsRefused(t *testing.T) {
	s := newScene()
	s.up(multi + set)
	s.down("+OK|+QUEUED|")
	s.inject("readonly")
	s.up(exec)
	if got, want := words(s.down("+OK|").Forward), "-"+abortWriteText+"|"; got != want {
		t.Errorf("EXEC was answered %q, want %q", got, want)
	}
	s.up(exec) // outside of MULTI: the server's own business
	if got := words(s.down("-ERR EXEC without MULTI|").Forward); got != "-ERR EXEC without MULTI|" {
		t.Errorf("EXEC without MULTI was answered %q", got)
	}
}

func TestTheFirstAnswerInForceWins(t *testing.T) {
	s := newScene()
	s.inject("oom")
	s.inject("readonly")
	if got := words(s.up(set).Back); got != "-"+oomText+"|" {
		t.Errorf("SET was answered %q, want OOM", got)
	}
	if got := words(s.up(del).Back); got != readonly {
		t.Errorf("DEL was answered %q, want READONLY", got)
	}
}

func TestOnlyNewConnectionsAreTooMany(t *testing.T) {
	n := 0
	a := &wire.Answer{Kind: maxClients, Chance: func() { n++ }, Bite: func() { n++ }}
	live := newScene()
	if got := live.Inject(a, false, 0); len(got.Back) != 0 || got.Close || n != 0 {
		t.Errorf("Inject on a live connection = %+v, want nothing", got)
	}
	if got := live.up(get); words(got.Forward) != get {
		t.Errorf("Up on a live connection = %+v, want what came", got)
	}
	fresh := newScene()
	if got := fresh.Inject(a, true, 0); words(got.Back) != "-ERR max number of clients reached|" || !got.Close || n != 2 {
		t.Errorf("Inject on a fresh connection = %q, close %v, want the error and close", words(got.Back), got.Close)
	}
	if got := fresh.up(get); len(got.Forward)+len(got.Back) != 0 {
		t.Errorf("Up on a closed connection = %+v, want nothing", got)
	}
}
