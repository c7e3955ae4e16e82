package link

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"brownout/chaos"
	"brownout/chaos/link/wire"
	"brownout/results"
)

// A chat is a protocol for tests: whatever is read at once is a request. It
// answers as the kind of the fault says.
type chat struct {
	report wire.Report
	answer *wire.Answer
	closed bool
}

func chatProtocol() wire.Protocol {
	return wire.Protocol{Name: chaos.ProtocolRedis, New: func(r wire.Report) wire.Dialog { return &chat{report: r} }}
}

func (c *chat) Up(b []byte, at time.Duration) wire.Step {
	if c.closed {
		return wire.Step{}
	}
	if c.answer == nil || c.answer.Kind == string(chaos.MaxClients) {
		return wire.Step{Forward: b}
	}
	c.answer.Chance()
	c.answer.Bite()
	switch chaos.Kind(c.answer.Kind) {
	case chaos.Readonly:
		return wire.Step{Back: []byte("-no\n")}
	case chaos.ReadonlyClose:
		c.closed = true
		return wire.Step{Back: []byte("-no\n"), Close: true}
	default: // keeps the request
		return wire.Step{Forward: b, Delay: time.Hour}
	}
}

func (c *chat) Down(b []byte, at time.Duration) wire.Step {
	c.report(results.Exchange{Kind: "SAY", Done: at, Down: int64(len(b))})
	if c.closed {
		return wire.Step{}
	}
	if bytes.Equal(b, []byte("bye\n")) {
		return wire.Step{Forward: b, Close: true}
	}
	return wire.Step{Forward: b}
}

func (c *chat) Inject(a *wire.Answer, fresh bool, _ time.Duration) wire.Step {
	c.answer = a
	if a.Kind != string(chaos.MaxClients) || !fresh {
		return wire.Step{}
	}
	a.Chance()
	a.Bite()
	c.closed = true
	return wire.Step{Back: []byte("-full\n"), Close: true}
}

func (c *chat) Lift(*wire.Answer) { c.answer = nil }
func (c *chat) Aside() string     { return "it is a test" }
func (c *chat) End(time.Duration) {}

func startChat(t *testing.T, upstream string) (*Gate, *journal, func() []results.Exchange) {
	t.Helper()
	said := make(chan results.Exchange, 1000)
	g, j, _ := runGate(t, Config{
		Name: "cache", Upstream: upstream, Protocol: chatProtocol(),
		Exchange: func(e results.Exchange) { said <- e },
	})
	return g, j, func() []results.Exchange {
		var all []results.Exchange
		for len(said) > 0 {
			all = append(all, <-said)
		}
		return all
	}
}

func TestAnExchangeNamesItsLinkAndConnection(t *testing.T) {
	g, j, said := startChat(t, startEcho(t).addr())
	for _, text := range []string{"one\n", "two\n"} {
		c := dialGate(t, g)
		send(t, c, text)
		expect(t, c, text)
		c.Close()
	}
	for _, conn := range j.closes(t, 2) {
		if conn.Aside != "it is a test" {
			t.Errorf("connection %d: Aside = %q, want what the dialog says", conn.ID, conn.Aside)
		}
	}
	all := said()
	if len(all) != 2 || all[0].On != "cache" || all[0].Conn == all[1].Conn {
		t.Errorf("exchanges = %+v, want one of each of two connections of cache", all)
	}
}

func TestAnAnswerReachesTheClientAndNotTheDependency(t *testing.T) {
	var heard atomic.Int64
	s := startServer(t, func(c *net.TCPConn) {
		b := make([]byte, 100)
		for {
			n, err := c.Read(b)
			if err != nil {
				return
			}
			heard.Add(int64(n))
			c.Write(b[:n])
		}
	})
	g, _, _ := startChat(t, s.addr())
	c := dialGate(t, g)
	send(t, c, "a\n")
	expect(t, c, "a\n")
	r := inject(t, g, chaos.Fault{Kind: chaos.Readonly})
	send(t, c, "b\n")
	expect(t, c, "-no\n")
	fresh := dialGate(t, g)
	send(t, fresh, "c\n")
	expect(t, fresh, "-no\n")
	ev := revert(t, r)
	if ev.Chances != 2 || ev.Bites != 2 {
		t.Errorf("evidence = %+v, want 2 of 2 requests", ev)
	}
	send(t, c, "d\n")
	expect(t, c, "d\n")
	if got := heard.Load(); got != 4 {
		t.Errorf("the dependency heard %d bytes, want 4: a and d", got)
	}
}

