package resp

import (
	"strings"
	"testing"

	"brownout/chaos"
	"brownout/chaos/link/wire"
	"brownout/results"
)

const (
	readonlyReply = "-" + readonlyText + "\r\n"
	dirtyReply    = "-" + dirtyText + "\r\n"
)

// A turn is one thing that happens: what one side sends, or a step of an answer.
type turn struct {
	asks, replies string
	inject, lift  chaos.Kind
}

// answerTests are connections on which answers come and go.
var answerTests = []struct {
	name    string
	turns   []turn
	toRedis string
	toUser  string
	closed  bool
	want    []string
}{
	{
		name:   "when no reply is due the answer is given at once",
		turns:  []turn{{inject: chaos.Readonly}, {asks: req("SET a 1")}},
		toUser: readonlyReply,
		want:   []string{"SET a READONLY injected"},
	},
	{
		name:    "the answer stands behind the replies before it and before those behind it",
		turns:   []turn{{inject: chaos.Readonly}, {asks: req("GET a") + req("SET b 1") + req("GET c") + req("SET d 1")}, {replies: bulk("1") + bulk("2")}},
		toRedis: req("GET a") + req("GET c"),
		toUser:  bulk("1") + readonlyReply + bulk("2") + readonlyReply,
		want:    []string{"GET a ok", "SET b READONLY injected", "GET c ok", "SET d READONLY injected"},
	},
	{
		name:    "an answer before what is forwarded goes back first",
		turns:   []turn{{inject: chaos.Readonly}, {asks: req("SET a 1") + req("GET b")}, {replies: bulk("1")}},
		toRedis: req("GET b"),
		toUser:  readonlyReply + bulk("1"),
		want:    []string{"SET a READONLY injected", "GET b ok"},
	},
	{
		name:    "an answer does not fall into a push that is under way",
		turns:   []turn{{inject: chaos.Readonly}, {replies: ">2\r\n+a\r\n"}, {asks: req("SET a 1")}, {replies: "+b\r\n"}},
		toUser:  ">2\r\n+a\r\n+b\r\n" + readonlyReply,
		want:    []string{"SET a READONLY injected"},
		toRedis: "",
	},
	{
		name:    "requests before and after the answer pass",
		turns:   []turn{{asks: req("SET a 1")}, {replies: "+OK\r\n"}, {inject: chaos.Readonly}, {asks: req("SET a 2")}, {lift: chaos.Readonly}, {asks: req("SET a 3")}, {replies: "+OK\r\n"}},
		toRedis: req("SET a 1") + req("SET a 3"),
		toUser:  "+OK\r\n" + readonlyReply + "+OK\r\n",
		want:    []string{"SET a ok", "SET a READONLY injected", "SET a ok"},
	},
	{
		name:    "a request that was forwarded in part is let through",
		turns:   []turn{{asks: "*3\r\n$3\r\nSET\r\n$1\r\na"}, {inject: chaos.Readonly}, {asks: "\r\n$1\r\n1\r\n" + req("SET b 1")}, {replies: "+OK\r\n"}},
		toRedis: req("SET a 1"),
		toUser:  "+OK\r\n" + readonlyReply,
		want:    []string{"SET a ok", "SET b READONLY injected"},
	},
	{
		name:    "what is held when the answer is lifted flows on with the rest",
		turns:   []turn{{inject: chaos.Readonly}, {asks: "*3\r\n$3\r\nSET\r\n$1\r\na"}, {lift: chaos.Readonly}, {asks: "\r\n$1"}, {asks: "\r\n1\r\n"}, {replies: "+OK\r\n"}},
		toRedis: req("SET a 1"),
		toUser:  "+OK\r\n",
		want:    []string{"SET a ok"},
	},
	{
		name:    "what is held meets an answer that comes in place of the lifted one",
		turns:   []turn{{inject: chaos.Readonly}, {asks: "*3\r\n$3\r\nSET\r\n$1\r\na"}, {lift: chaos.Readonly}, {inject: chaos.OOM}, {asks: "\r\n$1\r\n1\r\n"}},
		toRedis: "",
		toUser:  "-" + oomText + "\r\n",
		want:    []string{"SET a OOM injected"},
	},
	{
		name:    "what is held flows on when the client sends no RESP",
		turns:   []turn{{inject: chaos.Readonly}, {asks: "*2\r\n$3\r\nSET\r\n"}, {asks: "x"}, {asks: "y"}},
		toRedis: "*2\r\n$3\r\nSET\r\nxy",
	},
	{
		name:    "what is held flows on when the server sends no RESP",
		turns:   []turn{{inject: chaos.Readonly}, {asks: "*2\r\n$3\r\nSET\r\n"}, {replies: "x"}, {asks: "y"}},
		toRedis: "*2\r\n$3\r\nSET\r\ny",
		toUser:  "x",
	},
	{
		name:    "readonly_close closes behind the answer, and forgets what comes then",
		turns:   []turn{{inject: chaos.ReadonlyClose}, {asks: req("SET a 1") + req("GET b")}, {asks: req("GET c")}, {replies: bulk("1")}},
		toRedis: "",
		toUser:  readonlyReply,
		closed:  true,
		want:    []string{"SET a READONLY injected"},
	},
	{
		name:    "readonly_close closes when the replies before have come",
		turns:   []turn{{inject: chaos.ReadonlyClose}, {asks: req("GET a") + req("SET b 1") + req("GET c")}, {lift: chaos.ReadonlyClose}, {asks: req("GET d")}, {replies: bulk("1") + bulk("2")}},
		toRedis: req("GET a"),
		toUser:  bulk("1") + readonlyReply,
		closed:  true,
		want:    []string{"GET a ok", "SET b READONLY injected"},
	},
	{
		name:   "readonly_close does not close behind a script",
		turns:  []turn{{inject: chaos.ReadonlyClose}, {asks: req("EVALSHA abc 1 k") + req("FCALL f 0")}},
		toUser: "-" + readonlyText + " script: abc, on @user_script:1.\r\n" + readonlyReply,
		closed: true,
		want:   []string{"EVALSHA k READONLY injected", "FCALL READONLY injected"},
	},
	{
		name:   "readonly_close closes when the server breaks off its reply",
		turns:  []turn{{inject: chaos.ReadonlyClose}, {asks: req("GET a") + req("SET b 1")}, {replies: "x"}},
		toUser: "x", toRedis: req("GET a"),
		closed: true,
		want:   []string{"GET a none", "SET b none injected"},
	},
	{
		name:   "err_readonly does not look like a replica",
		turns:  []turn{{inject: chaos.ErrReadonly}, {asks: req("SET a 1")}},
		toUser: "-ERR " + readonlyText + "\r\n",
		want:   []string{"SET a ERR injected"},
	},
	{
		name: "a transaction with a refused command is discarded",
		turns: []turn{{inject: chaos.Readonly}, {asks: req("MULTI") + req("GET a") + req("SET b 1") + req("EXEC") + req("GET c")},
			{replies: "+OK\r\n+QUEUED\r\n+OK\r\n" + bulk("1")}},
		toRedis: req("MULTI") + req("GET a") + req("DISCARD") + req("GET c"),
		toUser:  "+OK\r\n+QUEUED\r\n" + readonlyReply + dirtyReply + bulk("1"),
		want:    []string{"MULTI ok", "GET a ok", "SET b READONLY injected", "DISCARD ok", "EXEC EXECABORT injected", "GET c ok"},
	},
	{
		name: "a transaction with a refused command is discarded when the answer is lifted before EXEC",
		turns: []turn{{asks: req("MULTI")}, {replies: "+OK\r\n"}, {inject: chaos.Readonly}, {asks: req("SET b 1")}, {lift: chaos.Readonly},
			{asks: req("SET c 1") + "*1\r\n$4\r\nEX"}, {asks: "EC\r\n"}, {replies: "+QUEUED\r\n>1\r\n+x\r\n+O"}, {replies: "K\r\n"}, {asks: req("SET d 1")}, {replies: "+OK\r\n"}},
		toRedis: req("MULTI") + req("SET c 1") + req("DISCARD") + req("SET d 1"),
		toUser:  "+OK\r\n" + readonlyReply + "+QUEUED\r\n>1\r\n+x\r\n" + dirtyReply + "+OK\r\n",
		want:    []string{"MULTI ok", "SET b READONLY injected", "SET c ok", "DISCARD ok", "EXEC EXECABORT injected", "SET d ok"},
	},
	{
		name:    "EXEC of writes that were queued before the answer is refused",
		turns:   []turn{{asks: req("MULTI") + req("SET a 1")}, {replies: "+OK\r\n+QUEUED\r\n"}, {inject: chaos.Readonly}, {asks: req("EXEC")}, {replies: "+OK\r\n"}},
		toRedis: req("MULTI") + req("SET a 1") + req("DISCARD"),
		toUser:  "+OK\r\n+QUEUED\r\n-EXECABORT Transaction discarded because of: " + readonlyText + "\r\n",
		want:    []string{"MULTI ok", "SET a ok", "DISCARD ok", "EXEC EXECABORT injected"},
	},
	{
		name:    "a script that was queued before the answer is taken to write",
		turns:   []turn{{asks: req("MULTI") + req("EVALSHA x 0")}, {replies: "+OK\r\n+QUEUED\r\n"}, {inject: chaos.Readonly}, {asks: req("EXEC")}, {replies: "+OK\r\n"}},
		toRedis: req("MULTI") + req("EVALSHA x 0") + req("DISCARD"),
		toUser:  "+OK\r\n+QUEUED\r\n-EXECABORT Transaction discarded because of: " + readonlyText + "\r\n",
		want:    []string{"MULTI ok", "EVALSHA ok", "DISCARD ok", "EXEC EXECABORT injected"},
	},
	{
		name:    "a transaction that only reads passes readonly",
		turns:   []turn{{inject: chaos.Readonly}, {asks: req("MULTI") + req("GET a") + req("EXEC")}, {replies: "+OK\r\n+QUEUED\r\n*1\r\n$-1\r\n"}},
		toRedis: req("MULTI") + req("GET a") + req("EXEC"),
		toUser:  "+OK\r\n+QUEUED\r\n*1\r\n$-1\r\n",
		want:    []string{"MULTI ok", "GET a ok", "EXEC ok"},
	},
	{
		name:    "the answer that came first takes the request",
		turns:   []turn{{inject: chaos.OOM}, {inject: chaos.Loading}, {asks: req("SET a 1") + req("GET a")}, {lift: chaos.OOM}, {asks: req("SET a 1")}},
		toRedis: "",
		toUser:  "-" + oomText + "\r\n-" + loadingText + "\r\n-" + loadingText + "\r\n",
		want:    []string{"SET a OOM injected", "GET a LOADING injected", "SET a LOADING injected"},
	},
	{
		name:    "what is malformed is the server's to say, and empty requests pass",
		turns:   []turn{{inject: chaos.Readonly}, {asks: req("SET a") + "\r\n*0\r\n"}, {replies: "-ERR wrong number\r\n"}},
		toRedis: req("SET a") + "\r\n*0\r\n",
		toUser:  "-ERR wrong number\r\n",
		want:    []string{"SET a ERR"},
	},
	{
		name:    "inline commands are answered, too",
		turns:   []turn{{inject: chaos.Readonly}, {asks: "SET a"}, {asks: " 1\r\n"}},
		toRedis: "",
		toUser:  readonlyReply,
		want:    []string{"SET a READONLY injected"},
	},
	{
		name:    "max_clients leaves live connections alone",
		turns:   []turn{{inject: chaos.MaxClients}, {asks: req("SET a 1")}, {replies: "+OK\r\n"}},
		toRedis: req("SET a 1"),
		toUser:  "+OK\r\n",
		want:    []string{"SET a ok"},
	},
	{
		name:    "a subscription is answered for each channel before the answer is given",
		turns:   []turn{{inject: chaos.Readonly}, {asks: req("SUBSCRIBE a b") + req("SET a 1")}, {replies: "*3\r\n+subscribe\r\n+a\r\n:1\r\n"}, {replies: "*3\r\n+subscribe\r\n+b\r\n:2\r\n"}},
		toRedis: req("SUBSCRIBE a b"),
		toUser:  "*3\r\n+subscribe\r\n+a\r\n:1\r\n*3\r\n+subscribe\r\n+b\r\n:2\r\n" + readonlyReply,
		want:    []string{"SUBSCRIBE ok", "SET a READONLY injected"},
	},
	{
		name:    "a subscription that the server ends is no reply to one that begins",
		turns:   []turn{{asks: req("HELLO 3")}, {replies: "%0\r\n"}, {inject: chaos.Readonly}, {asks: req("SSUBSCRIBE b") + req("SET a 1")}, {replies: ">3\r\n+sunsubscribe\r\n+a\r\n:0\r\n>3\r\n+ssubscribe\r\n+b\r\n:1\r\n"}},
		toRedis: req("HELLO 3") + req("SSUBSCRIBE b"),
		toUser:  "%0\r\n>3\r\n+sunsubscribe\r\n+a\r\n:0\r\n>3\r\n+ssubscribe\r\n+b\r\n:1\r\n" + readonlyReply,
		want:    []string{"HELLO ok", "SSUBSCRIBE ok", "SET a READONLY injected"},
	},
	{
		name:    "answers that are due are given before the dialog steps aside",
		turns:   []turn{{inject: chaos.Readonly}, {asks: req("GET a") + req("SET b 1") + req("MONITOR") + req("SET c 1")}, {replies: bulk("1") + "+OK\r\n"}},
		toRedis: req("GET a") + req("MONITOR") + req("SET c 1"),
		toUser:  bulk("1") + readonlyReply + "+OK\r\n",
		want:    []string{"GET a ok", "SET b READONLY injected", "MONITOR none"},
	},
}

