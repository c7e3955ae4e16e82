package link

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"brownout/chaos"
	"brownout/chaos/ca"
)

// A secret is what the sides of a link with TLS need.
type secret struct {
	lab    *ca.Authority
	server *tls.Config // of the dependency
	link   *TLS
	client *tls.Config
}

func newSecret(t *testing.T) secret {
	t.Helper()
	lab, err := ca.New()
	if err != nil {
		t.Fatal(err)
	}
	shown := func() *tls.Config {
		c, err := lab.Issue("127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		return &tls.Config{Certificates: []tls.Certificate{c}}
	}
	trusting := func() *tls.Config { return &tls.Config{RootCAs: lab.Pool(), ServerName: "127.0.0.1"} }
	return secret{lab, shown(), &TLS{Client: shown(), Server: trusting()}, trusting()}
}

// startSecretEcho is an echo that speaks TLS.
func startSecretEcho(t *testing.T, s secret) *server {
	t.Helper()
	return startServer(t, func(c *net.TCPConn) {
		secure := tls.Server(c, s.server)
		io.Copy(secure, struct{ io.Reader }{secure})
		secure.Close()
	})
}

func startSecretGate(t *testing.T, s secret) (*Gate, *journal) {
	t.Helper()
	g, j, _ := runGate(t, Config{Name: "cache", Upstream: startSecretEcho(t, s).addr(), TLS: s.link, Protocol: chatProtocol()})
	return g, j
}

func dialSecret(t *testing.T, g *Gate, cfg *tls.Config) *tls.Conn {
	t.Helper()
	return tls.Client(dialGate(t, g), cfg)
}

func TestALinkSpeaksTLSOnBothSides(t *testing.T) {
	s := newSecret(t)
	g, j := startSecretGate(t, s)
	c := dialSecret(t, g, s.client)
	send(t, c, "hello\n")
	expect(t, c, "hello\n")
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("Read after the dependency's end = %v, want EOF with its close_notify", err)
	}
	c.Close()
	j.closes(t, 1)
}

func TestAnAnswerIsGivenInTLS(t *testing.T) {
	s := newSecret(t)
	g, _ := startSecretGate(t, s)
	c := dialSecret(t, g, s.client)
	send(t, c, "a\n")
	expect(t, c, "a\n")
	r := inject(t, g, chaos.Fault{Kind: chaos.ReadonlyClose})
	send(t, c, "b\n")
	expect(t, c, "-no\n")
	expectEnd(t, c, io.EOF)
	revert(t, r)
	inject(t, g, chaos.Fault{Kind: chaos.MaxClients})
	fresh := dialSecret(t, g, s.client)
	expect(t, fresh, "-full\n")
	expectEnd(t, fresh, io.EOF)
}

func TestABlackholeHoldsTheHandshakeToo(t *testing.T) {
	s := newSecret(t)
	g, _ := startSecretGate(t, s)
	r := inject(t, g, chaos.Fault{Kind: chaos.Blackhole})
	raw := dialGate(t, g)
	shaken := make(chan error, 1)
	c := tls.Client(raw, s.client)
	go func() { shaken <- c.Handshake() }()
	select {
	case err := <-shaken:
		t.Fatalf("Handshake = %v while the link holds every byte", err)
	case <-time.After(150 * time.Millisecond):
	}
	revert(t, r)
	if err := <-shaken; err != nil {
		t.Fatalf("Handshake after the revert: %v", err)
	}
	send(t, c, "a\n")
	expect(t, c, "a\n")
}

func TestAResetReachesAClientInTLS(t *testing.T) {
	s := newSecret(t)
	g, _ := startSecretGate(t, s)
	c := dialSecret(t, g, s.client)
	send(t, c, "a\n")
	expect(t, c, "a\n")
	inject(t, g, chaos.Fault{Kind: chaos.Reset})
	expectEnd(t, c, errReset)
}

// The dependency ends in a way; the client must see the same.
func TestTheDependencysEndPassesTLS(t *testing.T) {
	for name, row := range map[string]struct {
		end  func(*net.TCPConn, *tls.Conn)
		want error
	}{
		"close_notify and FIN": {func(_ *net.TCPConn, s *tls.Conn) { s.Close() }, io.EOF},
		"FIN alone":            {func(c *net.TCPConn, _ *tls.Conn) { c.Close() }, io.EOF},
		"RST":                  {func(c *net.TCPConn, _ *tls.Conn) { c.SetLinger(0); c.Close() }, errReset},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSecret(t)
			up := startServer(t, func(c *net.TCPConn) {
				secure := tls.Server(c, s.server)
				io.ReadFull(secure, make([]byte, 2))
				io.WriteString(secure, "b\n")
				io.ReadFull(secure, make([]byte, 2))
				row.end(c, secure)
			})
			g, _, _ := runGate(t, Config{Name: "cache", Upstream: up.addr(), TLS: s.link})
			c := dialSecret(t, g, s.client)
			send(t, c, "a\n")
			expect(t, c, "b\n")
			send(t, c, "c\n")
			expectEnd(t, c, row.want)
		})
	}
}

func TestRunSaysThatADependencyIsNotTrusted(t *testing.T) {
	s, other := newSecret(t), newSecret(t)
	up := startSecretEcho(t, other)
	g := New(Config{Name: "cache", Upstream: up.addr(), TLS: s.link})
	if err := g.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := cancellable(t)
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	raw, err := net.DialTimeout("tcp", g.Addr(), guardTime)
	if err == nil { // otherwise the reset was there before the dial ended
		defer raw.Close()
		raw.SetDeadline(time.Now().Add(guardTime))
		c := tls.Client(raw, s.client)
		io.WriteString(c, "a\n")
		_, err = c.Read(make([]byte, 1))
	}
	if err == nil {
		t.Error("a client of a dependency that is not trusted read something")
	}
	cancel()
	var wrong *tls.CertificateVerificationError
	if err := <-done; !errors.As(err, &wrong) || !strings.Contains(err.Error(), "link cache") {
		t.Errorf("Run = %v, want a certificate error that names the link", err)
	}
}

func TestAClientThatDoesNotTrustTheLinkEndsOnlyItself(t *testing.T) {
	s, other := newSecret(t), newSecret(t)
	g, j := startSecretGate(t, s)
	var wrong x509.UnknownAuthorityError
	if err := dialSecret(t, g, other.client).Handshake(); !errors.As(err, &wrong) {
		t.Errorf("Handshake = %v, want an unknown authority", err)
	}
	j.closes(t, 0)
	c := dialSecret(t, g, s.client)
	send(t, c, "a\n")
	expect(t, c, "a\n")
}

func TestProtocolsThatAskForTLSFirst(t *testing.T) {
	s := newSecret(t)
	up := startServer(t, func(c *net.TCPConn) {
		asked := make([]byte, 4)
		io.ReadFull(c, asked)
		if string(asked) != "tls?" {
			return
		}
		io.WriteString(c, "y")
		secure := tls.Server(c, s.server)
		io.Copy(secure, struct{ io.Reader }{secure})
	})
	p := chatProtocol()
	p.AskTLS, p.AgreeTLS = []byte("tls?"), 'y'
	g, _, _ := runGate(t, Config{Name: "cache", Upstream: up.addr(), TLS: s.link, Protocol: p})
	plain := dialGate(t, g)
	send(t, plain, "hey!")
	expectEnd(t, plain, errReset)
	raw := dialGate(t, g)
	send(t, raw, "tls?")
	expect(t, raw, "y")
	c := tls.Client(raw, s.client)
	send(t, c, "a\n")
	expect(t, c, "a\n")
}
