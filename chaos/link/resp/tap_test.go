package resp

import (
	"strings"
	"testing"

	"brownout/chaos"
	"brownout/results"
)

// tapTests are streams that pass without an answer in force: a turn of the client,
// a turn of the server, and so on.
var tapTests = []struct {
	name  string
	turns []string
	want  []string
	aside string
}{
	{
		name:  "a command and its reply",
		turns: []string{req("GET flags:prod:a"), bulk("on")},
		want:  []string{"GET flags:* ok"},
	},
	{
		name:  "a name in lower case",
		turns: []string{req("get k1"), bulk("v")},
		want:  []string{"GET k* ok"},
	},
	{
		name:  "a subcommand belongs to the name, and its key is found",
		turns: []string{req("client setinfo LIB-NAME x") + req("OBJECT encoding a:b"), "+OK\r\n" + bulk("raw")},
		want:  []string{"CLIENT|SETINFO ok", "OBJECT|ENCODING a:* ok"},
	},
	{
		name:  "a container alone, and one with a subcommand that nobody knows",
		turns: []string{req("CLIENT") + req("CLIENT x\x01y"), "-ERR a\r\n-ERR b\r\n"},
		want:  []string{"CLIENT ERR", "CLIENT|X?Y ERR"},
	},
	{
		name:  "a pipeline",
		turns: []string{req("SET a 1") + req("GET a") + req("GET b"), "+OK\r\n" + bulk("1") + "$-1\r\n"},
		want:  []string{"SET a ok", "GET a ok", "GET b nil"},
	},
	{
		name:  "replies come while requests are sent",
		turns: []string{req("GET a") + "*2\r\n$3\r\nGE", bulk("1"), "T\r\n$1\r\nb\r\n", bulk("2")},
		want:  []string{"GET a ok", "GET b ok"},
	},
	{
		name:  "errors, by their first word",
		turns: []string{req("GET a") + req("LPUSH a 1") + req("X"), "-WRONGTYPE Operation against\r\n-READONLY\r\n!21\r\nSYNTAX invalid syntax\r\n"},
		want:  []string{"GET a WRONGTYPE", "LPUSH a READONLY", "X SYNTAX"},
	},
	{
		name:  "every way to say nothing",
		turns: []string{req("GET a") + req("BLPOP a 1") + req("GET a") + req("GET a"), "$-1\r\n*-1\r\n_\r\n" + bulk("")},
		want:  []string{"GET a nil", "BLPOP a nil", "GET a nil", "GET a ok"},
	},
	{
		name: "every type of RESP3, nested",
		turns: []string{strings.Repeat(req("X"), 4),
			"%2\r\n+a\r\n:1\r\n" + bulk("b") + "~3\r\n#t\r\n,1.5\r\n(123456789012345678901234567890\r\n" +
				"=7\r\ntxt:abc\r\n" + "*3\r\n*0\r\n%0\r\n_\r\n" + "#f\r\n"},
		want: []string{"X ok", "X ok", "X ok", "X ok"},
	},
	{
		name:  "nothing inside something is something",
		turns: []string{req("MGET a b") + req("HGETALL a"), "*2\r\n$-1\r\n_\r\n" + "%1\r\n+a\r\n*-1\r\n"},
		want:  []string{"MGET a ok", "HGETALL a ok"},
	},
	{
		name: "attributes belong to what follows",
		turns: []string{req("GET a") + req("GET b") + req("GET c"),
			"|1\r\n+ttl\r\n*2\r\n:1\r\n:2\r\n$-1\r\n" + "*2\r\n|1\r\n+x\r\n+y\r\n:1\r\n:2\r\n" + "|0\r\n-ERR x\r\n"},
		want: []string{"GET a nil", "GET b ok", "GET c ERR"},
	},
	{
		name: "what is streamed ends when it says so",
		turns: []string{strings.Repeat(req("X"), 3),
			"$?\r\n;4\r\nabcd\r\n;2\r\n\r\n\r\n;0\r\n" + "*?\r\n:1\r\n*?\r\n.\r\n$?\r\n;0\r\n.\r\n" + "%?\r\n+a\r\n:1\r\n.\r\n"},
		want: []string{"X ok", "X ok", "X ok"},
	},
	{
		name:  "pushes belong to no request",
		turns: []string{req("GET a"), ">2\r\n+invalidate\r\n*1\r\n$1\r\na\r\n" + bulk("1") + ">1\r\n+x\r\n"},
		want:  []string{"GET a ok"},
	},
	{
		name: "where the first key stands",
		turns: []string{req("EVAL x 1 k:1 a") + req("EVAL x 0 a") + req("XREAD COUNT 1 streams s:1 0") + req("ZUNION 2 z:1 b") + req("BITOP AND d:1 b") + req("PING k:1"),
			strings.Repeat("+OK\r\n", 6)},
		want: []string{"EVAL k:* ok", "EVAL ok", "XREAD s:* ok", "ZUNION z:* ok", "BITOP d:* ok", "PING ok"},
	},
	{
		name:  "inline commands, with quotes",
		turns: []string{"PING\r\nget \"a:\\x41 b\" \n  \r\n\nset 'it\\'s' x\n", "+PONG\r\n$-1\r\n+OK\r\n"},
		want:  []string{"PING ok", "GET a:* nil", "SET it's ok"},
	},
	{
		name:  "an empty array is no request",
		turns: []string{"*0\r\n*-1\r\n" + req("PING"), "+PONG\r\n"},
		want:  []string{"PING ok"},
	},
	{
		name:  "what ends in no reply is reported at the end",
		turns: []string{req("GET a") + req("GET b"), bulk("1") + "$5\r\nab"},
		want:  []string{"GET a ok", "GET b none"},
	},
	{
		name: "subscriptions of RESP2: one exchange each, messages are none",
		turns: []string{req("SUBSCRIBE a b") + req("PING") + req("UNSUBSCRIBE"),
			"*3\r\n" + bulk("subscribe") + bulk("a") + ":1\r\n" + "*3\r\n" + bulk("message") + bulk("a") + bulk("x") +
				"*3\r\n" + bulk("subscribe") + bulk("b") + ":2\r\n" + "*2\r\n" + bulk("pong") + bulk("") +
				"*3\r\n" + bulk("unsubscribe") + bulk("a") + ":1\r\n" + "*3\r\n" + bulk("message") + bulk("b") + bulk("x") +
				"*3\r\n" + bulk("unsubscribe") + bulk("b") + ":0\r\n",
			req("LRANGE l 0 -1"), "*1\r\n" + bulk("message")},
		want: []string{"SUBSCRIBE ok", "PING ok", "UNSUBSCRIBE ok", "LRANGE l ok"},
	},
	{
		name: "subscriptions of RESP3 come as pushes",
		turns: []string{req("HELLO 3") + req("SUBSCRIBE a b") + req("LRANGE l 0 0") + req("PUNSUBSCRIBE"),
			"%1\r\n+proto\r\n:3\r\n" + ">3\r\n" + bulk("subscribe") + bulk("a") + ":1\r\n" + ">3\r\n" + bulk("message") + bulk("a") + bulk("x") +
				">3\r\n" + bulk("subscribe") + bulk("b") + ":2\r\n" + "*1\r\n" + bulk("message") + ">3\r\n" + bulk("punsubscribe") + "_\r\n:2\r\n"},
		want: []string{"HELLO ok", "SUBSCRIBE ok", "LRANGE l ok", "PUNSUBSCRIBE ok"},
	},
	{
		name:  "a subscription that is refused",
		turns: []string{req("SUBSCRIBE a b") + req("PING"), "-NOPERM no\r\n+PONG\r\n"},
		want:  []string{"SUBSCRIBE NOPERM", "PING ok"},
	},
	{
		name:  "RESET ends subscriptions and RESP3",
		turns: []string{req("SUBSCRIBE a") + req("RESET") + req("LRANGE l 0 0"), "*3\r\n+subscribe\r\n+a\r\n:1\r\n+RESET\r\n*1\r\n" + bulk("message")},
		want:  []string{"SUBSCRIBE ok", "RESET ok", "LRANGE l ok"},
	},
	{
		name:  "an error that nobody asked for announces the end",
		turns: []string{"", "-ERR max number of clients reached\r\n"},
	},
	{
		name:  "MONITOR: what was asked before is still followed",
		turns: []string{req("GET a") + req("MONITOR") + req("GET b"), bulk("1") + "+OK\r\n+123 \"GET\"\r\n"},
		want:  []string{"GET a ok", "MONITOR none"},
		aside: "MONITOR",
	},
	{
		name:  "a replica",
		turns: []string{req("PING") + req("PSYNC ? -1"), "+PONG\r\n+FULLRESYNC\r\n$8\r\nREDIS000xyz"},
		want:  []string{"PING ok", "PSYNC none"},
		aside: "PSYNC",
	},
	{
		name:  "CLIENT REPLY",
		turns: []string{req("CLIENT REPLY OFF") + req("GET a"), ""},
		want:  []string{"CLIENT|REPLY none"},
		aside: "CLIENT|REPLY",
	},
	{
		name:  "SUBSCRIBE within MULTI",
		turns: []string{req("MULTI") + req("SUBSCRIBE a") + req("EXEC"), "+OK\r\n+QUEUED\r\n*1\r\n*3\r\n"},
		want:  []string{"MULTI ok", "SUBSCRIBE none"},
		aside: "SUBSCRIBE",
	},
	{
		name:  "a client that speaks no RESP behind a request",
		turns: []string{req("GET a") + "*1\r\n:5\r\n" + req("GET b"), bulk("1") + "-ERR Protocol error\r\n"},
		want:  []string{"GET a ok"},
		aside: notRequest,
	},
	{
		name:  "a server that speaks no RESP",
		turns: []string{req("GET a") + req("GET b"), bulk("1") + "HTTP/1.1 400 Bad Request\r\n"},
		want:  []string{"GET a ok", "GET b none"},
		aside: notReply,
	},
	{
		name:  "a server that speaks first",
		turns: []string{"", "+hello\r\n", req("GET a"), bulk("1")},
		aside: unasked,
	},
	{
		name:  "a line without CR",
		turns: []string{req("GET a"), "+OK\n"},
		want:  []string{"GET a none"},
		aside: notReply,
	},
	{
		name:  "a value without CRLF",
		turns: []string{req("GET a"), "$2\r\nabc\r\n"},
		want:  []string{"GET a none"},
		aside: notReply,
	},
	{
		name:  "lengths that cannot be",
		turns: []string{req("GET a"), "$99999999999999999999\r\n"},
		want:  []string{"GET a none"},
		aside: notReply,
	},
	{
		name:  "lengths that are right when they overflow",
		turns: []string{req("GET a"), "$18446744073709551621\r\nhello\r\n"},
		want:  []string{"GET a none"},
		aside: notReply,
	},
	{
		name:  "a length that is known and is not",
		turns: []string{req("GET a"), "*?1\r\n"},
		want:  []string{"GET a none"},
		aside: notReply,
	},
	{
		name:  "arguments of no length",
		turns: []string{"*1\r\n$-1\r\n"},
		aside: notRequest,
	},
	{
		name:  "arguments without an end",
		turns: []string{"*1\r\n$5000000000\r\n"},
		aside: notRequest,
	},
	{
		name:  "an inline request without an end",
		turns: []string{"GET " + strings.Repeat("x", maxLine) + "\n"},
		aside: notRequest,
	},
	{
		name:  "an inline request in which a NUL hides the end",
		turns: []string{"GET \x00\n"},
		aside: notRequest,
	},
	{
		name:  "replies that are nested without an end",
		turns: []string{req("GET a"), strings.Repeat("*1\r\n", maxDepth+1)},
		want:  []string{"GET a none"},
		aside: notReply,
	},
	{
		name:  "quotes that do not close",
		turns: []string{"GET \"a\r\n", ""},
		aside: notRequest,
	},
}

