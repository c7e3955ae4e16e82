package pgwire

import (
	"bytes"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"brownout/chaos/link/wire"
	"brownout/results"
)

// A proxy drives dialogs between clients and a server, as a link does.
type proxy struct {
	t        testing.TB
	listener net.Listener
	upstream string
	began    time.Time
	work     sync.WaitGroup

	mu       sync.Mutex
	plugs    []*plug
	answers  []*wire.Answer
	lifted   chan struct{} // closed, and made anew, when an answer is lifted
	recorded func(turn)    // nil: nothing is

	foundMu sync.Mutex // is taken after all others
	found   recorder
}

// A plug is one connection.
type plug struct {
	proxy          *proxy
	client, server *net.TCPConn

	mu     sync.Mutex // held while the client is given something, too
	dialog *Dialog
	hungUp bool
}

func startProxy(t testing.TB, upstream string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{t: t, listener: l, upstream: upstream, began: time.Now(), lifted: make(chan struct{})}
	p.work.Go(p.accept)
	t.Cleanup(p.stop)
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) stop() {
	p.listener.Close()
	p.mu.Lock()
	for _, g := range p.plugs {
		g.client.Close()
		g.server.Close()
	}
	p.mu.Unlock()
	p.work.Wait()
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.upstream)
		if err != nil {
			client.Close()
			continue
		}
		g := &plug{proxy: p, client: client.(*net.TCPConn), server: server.(*net.TCPConn)}
		g.dialog = New(p.report)
		p.mu.Lock()
		p.plugs = append(p.plugs, g)
		for _, a := range p.answers {
			g.dialog.Inject(a, true, p.now())
		}
		p.mu.Unlock()
		p.work.Go(g.run)
	}
}

func (p *proxy) now() time.Duration { return time.Since(p.began) }

func (p *proxy) report(e results.Exchange) {
	p.foundMu.Lock()
	defer p.foundMu.Unlock()
	p.found.report(e)
}

// exchanges returns those that are over.
func (p *proxy) exchanges() *recorder {
	p.foundMu.Lock()
	defer p.foundMu.Unlock()
	return &recorder{slices.Clone(p.found.exchanges)}
}

// put puts an answer of kind in force on all connections, live ones and new ones.
func (p *proxy) put(kind string, delay time.Duration) (*wire.Answer, *tally) {
	a, counted := newAnswer(kind)
	a.Delay = delay
	p.mu.Lock()
	live := slices.Clone(p.plugs)
	p.answers = append(p.answers, a)
	p.mu.Unlock()
	for _, g := range live {
		g.inject(a)
	}
	return a, counted
}

func (p *proxy) lift(a *wire.Answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers = slices.DeleteFunc(p.answers, func(other *wire.Answer) bool { return other == a })
	for _, g := range p.plugs {
		g.lift(a)
	}
	close(p.lifted)
	p.lifted = make(chan struct{})
}

func (g *plug) lift(a *wire.Answer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.dialog.Lift(a)
}

func (g *plug) inject(a *wire.Answer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	step := g.dialog.Inject(a, false, g.proxy.now())
	g.give(step.Back, step.Close)
}

// run carries both directions until both have ended.
func (g *plug) run() {
	var up sync.WaitGroup
	up.Go(g.carryUp)
	g.carryDown()
	g.client.CloseWrite()
	up.Wait()
	g.client.Close()
	g.server.Close()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.dialog.End(g.proxy.now())
}

func (g *plug) carryUp() {
	buf := make([]byte, 32<<10)
	for {
		n, err := g.client.Read(buf)
		if n > 0 {
			g.up(buf[:n])
		}
		if err != nil {
			g.server.CloseWrite()
			return
		}
	}
}

func (g *plug) up(b []byte) {
	g.proxy.mu.Lock()
	released := g.proxy.lifted
	g.proxy.mu.Unlock()
	g.mu.Lock()
	g.saw(turn{false, b})
	step := g.dialog.Up(b, g.proxy.now())
	g.give(step.Back, step.Close)
	g.mu.Unlock()
	if step.Delay > 0 {
		select {
		case <-time.After(step.Delay):
		case <-released:
		}
	}
	g.server.Write(step.Forward)
}

func (g *plug) carryDown() {
	buf := make([]byte, 32<<10)
	for {
		n, err := g.server.Read(buf)
		if n > 0 {
			g.down(buf[:n])
		}
		if err != nil {
			return
		}
	}
}

func (g *plug) down(b []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.saw(turn{true, b})
	step := g.dialog.Down(b, g.proxy.now())
	if len(step.Forward) == len(b) && !bytes.Equal(step.Forward, b) {
		g.proxy.t.Errorf("Down changed what the server said")
	}
	g.give(step.Forward, step.Close)
}

// give writes b to the client. g.mu is held.
func (g *plug) give(b []byte, last bool) {
	if g.hungUp {
		return
	}
	g.client.Write(b)
	if last {
		g.hungUp = true
		g.client.CloseWrite()
		g.server.CloseWrite()
		g.server.CloseRead()
	}
}

func (g *plug) saw(s turn) {
	if g.proxy.recorded != nil {
		g.proxy.recorded(turn{s.fromServer, bytes.Clone(s.b)})
	}
}
