package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"brownout/chaos/lab/names"
	"brownout/chaos/link"
	"brownout/chaos/stack"
	"brownout/results"
)

// Zone is the end of every name of a lab. Names in .test belong to nobody (RFC 6761).
const Zone = "lab.brownout.test"

// defaultTTL is the TTL of records. No source gives that of ElastiCache's endpoints;
// AWS advises clients to keep answers for 5 to 10 seconds (ElastiCache guide,
// "Best practices: Lettuce client configuration").
const defaultTTL = 5 * time.Second

// The ports of resolvers. A resolv.conf can name only the first, which needs
// privileges; the second is also what tells labs apart.
const (
	standardPort = "53"
	ownPort      = "5300"
)

// Labs have 127.0.B.0/24 each, B from firstBlock on. Below are the addresses of
// servers that connect to each other (stack.Node.Source), and what many machines
// use 127.0.0.x for. Gates have the numbers from firstGate to lastGate.
const (
	firstBlock, lastBlock = 16, 254
	firstGate, lastGate   = 10, 254
)

// A zone is what a lab in DNS mode has besides: names, and addresses of its own.
type zone struct {
	server   *names.Server
	block    byte
	standard error // why nobody answers on the standard port; nil: the server does

	mu    sync.Mutex
	next  byte              // number of the next gate
	ports map[string]string // of gates, by the port that is usual for what they speak
}

// newZone takes the first block that no other lab has.
func newZone(ttl time.Duration) (*zone, error) {
	var err error
	for block := byte(firstBlock); block <= lastBlock; block++ {
		z := &zone{block: block, next: firstGate, ports: map[string]string{}}
		z.server = names.New(names.Config{Zone: Zone, TTL: ttl, Forward: names.Nameservers(resolvConf)})
		if err = z.server.Listen(net.JoinHostPort(z.ip(1).String(), ownPort)); err == nil {
			z.standard = z.server.Listen(net.JoinHostPort(z.ip(1).String(), standardPort))
			return z, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	return nil, fmt.Errorf("opening a resolver: %w", err)
}

// openZone makes the lab one of DNS mode.
func (l *Lab) openZone() error {
	if len(l.cfg.Listen) > 0 {
		return errors.New("in DNS mode links have names: their addresses cannot be chosen")
	}
	ttl, err := cmp.Or(l.cfg.TTL, defaultTTL), error(nil)
	if ttl < time.Second {
		return fmt.Errorf("the TTL of names is %v; want at least 1s", ttl)
	}
	if l.zone, err = newZone(ttl); err != nil {
		return err
	}
	l.running.Go(func() error { return l.zone.server.Run(l.ctx) })
	return nil
}

func (z *zone) ip(number byte) netip.Addr { return netip.AddrFrom4([4]byte{127, 0, z.block, number}) }

// resolver is the address of the names' server.
func (z *zone) resolver() string {
	if z.standard != nil {
		return net.JoinHostPort(z.ip(1).String(), ownPort)
	}
	return net.JoinHostPort(z.ip(1).String(), standardPort)
}

// usualPort is where clients of a link expect what it leads to.
func usualPort(name string) string {
	if name == results.LinkDatabase {
		return "5432"
	}
	return "6379"
}

// bind opens a gate at an address that no client has seen, at the same port as all
// that speak the same: the usual one, unless somebody has it on all addresses.
func (z *zone) bind(usual string, open func(listen string) (*link.Gate, error)) (*link.Gate, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.next > lastGate || z.next == 0 {
		return nil, fmt.Errorf("the lab has used up its %d addresses; start another one", lastGate-firstGate+1)
	}
	ip := z.ip(z.next).String()
	z.next++
	port, known := z.ports[usual]
	if !known {
		port = usual
	}
	gate, err := open(net.JoinHostPort(ip, port))
	if !known && errors.Is(err, syscall.EADDRINUSE) {
		gate, err = open(net.JoinHostPort(ip, "0"))
	}
	if err == nil {
		_, z.ports[usual], _ = net.SplitHostPort(gate.Addr())
	}
	return gate, err
}

// port is that of gates that speak what usual is usual for.
func (z *zone) port(usual string) string {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.ports[usual]
}

// leave gives the addresses up at which clients found n by an endpoint, because a
// new host takes its place. In address mode it has none.
func (l *Lab) leave(ctx context.Context, n *stack.Node) error {
	var errs []error
	for _, name := range []string{Primary, Reader} {
		if one, ok := l.Link(name).Gate.(*named); ok {
			errs = append(errs, one.leave(ctx, n.Addr))
		}
	}
	return errors.Join(errs...)
}