// play gives a talk the turns and ends it.
func play(turns []string, size int) *talk {
	d := newTalk()
	d.size = size
	for i, text := range turns {
		if i%2 == 0 {
			d.asks(text)
		} else {
			d.replies(text)
		}
	}
	d.End(3)
	return d
}

func TestWhatPassesIsCounted(t *testing.T) {
	for _, tt := range tapTests {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{0, 1, 2, 3, 7} {
				d := play(tt.turns, size)
				compare(t, "exchanges", d.exchanges(), tt.want)
				if d.Aside() != tt.aside {
					t.Errorf("in pieces of %d: Aside = %q, want %q", size, d.Aside(), tt.aside)
				}
				var up, down string
				for i, text := range tt.turns {
					if i%2 == 0 {
						up += text
					} else {
						down += text
					}
				}
				compare(t, "what the server was sent", d.toRedis.String(), up)
				compare(t, "what the client was sent", d.toUser.String(), down)
			}
		})
	}
}

func TestAnExchangeHasItsTimesAndBytes(t *testing.T) {
	var got []results.Exchange
	d := New(func(e results.Exchange) { got = append(got, e) })
	request, value := req("GET a"), "|1\r\n+a\r\n+b\r\n"+bulk("12345")
	d.Up([]byte(request[:5]), 1)
	d.Up([]byte(request[5:]+"*1"), 2)
	d.Down([]byte(">1\r\n+x\r\n"+value[:3]), 3)
	d.Down([]byte(value[3:]), 4)
	compare(t, "exchanges", got, []results.Exchange{{
		Sent: 2, Done: 4, Kind: "GET", Pattern: "a", Reply: "ok", Up: int64(len(request)), Down: int64(len(value)),
	}})
}