func TestAnswersStandInTheirPlace(t *testing.T) {
	for _, tt := range answerTests {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{0, 1, 3} {
				d := enact(tt.turns, size)
				compare(t, "what the server was sent", d.toRedis.String(), tt.toRedis)
				compare(t, "what the client was sent", d.toUser.String(), tt.toUser)
				compare(t, "exchanges", d.exchanges(), tt.want)
				if d.closed != tt.closed {
					t.Errorf("in pieces of %d: closed = %t, want %t", size, d.closed, tt.closed)
				}
			}
		})
	}
}

func enact(turns []turn, size int) *talk {
	d := newTalk()
	d.size = size
	force := map[chaos.Kind]*account{}
	for _, turn := range turns {
		switch {
		case turn.asks != "":
			d.asks(turn.asks)
		case turn.replies != "":
			d.replies(turn.replies)
		case turn.inject != "":
			force[turn.inject] = d.inject(turn.inject)
		case turn.lift != "":
			d.Lift(&force[turn.lift].Answer)
		}
	}
	d.End(3)
	return d
}

func TestMaxClientsTurnsFreshConnectionsAway(t *testing.T) {
	d := New(func(e results.Exchange) { t.Errorf("reported %+v, want nothing", e) })
	a := answer(chaos.MaxClients)
	s := d.Inject(&a.Answer, true, 0)
	if string(s.Back) != "-ERR max number of clients reached\r\n" || !s.Close || s.Forward != nil {
		t.Errorf("Inject = %q, close %t, want Redis' words and close", s.Back, s.Close)
	}
	if s := d.Up([]byte(req("PING")), 0); s.Forward != nil || s.Back != nil {
		t.Errorf("Up = %+v, want nothing", s)
	}
	if s := d.Down([]byte("+PONG\r\n"), 0); s.Forward != nil {
		t.Errorf("Down = %+v, want nothing", s)
	}
	if a.chances.Load() != 1 || a.bites.Load() != 1 {
		t.Errorf("%d of %d, want 1 of 1", a.bites.Load(), a.chances.Load())
	}
}