func TestAnAnswerThatClosesIsReadBeforeTheEnd(t *testing.T) {
	ends := make(chan error, 1)
	s := startServer(t, func(c *net.TCPConn) {
		_, err := io.Copy(io.Discard, c)
		ends <- err
	})
	g, j, _ := startChat(t, s.addr())
	c := dialGate(t, g)
	inject(t, g, chaos.Fault{Kind: chaos.ReadonlyClose})
	send(t, c, "a\n")
	expect(t, c, "-no\n")
	expectEnd(t, c, io.EOF)
	if err := <-ends; err != nil {
		t.Errorf("the dependency saw %v, want a FIN", err)
	}
	if by := j.closes(t, 1)[0].By; by != results.ClosedByGate {
		t.Errorf("closed by %q, want %q", by, results.ClosedByGate)
	}
	waitFor(t, "a write is reset", func() bool {
		_, err := c.Write([]byte("more\n"))
		return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
	})
}

func TestAReplyThatClosesIsReadBeforeTheEnd(t *testing.T) {
	g, _, _ := startChat(t, startEcho(t).addr())
	c := dialGate(t, g)
	send(t, c, "bye\n")
	expect(t, c, "bye\n")
	expectEnd(t, c, io.EOF)
}

func TestOnlyFreshConnectionsAreTurnedAway(t *testing.T) {
	g, _, _ := startChat(t, startEcho(t).addr())
	live := dialGate(t, g)
	send(t, live, "a\n")
	expect(t, live, "a\n")
	r := inject(t, g, chaos.Fault{Kind: chaos.MaxClients})
	fresh := dialGate(t, g)
	expect(t, fresh, "-full\n")
	expectEnd(t, fresh, io.EOF)
	send(t, live, "b\n")
	expect(t, live, "b\n")
	revert(t, r)
	again := dialGate(t, g)
	send(t, again, "c\n")
	expect(t, again, "c\n")
}

func TestLiveConnectionsAreClosedWhenAsked(t *testing.T) {
	g, j, _ := startChat(t, startEcho(t).addr())
	live := dialGate(t, g)
	send(t, live, "a\n")
	expect(t, live, "a\n")
	r := inject(t, g, chaos.Fault{Kind: chaos.MaxClients, Live: chaos.CloseAll})
	expectEnd(t, live, io.EOF)
	fresh := dialGate(t, g)
	expect(t, fresh, "-full\n")
	expectEnd(t, fresh, io.EOF)
	ev := revert(t, r)
	if ev.Chances != 1 || ev.Bites != 1 {
		t.Errorf("evidence = %+v, want the one fresh connection", ev)
	}
	for _, c := range j.closes(t, 2) {
		if c.By != results.ClosedByGate {
			t.Errorf("connection %d was closed by %q, want %q", c.ID, c.By, results.ClosedByGate)
		}
	}
}

func TestAnAnswerGoesThroughTheFaults(t *testing.T) {
	g, _, _ := startChat(t, startEcho(t).addr())
	c := dialGate(t, g)
	send(t, c, "a\n")
	expect(t, c, "a\n")
	inject(t, g, chaos.Fault{Kind: chaos.Readonly})
	slow := inject(t, g, chaos.Fault{Kind: chaos.Latency, Latency: time.Hour})
	send(t, c, "b\n")
	expectSilence(t, c)
	revert(t, slow)
	expect(t, c, "-no\n")
}

func TestWhatAnAnswerKeepsIsReleasedOnItsRevertAlone(t *testing.T) {
	p := chatProtocol()
	p.Name = chaos.ProtocolPostgres
	g, _, _ := runGate(t, Config{Name: "cache", Upstream: startEcho(t).addr(), Protocol: p})
	c := dialGate(t, g)
	send(t, c, "a\n")
	expect(t, c, "a\n")
	r := inject(t, g, chaos.Fault{Kind: chaos.SlowQuery, Latency: time.Hour})
	send(t, c, "b\n")
	expectSilence(t, c)
	revert(t, inject(t, g, chaos.Fault{Kind: chaos.TooManyConnections}))
	expectSilence(t, c)
	revert(t, r)
	expect(t, c, "b\n")
}

func TestAnAnswerNeedsALinkThatSpeaksItsProtocol(t *testing.T) {
	g, _, _ := startChat(t, startEcho(t).addr())
	if _, err := g.Inject(t.Context(), chaos.Fault{On: "cache", Kind: chaos.AdminShutdown}); err == nil {
		t.Error("Inject(admin_shutdown) on a link that speaks redis gives no error")
	}
	plain, _, _ := startGate(t, startEcho(t).addr())
	if _, err := plain.Inject(t.Context(), chaos.Fault{On: "cache", Kind: chaos.Readonly}); err == nil {
		t.Error("Inject(readonly) on a link without a protocol gives no error")
	}
}