func TestAPatternLeavesOutWhatVaries(t *testing.T) {
	for _, tt := range []struct{ key, want string }{
		{"feature_flags:production:checkout", "feature_flags:*"},
		{"flag17", "flag*"},
		{"a1b22c", "a*b*c"},
		{"user12:x", "user12:*"},
		{"caf\u00e9", "caf*"},
		{"a b\x00\x01c", "a*b*c"},
		{"12\x00", "*"},
		{":x", ":*"},
		{"a:", "a:*"},
		{"", ""},
		{strings.Repeat("k", 100), strings.Repeat("k", 64)},
		{strings.Repeat("k", 63) + ":x", strings.Repeat("k", 63) + ":"},
	} {
		if got := (patterns{}).of([]byte(tt.key)); got != tt.want {
			t.Errorf("pattern of %q = %q, want %q", tt.key, got, tt.want)
		}
	}
}

func TestMoreRequestsThanCanBeRememberedPassUncounted(t *testing.T) {
	d := newTalk()
	for range maxPending + 10 {
		d.asks(req("PING"))
	}
	if d.Aside() != tooMany {
		t.Errorf("Aside = %q, want %q", d.Aside(), tooMany)
	}
	d.replies(strings.Repeat("+PONG\r\n", maxPending+10))
	d.End(3)
	if kept := len(d.queue.ring); kept > idleRing {
		t.Errorf("%d slots are kept", kept)
	}
	if len(d.said) != maxPending || d.toUser.Len() != 7*(maxPending+10) {
		t.Errorf("%d exchanges, %d bytes to the client, want %d, %d", len(d.said), d.toUser.Len(), maxPending, 7*(maxPending+10))
	}
}

