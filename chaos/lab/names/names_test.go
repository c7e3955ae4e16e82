package names

import (
	"context"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// start runs a server until t ends, and returns its address.
func start(t *testing.T, c Config) (*Server, string) {
	t.Helper()
	s := New(c)
	if err := s.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return s, s.packets[0].LocalAddr().String()
}

// ask returns the answer in words: its code, then its records.
func ask(t *testing.T, network, addr, name string, kind uint16) string {
	t.Helper()
	client := dns.Client{Net: network, Timeout: 30 * time.Second}
	reply, _, err := client.Exchange(new(dns.Msg).SetQuestion(dns.Fqdn(name), kind), addr)
	if err != nil {
		t.Fatalf("asking for %s: %v", name, err)
	}
	words := []string{dns.RcodeToString[reply.Rcode]}
	for _, rr := range append(reply.Answer, reply.Ns...) {
		words = append(words, strings.Join(strings.Fields(rr.String()), " "))
	}
	return strings.Join(words, "; ")
}

func TestAnswers(t *testing.T) {
	s, addr := start(t, Config{Zone: "lab.test", TTL: 7 * time.Second})
	s.Point("one", netip.MustParseAddr("127.0.9.1"))
	s.Point("two", netip.MustParseAddr("127.0.9.1"), netip.MustParseAddr("127.0.9.2"))
	s.Point("gone", netip.MustParseAddr("127.0.9.3"))
	s.Point("gone")
	const soa = "lab.test. 7 IN SOA ns.lab.test. nobody.lab.test. 1 3600 600 86400 7"
	for _, row := range []struct {
		about, name string
		kind        uint16
		want        string
	}{
		{"a name has an address", "one.lab.test", dns.TypeA, "NOERROR; one.lab.test. 7 IN A 127.0.9.1"},
		{"upper case is the same name, and is repeated", "ONE.Lab.test", dns.TypeA, "NOERROR; ONE.Lab.test. 7 IN A 127.0.9.1"},
		{"a name has several addresses", "two.lab.test", dns.TypeA, "NOERROR; two.lab.test. 7 IN A 127.0.9.1; two.lab.test. 7 IN A 127.0.9.2"},
		{"no IPv6 address does not mean no name", "one.lab.test", dns.TypeAAAA, "NOERROR; " + soa},
		{"a name that nobody made", "three.lab.test", dns.TypeA, "NXDOMAIN; " + soa},
		{"a name that was taken away", "gone.lab.test", dns.TypeA, "NXDOMAIN; " + soa},
		{"a name of others, with nobody to ask", "example.test", dns.TypeA, "REFUSED"},
		{"a name that only ends alike", "one.mylab.test", dns.TypeA, "REFUSED"},
	} {
		if got := ask(t, "udp", addr, row.name, row.kind); got != row.want {
			t.Errorf("%s: ask(%s) = %s, want %s", row.about, row.name, got, row.want)
		}
	}
}

func TestAMovedNameLeadsElsewhereAtOnce(t *testing.T) {
	s, addr := start(t, Config{Zone: "lab.test", TTL: time.Second})
	for _, ip := range []string{"127.0.9.1", "127.0.9.2", "127.0.9.1"} {
		s.Point("primary", netip.MustParseAddr(ip))
		want := "NOERROR; primary.lab.test. 1 IN A " + ip
		if got := ask(t, "udp", addr, "primary.lab.test", dns.TypeA); got != want {
			t.Errorf("ask = %s, want %s", got, want)
		}
	}
	if got := s.Asked("primary"); got != 3 {
		t.Errorf("Asked = %d, want 3", got)
	}
}

func TestOtherNamesArePassedOn(t *testing.T) {
	other, nameserver := start(t, Config{Zone: "elsewhere.test", TTL: time.Second})
	other.Point("app", netip.MustParseAddr("127.0.9.9"))
	_, addr := start(t, Config{Zone: "lab.test", Forward: []string{"127.0.0.1:1", nameserver}})
	if got, want := ask(t, "udp", addr, "app.elsewhere.test", dns.TypeA), "NOERROR; app.elsewhere.test. 1 IN A 127.0.9.9"; got != want {
		t.Errorf("ask = %s, want %s", got, want)
	}
	_, alone := start(t, Config{Zone: "lab.test", Forward: []string{"127.0.0.1:1"}})
	if got, want := ask(t, "udp", alone, "app.elsewhere.test", dns.TypeA), "SERVFAIL"; got != want {
		t.Errorf("ask where nobody answers = %s, want %s", got, want)
	}
}

// TestRunLeavesNothing: also while a question waits for another nameserver.
func TestRunLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	dead := New(Config{})
	if err := dead.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer dead.packets[0].Close()
	defer dead.streams[0].Close()
	s := New(Config{Zone: "lab.test", Forward: []string{dead.packets[0].LocalAddr().String()}})
	if err := s.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	addr := s.packets[0].LocalAddr().String()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	s.Point("one", netip.MustParseAddr("127.0.9.1"))
	ask(t, "udp", addr, "one.lab.test", dns.TypeA) // it runs
	if _, _, err := (&dns.Client{Timeout: time.Millisecond}).Exchange(new(dns.Msg).SetQuestion("example.test.", dns.TypeA), addr); err == nil {
		t.Error("a dead nameserver has answered")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	if again, err := net.ListenPacket("udp4", addr); err != nil {
		t.Errorf("listening where it listened: %v", err)
	} else {
		again.Close()
	}
	for end := time.Now().Add(30 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines, want %d as before", runtime.NumGoroutine(), before)
		}
	}
}

func TestAnAddressThatIsTakenIsAnError(t *testing.T) {
	_, addr := start(t, Config{Zone: "lab.test"})
	if err := New(Config{}).Listen(addr); err == nil {
		t.Errorf("Listen(%s) where somebody listens gives no error", addr)
	}
}