func TestEvidenceCountsWhatTheAnswerIsAbout(t *testing.T) {
	d := newTalk()
	first, second := d.inject(chaos.Readonly), d.inject(chaos.Loading)
	d.asks(req("SET a 1") + req("GET a") + req("INFO") + req("SET a"))
	large := "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$" + "2097152\r\n" + strings.Repeat("x", 2<<20) + "\r\n"
	d.asks(large)
	for _, a := range []struct {
		name                   string
		got                    *account
		wantChances, wantBites int64
	}{{"readonly", first, 2, 1}, {"loading", second, 1, 1}} {
		if a.got.chances.Load() != a.wantChances || a.got.bites.Load() != a.wantBites {
			t.Errorf("%s: %d of %d, want %d of %d", a.name, a.got.bites.Load(), a.got.chances.Load(), a.wantBites, a.wantChances)
		}
	}
	if got, want := d.toRedis.String(), req("INFO")+req("SET a")+large; got != want {
		t.Errorf("the server was sent %d bytes, want %d: all of the large request", len(got), len(want))
	}
}

func TestWhatNeedNotBeHeldFlowsOnAtOnce(t *testing.T) {
	forwards := func(d *Dialog, piece, want string) {
		t.Helper()
		if s := d.Up([]byte(piece), 0); string(s.Forward) != want {
			t.Errorf("Up(%.20q) forwards %d bytes, want %d", piece, len(s.Forward), len(want))
		}
	}
	a, head := answer(chaos.Readonly), "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$2000000\r\n"

	d := New(func(results.Exchange) {})
	forwards(d, "*3\r\n", "*3\r\n")
	d.Inject(&a.Answer, false, 0)
	forwards(d, head[4:], head[4:]) // its beginning has passed

	d = New(func(results.Exchange) {})
	d.Inject(&a.Answer, false, 0)
	forwards(d, head, "")
	d.Lift(&a.Answer)
	forwards(d, "x", head+"x")
	forwards(d, "y", "y")

	d = New(func(results.Exchange) {})
	d.Inject(&a.Answer, false, 0)
	forwards(d, head, "")
	large := strings.Repeat("x", maxHeld)
	forwards(d, large, head+large) // too large to be held
	forwards(d, "y", "y")
}

