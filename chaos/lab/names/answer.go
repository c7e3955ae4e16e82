package names

import (
	"context"
	"net"
	"time"

	"github.com/miekg/dns"
)

// forwardTimeout bounds what another nameserver may take.
const forwardTimeout = 2 * time.Second

// ServeDNS answers one message. It implements dns.Handler.
func (s *Server) ServeDNS(w dns.ResponseWriter, ask *dns.Msg) {
	var reply *dns.Msg
	if len(ask.Question) == 1 && dns.IsSubDomain(key(s.cfg.Zone), key(ask.Question[0].Name)) {
		reply = s.answer(ask)
	} else {
		reply = s.forward(w, ask)
	}
	_ = w.WriteMsg(reply) // whoever asked and has gone asks again
}

// answer is what the zone says to a question about one of its names.
func (s *Server) answer(ask *dns.Msg) *dns.Msg {
	reply, q := new(dns.Msg).SetReply(ask), ask.Question[0]
	reply.Authoritative = true
	s.mu.Lock()
	addrs := s.records[key(q.Name)]
	if q.Qtype == dns.TypeA {
		s.asked[key(q.Name)]++
	}
	s.mu.Unlock()
	if len(addrs) == 0 {
		reply.Rcode = dns.RcodeNameError
	}
	if len(addrs) == 0 || q.Qtype != dns.TypeA {
		reply.Ns = []dns.RR{s.authority()}
		return reply
	}
	for _, a := range addrs {
		reply.Answer = append(reply.Answer, &dns.A{
			Hdr: dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: s.ttl()}, A: a.AsSlice(),
		})
	}
	return reply
}

// authority says how long it may be kept that there is nothing (RFC 2308).
func (s *Server) authority() dns.RR {
	zone := dns.Fqdn(s.cfg.Zone)
	return &dns.SOA{
		Hdr: dns.RR_Header{Name: zone, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: s.ttl()},
		Ns:  "ns." + zone, Mbox: "nobody." + zone, Serial: 1, Refresh: 3600, Retry: 600, Expire: 86400, Minttl: s.ttl(),
	}
}

func (s *Server) ttl() uint32 { return uint32(s.cfg.TTL / time.Second) }

// forward asks the other nameservers one after the other, over what it was asked
// over itself.
func (s *Server) forward(w dns.ResponseWriter, ask *dns.Msg) *dns.Msg {
	for _, to := range s.cfg.Forward {
		if reply, err := s.exchange(w.LocalAddr().Network(), ask, to); err == nil {
			return reply
		}
	}
	rcode := dns.RcodeServerFailure
	if len(s.cfg.Forward) == 0 {
		rcode = dns.RcodeRefused
	}
	return new(dns.Msg).SetRcode(ask, rcode)
}

// exchange asks one nameserver. The end of Run ends it.
func (s *Server) exchange(network string, ask *dns.Msg, to string) (*dns.Msg, error) {
	client := dns.Client{Net: network, Timeout: forwardTimeout}
	conn, err := client.DialContext(s.ctx, to)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(s.ctx, func() { conn.Close() })() // the client looks at deadlines alone
	reply, _, err := client.ExchangeWithConn(ask, conn)
	return reply, err
}

// Nameservers reads those of a resolv.conf, for Config.Forward. A file that cannot
// be read names none.
func Nameservers(file string) []string {
	c, err := dns.ClientConfigFromFile(file)
	if err != nil {
		return nil
	}
	var all []string
	for _, host := range c.Servers {
		all = append(all, net.JoinHostPort(host, c.Port))
	}
	return all
}
