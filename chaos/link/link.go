// Package link is the only way from the target to a dependency. A Gate accepts
// the target's connections, carries their bytes to the dependency and back,
// writes down what it saw, and injures the traffic when it is told to.
//
// The one idea: a byte is never moved from one path to another. Each direction
// of a connection is carried by one goroutine that reads a chunk and either
// writes it straight on (no fault) or puts it into a chain of stages (a fault is
// in force). A new stage is put in front of the chain, where only later chunks
// meet it. A stage that is lifted gives away what it held, in order, and from
// then on lets everything through; when the chain has run empty, the reader goes
// back to writing straight on. So bytes are not lost, doubled or reordered,
// whenever a fault comes and goes, and lifting one never waits for a peer.
// A stage runs a toxic of Toxiproxy (v2.12.0), or one of ours of the same form.
//
// What the faults do:
//
//   - refuse: the listener is closed, while a second socket, bound but not
//     listening, keeps the port ours (Linux; elsewhere nothing keeps it). A dial
//     gets ECONNREFUSED at once. Live connections, and those that wait to be
//     accepted, are reset on both sides. Revert listens on the same port again.
//
//   - reset: the port stays open. Live connections are reset on both sides (RST),
//     and each new one is accepted and reset at once, before the dependency hears
//     of it. A client learns it from its dial, when the RST is as fast as that, or
//     from its first read or write. Revert lets new connections live; it brings no
//     connection back.
//
//   - drop: SYNs vanish, so that a dial times out (Linux; elsewhere it is refused).
//     The gate stops accepting, the port's queue is made as short as can be
//     (backlog 0) and filled with connections of our own. Live connections are left
//     alone: with blackhole beside it the dependency is as good as switched off. A
//     client that connects in the instant before the queue is full waits in it like
//     in a blackhole, and is served after revert. A dial that is under way at
//     revert gets through with its next SYN: Linux sends one a second at first.
//
//   - flap: refuse, put in force and reverted in turns: down first, then up. What
//     connects while it is up is served, and reset when it goes down. Revert leaves
//     the port open, whatever the turn.
//
//   - blackhole: connections live on, and new ones are accepted and dialled to the
//     dependency as usual, so that it sees a connection that says nothing. Bytes, the
//     dependency's FIN or RST and a failed dial are held until revert, in both
//     directions unless direction says otherwise: with down requests arrive, and are
//     carried out, and answers vanish (with the ends); with up requests vanish. At the
//     most 1 MiB a direction is held; then the gate stops reading and the peer feels
//     it. A client that gives up is seen while the gate reads, written down as the one
//     who closed, and its connection to the dependency is closed at once: what was
//     held for it is dropped (in a true partition the client's kernel might still
//     deliver it after the healing). A client that shuts down only its sending side
//     looks the same and is treated the same; with down its FIN still reaches the
//     dependency. What the gate had read before the fault is past it.
//
//   - latency: bytes are delayed, each chunk from its arrival, so that delays do not
//     add up. With direction both a question and its answer are delayed by latency
//     each. At the most 1 MiB or 1024 chunks are under way in a connection, which
//     bounds its throughput as a window does. Dials are not delayed. Revert gives away
//     at once what was delayed.
//
//   - bandwidth: bytes pass at rate bytes per second at the most, which all
//     connections of the link share, in pieces of a fiftieth of a second. With
//     direction both each direction has the rate for itself. Live connections meet it
//     with their next chunk. Beyond what latency may have under way the gate stops
//     reading, and the sender feels it. A client that gave up has its turn no more.
//     Revert gives away at once what has waited.
//
//   - slice: what is sent is cut into pieces of size bytes, each at least gap after
//     the one before. Live connections meet it with their next chunk; revert gives
//     away the rest of a chunk at once, in one piece. A receiver that does not read in
//     between finds pieces together, as with TCP.
//
//   - limit_data: a connection is closed (FIN on both sides) as soon as it has carried
//     bytes bytes in its direction, counted from when the fault came in force, or from
//     its start; with direction both each direction counts for itself. The receiver
//     reads exactly these, be it in the middle of an answer, then the end. The next
//     connection starts from 0. Revert forgets the count; it brings no connection back.
//
//   - slow_close: when the dependency closes or resets a connection, the client is told
//     latency later. Until then the client takes the connection for alive: what it sends
//     is lost without an answer, and may turn the FIN that it gets in the end into an
//     RST, as what is sent to a closed socket does. With direction up a client's FIN
//     reaches the dependency latency later, which keeps the connection for so long; a
//     client's RST is passed on at once. Bytes are not delayed, nor is an end that was
//     under way when the fault came in force. Revert tells at once what was kept back.
//
//   - answers (readonly, loading, … and, of PostgreSQL, admin_shutdown, …): a link that
//     is told the protocol answers requests in the dependency's name, in the place of
//     the answer; the dependency does not hear of them. It stands on the dependency's
//     side of the other faults, so that its answers are delayed and held like any.
//     What each answers, and whom, is said by the protocol (link/resp, link/pgwire).
//     Revert: what was answered stays answered, the next request passes.
//
// Faults but refuse, drop and flap, which work on the port and hit everyone, can be
// meant for some connections only. Whom they are meant for is decided by the address
// from which a connection comes (Config.Roles). A share of these connections is drawn
// from the gate's seed and the connection's number, the same in each run: with live
// connections when the fault comes in force, with others when they are accepted. It is
// a share of connections, not of requests: a client that keeps to a connection that is
// spared notices nothing. What waits in an accept queue has no number yet.
//
// A direction is down (from the dependency to its clients, the default but for
// blackhole), up or both.
//
// A link that is told the protocol also records each exchange, as the dependency
// saw it. A link with TLS ends the client's and speaks its own with the dependency,
// between the faults and the protocol: faults injure what is on the wire,
// handshakes included, and protocols read plain text.
//
// Several faults of different kinds can be in force on one gate; the last one
// stands next to the peer that sends. A second one of the same kind is refused,
// and of refuse, drop and flap, which all need the port, the second.
//
// Not done here: when a fault comes and goes (chaos.Hold), and what the evidence
// is worth (results/judge). Dials that a closed port refused, or whose SYN was
// dropped, cannot be seen: the kernel counts them for the whole machine only
// (/proc/net/snmp OutRsts, /proc/net/netstat ListenDrops).
package link

