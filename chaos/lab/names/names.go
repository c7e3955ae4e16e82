// Package names is a small DNS server for the names of a lab, which can be moved.
//
// The one idea: a name is a record, and moving it changes the record and nothing
// else: whoever has looked the name up before knows the old address, for as long
// as it keeps what it has been told. That is what a load balancer or a proxy that
// owns an address cannot show.
//
// Names outside the zone are passed on to other nameservers, so that an app that
// asks here alone finds the rest of the world. Not done here: caching, DNSSEC, zone
// transfers, IPv6 addresses.
package names

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sync/errgroup"
)

// Config configures New.
type Config struct {
	Zone    string        // required: the end of every name, for example "lab.brownout.test"
	TTL     time.Duration // how long an answer may be kept; whole seconds, rounded down
	Forward []string      // host:port of nameservers for all other names; default: these are refused
}

// A Server answers for the names of one zone. Its methods are safe for concurrent
// use.
type Server struct {
	cfg     Config
	packets []net.PacketConn
	streams []net.Listener
	ctx     context.Context // of Run

	mu      sync.Mutex
	records map[string][]netip.Addr // by lower-case name with its final dot
	asked   map[string]int
}

// New returns a server without names. It starts nothing.
func New(c Config) *Server {
	return &Server{cfg: c, records: map[string][]netip.Addr{}, asked: map[string]int{}}
}

// Listen binds addr (host:port), for UDP and for TCP. It is called before Run, once
// for each address; only Run gives them back.
func (s *Server) Listen(addr string) error {
	packets, err := net.ListenPacket("udp4", addr)
	if err != nil {
		return fmt.Errorf("listening for names: %w", err)
	}
	streams, err := net.Listen("tcp4", addr)
	if err != nil {
		return errors.Join(fmt.Errorf("listening for names: %w", err), packets.Close())
	}
	s.packets, s.streams = append(s.packets, packets), append(s.streams, streams)
	return nil
}

// Name is label as a full name of the zone, without a final dot.
func (s *Server) Name(label string) string { return label + "." + s.cfg.Zone }

// Point makes label, a name without the zone, lead to addrs, IPv4 addresses, from
// now on. Without addrs there is no such name.
func (s *Server) Point(label string, addrs ...netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[key(s.Name(label))] = addrs
}

// Asked is how often the address of label has been asked for.
func (s *Server) Asked(label string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[key(s.Name(label))]
}

// key is name as records are found by it: DNS knows no upper case.
func key(name string) string { return strings.ToLower(dns.Fqdn(name)) }

// Run answers until ctx is done. When it returns, nothing of the server is left. A
// server runs once.
func (s *Server) Run(ctx context.Context) error {
	s.ctx = ctx
	var all errgroup.Group
	for _, p := range s.packets {
		all.Go(func() error { return serve(ctx, &dns.Server{PacketConn: p, Handler: s}) })
	}
	for _, l := range s.streams {
		all.Go(func() error { return serve(ctx, &dns.Server{Listener: l, Handler: s}) })
	}
	if err := all.Wait(); err != nil {
		return fmt.Errorf("answering for names: %w", err)
	}
	return nil
}

// serve runs d until ctx is done, and waits for what d has begun to answer.
func serve(ctx context.Context, d *dns.Server) error {
	started, ended := make(chan struct{}), make(chan error, 1)
	d.NotifyStartedFunc = func() { close(started) }
	go func() { ended <- d.ActivateAndServe() }()
	select {
	case err := <-ended:
		return err
	case <-started: // Shutdown wants that
	}
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return errors.Join(d.Shutdown(), <-ended)
	}
}