func TestARequestBeyondWhatCanBeRememberedIsNotAnswered(t *testing.T) {
	d := newTalk()
	d.inject(chaos.Readonly)
	for range maxPending {
		d.asks(req("PING"))
	}
	d.asks(req("SET a 1"))
	d.replies(strings.Repeat("+PONG\r\n", maxPending) + "+OK\r\n")
	if got, want := d.toUser.Len(), 7*maxPending+5; got != want || d.Aside() != tooMany {
		t.Errorf("%d bytes to the client, aside %q, want %d, %q", got, d.Aside(), want, tooMany)
	}
}

func TestAConnectionRemembersFewPatterns(t *testing.T) {
	p := patterns{}
	for i := range 10 * maxPatterns {
		key := strings.Repeat("k", i%50) + strings.Repeat("x", i/50) + ":1"
		if got := p.of([]byte(key)); got != key[:len(key)-1]+"*" {
			t.Errorf("pattern of %q = %q", key, got)
		}
	}
	if len(p) != maxPatterns {
		t.Errorf("%d patterns are kept, want %d", len(p), maxPatterns)
	}
}

func TestWhatIsKeptOfAReply(t *testing.T) {
	for _, tt := range []struct {
		reply, text string
		number      int64
	}{
		{"*3\r\n+subscribe\r\n+a\r\n:1\r\n", "subscribe", 1},
		{">3\r\n=9\r\ntxt:hello\r\n:7\r\n*2\r\n:8\r\n:9\r\n", "txt:hello", 7},
		{"*2\r\n*1\r\n+a\r\n+b\r\n", "", 0},
		{"*2\r\n:-5\r\n+b\r\n", "", -5},
		{"-ERR x\r\n", "ERR x", 0},
		{"*2\r\n-ERR x\r\n+b\r\n", "", 0},
		{"+OK\r\n", "", 0},
		{"*1\r\n$40\r\n" + strings.Repeat("x", 40) + "\r\n", strings.Repeat("x", maxWord), 0},
	} {
		var r reply
		if n, s := r.scan([]byte(tt.reply)); n != len(tt.reply) || s != whole || !r.idle() {
			t.Errorf("scan(%q) = %d, %d, want all of it", tt.reply, n, s)
		}
		if string(r.text()) != tt.text || r.number != tt.number {
			t.Errorf("%q: %q and %d are kept, want %q, %d", tt.reply, r.text(), r.number, tt.text, tt.number)
		}
	}
}

func TestWithoutAnAnswerTheSameSliceIsForwarded(t *testing.T) {
	d := New(func(results.Exchange) {})
	up, down := []byte(req("GET a")), []byte(bulk("1"))
	if s := d.Up(up, 0); &s.Forward[0] != &up[0] || len(s.Forward) != len(up) {
		t.Error("Up forwards a copy")
	}
	if s := d.Down(down, 0); &s.Forward[0] != &down[0] || len(s.Forward) != len(down) {
		t.Error("Down forwards a copy")
	}
	a := answer(chaos.Readonly)
	d.Inject(&a.Answer, false, 0)
	d.Up([]byte(req("GET a")+req("SET a 1")), 0)
	d.Down(down, 0)
	d.Lift(&a.Answer)
	if s := d.Up(up, 0); &s.Forward[0] != &up[0] {
		t.Error("Up forwards a copy when the answer is lifted")
	}
	if s := d.Down(down, 0); &s.Forward[0] != &down[0] {
		t.Error("Down forwards a copy when the answer is lifted")
	}
}
