package link

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"brownout/chaos"
	"brownout/chaos/link/wire"
	"brownout/results"
)

// bufferSize is what one read takes at the most, as in io.Copy.
const bufferSize = 32 << 10

// A Gate is one way to one dependency. It implements chaos.Injector.
type Gate struct {
	cfg     Config
	buffers sync.Pool // of *[]byte

	// faultMu serializes what changes faults and the listener. It is taken before mu
	// and held while the accept loop ends, which needs mu.
	faultMu sync.Mutex
	running bool
	began   chan struct{}

	port *port // the listening side; set by Listen

	conns    sync.WaitGroup // one for each conn.run
	mu       sync.Mutex
	ctx      context.Context // of Run
	live     map[*conn]struct{}
	upstream string       // where new connections lead
	faults   []*injection // in force, in the order of injection
	stats    Stats        // of ended connections; Opened of all
	opened   time.Duration
	err      error // for Run
}

var _ chaos.Injector = (*Gate)(nil)

// New returns a gate. It starts nothing.
func New(cfg Config) *Gate {
	return &Gate{
		cfg: cfg.withDefaults(), upstream: cfg.Upstream,
		buffers: sync.Pool{New: func() any { b := make([]byte, bufferSize); return &b }},
		live:    make(map[*conn]struct{}), began: make(chan struct{}),
	}
}

// Began is closed when Run carries connections: from then on there is traffic to
// injure.
func (g *Gate) Began() <-chan struct{} { return g.began }

// Listen binds the gate's port, so that its address is known. Connections wait in
// the kernel until Run. Only Run gives the port back, also when its context is
// done from the start.
func (g *Gate) Listen() error {
	g.faultMu.Lock()
	defer g.faultMu.Unlock()
	return g.listen()
}

func (g *Gate) listen() error {
	if g.port != nil {
		return nil
	}
	p, err := bind(g.cfg.Listen)
	if err != nil {
		return fmt.Errorf("opening link %s: %w", g.cfg.Name, err)
	}
	g.port = p
	return nil
}

// Addr is the address that clients dial, host:port. It is empty before Listen.
func (g *Gate) Addr() string {
	g.faultMu.Lock()
	defer g.faultMu.Unlock()
	if g.port == nil {
		return ""
	}
	return g.port.addr.String()
}

// Run accepts and carries connections until ctx is done; it listens first if
// Listen was not called. When it returns nothing of the gate is left: port,
// connections and faults are gone. A gate runs once. The error says that the port
// could not be bound, that connections could not be accepted in between, or that
// a side could not be spoken to in TLS.
func (g *Gate) Run(ctx context.Context) error {
	if err := g.start(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	g.stop()
	g.conns.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

func (g *Gate) start(ctx context.Context) error {
	g.faultMu.Lock()
	defer g.faultMu.Unlock()
	if g.ctx != nil {
		return fmt.Errorf("running link %s: a gate runs only once", g.cfg.Name)
	}
	if err := g.listen(); err != nil {
		return err
	}
	g.ctx, g.running = ctx, true
	close(g.began)
	g.port.serve(g.accept, g.acceptFailed)
	return nil
}

// stop ends everything but the goroutines of connections. Faults in force keep
// the evidence of this moment.
func (g *Gate) stop() {
	g.faultMu.Lock()
	defer g.faultMu.Unlock()
	g.running = false
	for _, in := range g.inForce() { // before the port is closed, which is a fault itself
		in.end()
	}
	g.port.shut()
	for _, c := range g.connections() {
		c.abort(results.ClosedByGate, closeQuietly)
	}
	g.port.release()
}

// accept takes a new connection in. It is called by one goroutine at a time.
func (g *Gate) accept(client *net.TCPConn) {
	c := g.admit(client)
	opening := c.snapshot(c.opened)
	g.cfg.Record(results.Event{At: c.opened, Kind: results.EventConnect, On: g.cfg.Name, Conn: &opening})
	g.mu.Lock()
	defer g.mu.Unlock()
	g.live[c] = struct{}{}
	for _, in := range g.faults {
		in.meet(c)
	}
	c.settled = true
	g.conns.Go(c.run)
}

func (g *Gate) admit(client *net.TCPConn) *conn {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stats.Opened++
	g.opened = g.now()
	return newConn(g, g.ctx, g.stats.Opened, client)
}

// dialog makes what follows connection id, nil if the link knows no protocol.
func (g *Gate) dialog(id uint64) wire.Dialog {
	if g.cfg.Protocol.New == nil {
		return nil
	}
	return g.cfg.Protocol.New(func(e results.Exchange) {
		e.On, e.Conn = g.cfg.Name, id
		g.cfg.Exchange(e)
	})
}

// acceptFailed is told of an error of the listener other than its end.
func (g *Gate) acceptFailed(err error) {
	g.failed(fmt.Errorf("accepting on link %s: %w", g.cfg.Name, err))
}

// failed keeps the first error that Run is to return.
func (g *Gate) failed(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil {
		g.err = err
	}
}

// ended takes note that c is over.
func (g *Gate) ended(c *conn) {
	last := c.snapshot(g.now())
	g.mu.Lock()
	delete(g.live, c)
	g.stats.Up += last.Up
	g.stats.Down += last.Down
	g.mu.Unlock()
	g.cfg.Record(results.Event{At: last.Closed, Kind: results.EventClose, On: g.cfg.Name, Conn: &last})
}

func (g *Gate) now() time.Duration { return time.Since(g.cfg.Base) }

func (g *Gate) inForce() []*injection {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]*injection(nil), g.faults...)
}

func (g *Gate) connections() []*conn {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]*conn, 0, len(g.live))
	for c := range g.live {
		all = append(all, c)
	}
	return all
}