import (
	"net/netip"
	"time"

	"brownout/chaos"
	"brownout/chaos/link/wire"
	"brownout/results"
)

// Config configures New.
type Config struct {
	Name        string                 // required: name in events and faults, for example "cache"
	Listen      string                 // default "127.0.0.1:0"; without a host: all IPv4 addresses
	Upstream    string                 // required: host:port of the dependency
	Base        time.Time              // start of the run's clock; default: when New is called
	Record      func(results.Event)    // connect and close events; concurrent; must not block long, nor call the gate; default: discard
	Protocol    wire.Protocol          // spoken on the link: exchanges are counted, answers can be given; default: bytes are carried unseen
	TLS         *TLS                   // how TLS is spoken on both sides; default: bytes are carried as they are
	Exchange    func(results.Exchange) // what the protocol showed; concurrent; must not block long, nor call the gate; default: discard
	Seed        uint64                 // of the jitter and of shares: connection n of a gate always draws the same
	DialTimeout time.Duration          // for reaching the dependency; default 5s

	// Roles says who connects from which address: chaos.Replicas or chaos.Sentinels. Who
	// connects from another one is a client.
	Roles map[netip.Addr]chaos.Whom
}

func (c Config) withDefaults() Config {
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	if c.Base.IsZero() {
		c.Base = time.Now()
	}
	if c.Record == nil {
		c.Record = func(results.Event) {}
	}
	if c.Exchange == nil {
		c.Exchange = func(results.Exchange) {}
	}
	if c.DialTimeout == 0 {
		c.DialTimeout = 5 * time.Second
	}
	return c
}