func TestALargeRequestIsLetThroughHoweverItComes(t *testing.T) {
	large := "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$" + "1048576\r\n" + strings.Repeat("x", 1<<20) + "\r\n"
	for _, size := range []int{0, 1000, 1 << 16} {
		d := newTalk()
		d.size = size
		a := d.inject(chaos.Readonly)
		d.asks(large + req("SET b 1"))
		if d.toRedis.String() != large || a.chances.Load() != 2 || a.bites.Load() != 1 {
			t.Errorf("in pieces of %d: %d bytes are forwarded, %d of %d answered, want %d, 1 of 2", size, d.toRedis.Len(), a.bites.Load(), a.chances.Load(), len(large))
		}
		if cap(d.held) > smallBuffer || cap(d.Dialog.forward) > maxHeld+len(large) {
			t.Errorf("in pieces of %d: %d bytes are kept", size, cap(d.held))
		}
	}
}

func TestNoiseIsNoRESPAndTheSameForTheSameSeed(t *testing.T) {
	noise := func(seed uint64) string {
		d := newTalk()
		a := answer(chaos.Garbage)
		a.Seed = seed
		d.Inject(&a.Answer, false, 0)
		for range 300 {
			d.asks(req("PING"))
		}
		for _, e := range d.said {
			if e.Reply != results.ReplyGarbage || !e.Injected {
				t.Fatalf("reported %+v, want garbage", e)
			}
		}
		return d.toUser.String()
	}
	text := noise(1)
	if text != noise(1) || text == noise(2) {
		t.Error("noise does not depend on the seed alone")
	}
	lines := strings.SplitAfter(text, "\r\n")
	if len(lines) != 301 {
		t.Fatalf("%d lines for 300 requests", len(lines)-1)
	}
	for _, line := range lines[:300] {
		if strings.Count(line, "\n") != 1 {
			t.Errorf("%q is more than a line", line)
		}
		var r reply
		if _, s := r.scan([]byte(line)); s != broken {
			t.Errorf("%q can be the beginning of a reply", line)
		}
	}
}

func TestGarbageLeavesNoTransactionOpen(t *testing.T) {
	for _, end := range []string{"EXEC", "DISCARD", "RESET"} {
		d := newTalk()
		d.asks(req("MULTI") + req("SET a 1"))
		d.replies("+OK\r\n+QUEUED\r\n")
		a := d.inject(chaos.Garbage)
		d.asks(req("SET b 1") + req(end))
		d.replies("+OK\r\n")
		d.Lift(&a.Answer)
		d.asks(req("SET c 1"))
		d.replies("+OK\r\n")
		compare(t, "what the server was sent", d.toRedis.String(), req("MULTI")+req("SET a 1")+req("DISCARD")+req("SET c 1"))
		compare(t, "exchanges", d.exchanges(), []string{
			"MULTI ok", "SET a ok", "SET b garbage injected", "DISCARD ok", end + " garbage injected", "SET c ok",
		})
	}
}

var _ wire.Dialog = (*Dialog)(nil)
