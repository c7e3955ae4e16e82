package run

import (
	"context"
	"fmt"
	"net/url"

	"brownout/chaos"
	"brownout/chaos/lab"
	"brownout/chaos/stack"
	"brownout/chaos/toxiproxy"
	"brownout/results"
)

// A proxied link leads to a server that the user lent through a proxy of a Toxiproxy.
// Faults on the link are put on that proxy, which is called like the link. It
// implements chaos.Injector.
//
// The evidence is that of probes which dial the address that the link leads to: were
// it not the proxy, they would feel nothing. What clients see of a closed port is a
// link that accepts and resets, as with a server that is gone.
type proxied struct {
	*toxiproxy.Injector
	link *lab.Link
}

// proxies are the proxied links, by name; none without a Toxiproxy.
func (r *runner) proxies(l *lab.Lab) (map[string]*proxied, error) {
	all := map[string]*proxied{}
	if r.Toxiproxy == "" {
		return all, nil
	}
	for _, one := range l.Links() {
		if one.Node.Provider != stack.External {
			continue
		}
		cfg, err := probe(one.Node)
		if err != nil {
			return nil, err
		}
		cfg.Name, cfg.API, cfg.Address = one.Name, r.Toxiproxy, one.Node.Addr
		all[one.Name] = &proxied{toxiproxy.New(cfg), one}
	}
	return all, nil
}

// probe is a question that a server answers to everybody, and the length of the
// answer.
func probe(n *stack.Node) (toxiproxy.Config, error) {
	if n.Name == results.LinkDatabase { // SSLRequest: one byte, yes or no
		return toxiproxy.Config{Ask: []byte{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f}, Answer: 1}, nil
	}
	u, err := url.Parse(n.URL)
	if err != nil {
		return toxiproxy.Config{}, err
	}
	if u.User != nil || u.Scheme == "rediss" {
		return toxiproxy.Config{}, fmt.Errorf("%s: behind a Toxiproxy it is asked PING without a password and TLS; want redis://host:port", n.Name)
	}
	return toxiproxy.Config{Ask: []byte("*1\r\n$4\r\nPING\r\n"), Answer: len("+PONG\r\n")}, nil
}

// Inject implements chaos.Injector.
func (p *proxied) Inject(ctx context.Context, f chaos.Fault) (chaos.Reverter, error) {
	before := p.link.Stats()
	r, err := p.Injector.Inject(ctx, f)
	if err != nil {
		return nil, err
	}
	return &proxiedFault{Reverter: r, link: p.link, live: before.Live, opened: before.Opened}, nil
}

// A proxiedFault is a fault in force. It implements chaos.Reverter.
type proxiedFault struct {
	chaos.Reverter
	link   *lab.Link
	live   int    // connections on the link before
	opened uint64 // until then
}

// Revert implements chaos.Reverter.
func (p *proxiedFault) Revert(ctx context.Context) (results.Evidence, error) {
	ev, err := p.Reverter.Revert(ctx)
	return carried(ev, p.live, p.link.Stats().Opened-p.opened), err
}

// carried is the evidence of a fault on a proxy, when the link had live connections at
// its start and opened so many under it. A fault under which it carried nobody has
// touched nothing, whatever the probes felt.
func carried(ev results.Evidence, live int, opened uint64) results.Evidence {
	if live == 0 && opened == 0 {
		ev.Chances, ev.Bites = 0, 0
	}
	ev.Seen = fmt.Sprintf("put on a Toxiproxy; %d connections on the link at the start, %d opened under it", live, opened)
	return ev
}
