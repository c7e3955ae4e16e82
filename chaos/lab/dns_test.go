package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/redis/go-redis/v9"

	"brownout/chaos/failover"
	"brownout/chaos/stack"
	"brownout/results"
)

// dialer asks the lab for names, if it is in DNS mode, anew for each dial: as Go
// does, whose resolver keeps nothing.
func dialer(l *Lab) *net.Dialer {
	r, ok := l.Resolver()
	if !ok {
		return &net.Dialer{}
	}
	return &net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, r.Addr)
	}}}
}

// A keeper is a dialer that keeps what it was told about a name as long as the
// answer allows, as resolvers with a cache do.
type keeper struct {
	lab *Lab

	mu    sync.Mutex
	addr  string
	until time.Time
}

func (k *keeper) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	to, err := k.lookup(addr)
	if err != nil {
		return nil, err
	}
	return d.DialContext(ctx, network, to)
}

func (k *keeper) lookup(addr string) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	host, port, err := net.SplitHostPort(addr)
	r, ok := k.lab.Resolver()
	if _, isIP := netip.ParseAddr(host); err != nil || !ok || isIP == nil {
		return addr, err
	}
	if time.Now().Before(k.until) {
		return k.addr, nil
	}
	reply, err := dns.Exchange(new(dns.Msg).SetQuestion(dns.Fqdn(host), dns.TypeA), r.Addr)
	if err != nil || len(reply.Answer) == 0 {
		return "", fmt.Errorf("%v: %w", reply, err)
	}
	a := reply.Answer[0].(*dns.A)
	k.addr, k.until = net.JoinHostPort(a.A.String(), port), time.Now().Add(time.Duration(a.Hdr.Ttl)*time.Second)
	return k.addr, nil
}

// modes are those in which a lab can be.
var modes = []struct {
	name string
	dns  bool
}{{"address mode", false}, {"DNS mode", true}}

// TestADialUnderWayWhenTheNameMoves: in address mode it reaches the new node with
// its next SYN, in DNS mode it never gets through, and only a new dial does.
func TestADialUnderWayWhenTheNameMoves(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode.name, func(t *testing.T) {
			l := openLab(t, Config{Stack: stack.Config{Cache: stack.Replicated}, DNS: mode.dns})
			site := siteOf[failover.Endpoints](t, l)
			if err := site.HangUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			old := dialed(t, l, Primary)
			limit := 60 * time.Second // SYNs are sent after 1, 3, 7, 15 and 31 s
			if mode.dns {
				limit = 8 * time.Second // as long as three of them take
			}
			type outcome struct {
				said string
				err  error
			}
			under := make(chan outcome, 1)
			go func() {
				d := dialer(l)
				d.Timeout = limit
				c := lone(t, l, d.DialContext)
				said, err := c.Set(t.Context(), "key", "under way", 0).Result()
				under <- outcome{said, err}
			}()
			awaitSYN(t, old)
			if err := errors.Join(site.Promote(t.Context()), site.Move(t.Context())); err != nil {
				t.Fatal(err)
			}
			fresh := lone(t, l, dialer(l).DialContext)
			if err := fresh.Set(t.Context(), "key", "fresh", 0).Err(); err != nil {
				t.Errorf("SET over a new dial after the move: %v", err)
			}
			select {
			case got := <-under:
				if mode.dns {
					t.Fatalf("the dial under way has ended before the new node was reached: %+v", got)
				}
				under <- got
			default:
			}
			got := <-under
			if mode.dns && symptom(got.err) != "dial timeout" {
				t.Errorf("the dial under way: %q, %v; want a dial timeout", got.said, got.err)
			}
			if !mode.dns && got.err != nil {
				t.Errorf("the dial under way: %v, want it to reach the new node", got.err)
			}
		})
	}
}

// lone is a client that tries once and asks for nothing but what it is told.
func lone(t *testing.T, l *Lab, dial func(context.Context, string, string) (net.Conn, error)) *redis.Client {
	c := redis.NewClient(&redis.Options{
		Addr: l.Link(Primary).Addr(), Dialer: dial, MaxRetries: -1, DialerRetries: 1, DialTimeout: time.Minute,
		ReadTimeout: 30 * time.Second, PoolTimeout: time.Minute,
	})
	t.Cleanup(func() { c.Close() })
	return c
}

// dialed is where a client that looks a link up now dials, host:port.
func dialed(t *testing.T, l *Lab, name string) string {
	t.Helper()
	to, err := (&keeper{lab: l}).lookup(l.Link(name).Addr())
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// awaitSYN waits until this machine has sent a SYN to addr that nobody answers.
func awaitSYN(t *testing.T, addr string) {
	t.Helper()
	a := netip.MustParseAddrPort(addr)
	b := a.Addr().As4()
	want := fmt.Sprintf("%02X%02X%02X%02X:%04X 02", b[3], b[2], b[1], b[0], a.Port()) // SYN_SENT
	for end := time.Now().Add(30 * time.Second); ; {
		table, err := os.ReadFile("/proc/net/tcp")
		if err != nil {
			t.Skipf("looking for SYNs: %v", err)
		}
		if strings.Contains(string(table), want) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("nobody dials %s", addr)
		}
	}
}

// TestAClientThatKeepsAnAnswer: in DNS mode it goes on writing to the old primary
// for as long as the record's TTL allows, in address mode it notices nothing.
func TestAClientThatKeepsAnAnswer(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode.name, func(t *testing.T) {
			l := openLab(t, Config{Stack: stack.Config{Cache: stack.Replicated}, DNS: mode.dns, TTL: 3 * time.Second})
			keeps := lone(t, l, (&keeper{lab: l}).dial)
			begun := time.Now()
			if err := keeps.Set(t.Context(), "key", "value", 0).Err(); err != nil {
				t.Fatal(err)
			}
			site := siteOf[failover.Endpoints](t, l)
			if err := errors.Join(site.Promote(t.Context()), site.Demote(t.Context()), site.Move(t.Context())); err != nil {
				t.Fatal(err)
			}
			if err := lone(t, l, dialer(l).DialContext).Set(t.Context(), "key", "value", 0).Err(); err != nil {
				t.Errorf("SET of a client that looks up anew: %v", err)
			}
			var met diary
			for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
				err := keeps.Set(t.Context(), "key", "value", 0).Err()
				met.note(symptom(err))
				if err == nil {
					break
				}
			}
			took := time.Since(begun)
			t.Logf("met %q, %v after it had looked up", met, took)
			// The connection that it had is READONLY in both modes, and go-redis closes it.
			if got := strings.Join(met, " "); got != "READONLY ok" {
				t.Errorf("it met %q, want READONLY, then ok", got)
			}
			if asked := asked(l); mode.dns && (took < 3*time.Second || asked < 3) { // twice itself, once the other
				t.Errorf("it wrote again after %v and %d questions, want after the TTL of 3s and another question", took, asked)
			}
		})
	}
}

func asked(l *Lab) int {
	if l.zone == nil {
		return 0
	}
	return l.zone.server.Asked(Primary)
}

// TestPlansInDNSMode: what a client meets that looks the name up for each dial.
func TestPlansInDNSMode(t *testing.T) {
	const ms = time.Millisecond
	times := failover.Times{"promoted": 300 * ms, "moved": 1200 * ms, "replaced": 1600 * ms, "loaded": 1800 * ms}
	for plan, want := range map[string]string{
		"unplanned":     "ok silence dial-timeout ok",
		"test-failover": "ok dial-timeout ok",
	} {
		t.Run(plan, func(t *testing.T) {
			l := openLab(t, Config{Stack: stack.Config{Cache: stack.Replicated}, DNS: true})
			site := siteOf[failover.Endpoints](t, l)
			p, _ := failover.Find(plan)
			d := dialer(l)
			d.Timeout = 200 * ms
			c := redis.NewClient(&redis.Options{
				Addr: l.Link(Primary).Addr(), Dialer: d.DialContext, MaxRetries: -1, DialerRetries: 1,
				PoolSize: 500, MaxActiveConns: 1, ReadTimeout: 200 * ms, PoolTimeout: 5 * time.Second,
			})
			defer c.Close()
			var met diary
			note := func() string {
				if word := symptom(c.Set(t.Context(), "key", "value", 0).Err()); word != "closed" { // it need not meet the end
					met.note(strings.ReplaceAll(word, " ", "-"))
				}
				return met[len(met)-1]
			}
			note()
			ended := make(chan error, 1)
			go func() { ended <- failover.Run(t.Context(), p.Steps(times, 1), site, func(failover.Done) {}) }()
			for over := false; !over || note() != "ok"; note() {
				select {
				case err := <-ended:
					over = true
					if err != nil {
						t.Fatal(err)
					}
				case <-t.Context().Done():
					t.Fatalf("it met %q", met)
				default:
				}
			}
			if got := strings.Join(met, " "); got != want {
				t.Errorf("it met %q, want %q", got, want)
			}
		})
	}
}

// TestConnectionsOfANameAreToldApart: each gate counts them from 1.
func TestConnectionsOfANameAreToldApart(t *testing.T) {
	connects := make(chan uint64, 10)
	l := openLab(t, Config{Stack: stack.Config{Cache: stack.Replicated}, DNS: true, Record: func(e results.Event) {
		if e.Kind == results.EventConnect && e.On == Primary {
			connects <- e.Conn.ID
		}
	}})
	primary := l.Link(Primary)
	for _, n := range l.Stack.Servers() {
		if err := primary.Point(n.Addr); err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("tcp", dialed(t, l, Primary))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	one, two := <-connects, <-connects
	if one == two {
		t.Errorf("two connections are both recorded as %d", one)
	}
	all := primary.Connections()
	if len(all) != 2 || all[0].ID != one || all[1].ID != two || primary.Stats().Live != 2 || primary.Clients() != 2 {
		t.Errorf("Connections = %+v, Stats = %+v, want those that were recorded, %d and %d", all, primary.Stats(), one, two)
	}
}

// TestAReplacedServerComesBackElsewhere: nobody answers at an address that was left.
func TestAReplacedServerComesBackElsewhere(t *testing.T) {
	l := openLab(t, Config{Stack: stack.Config{Cache: stack.Replicated}, DNS: true})
	first := dialed(t, l, Primary)
	seen := map[string]bool{first: true, dialed(t, l, Reader): true}
	_, port, _ := net.SplitHostPort(first)
	for range 2 {
		site := siteOf[failover.Endpoints](t, l)
		p, _ := failover.Find("planned")
		if err := failover.Run(t.Context(), p.Steps(failover.Times{}, 1), site, func(failover.Done) {}); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{Primary, Reader} {
			to := dialed(t, l, name)
			if seen[to] {
				t.Errorf("%s leads to %s, which was another server's", name, to)
			}
			seen[to] = true
			if _, p, _ := net.SplitHostPort(to); p != port {
				t.Errorf("%s is at port %s, want %s as the others", name, p, port)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		if err := l.Stack.Await(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
	}
	_, err := net.DialTimeout("tcp", first, 300*time.Millisecond)
	if symptom(err) != "dial timeout" {
		t.Errorf("a dial of the first primary's address: %v, want a timeout", err)
	}
}

// TestAProgramFindsTheNames: any program, by the resolv.conf of a mount namespace.
func TestAProgramFindsTheNames(t *testing.T) {
	l := openLab(t, Config{Stack: stack.Config{Cache: stack.Redis}, DNS: true})
	r, ok := l.Resolver()
	if !ok || r.File == "" {
		t.Skipf("nobody may answer on port 53 here: %v", r.NoFile)
	}
	words := r.Command("sh", "-c", "echo $$; getent ahostsv4 cache."+Zone)
	cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
	out, err := cmd.CombinedOutput()
	if err != nil && strings.Contains(string(out), "not permitted") {
		t.Skipf("mount namespaces are not permitted here: %s", out)
	}
	host, _, _ := net.SplitHostPort(l.Link("cache").Gate.(*named).current().Addr())
	if got := strings.Fields(string(out)); err != nil || len(got) < 2 || got[1] != host {
		t.Errorf("getent = %s, %v, want %s", out, err, host)
	}
	if want := fmt.Sprint(cmd.Process.Pid); !strings.HasPrefix(string(out), want+"\n") {
		t.Errorf("the program says %s, want that it is process %s", out, want)
	}
	if text, err := os.ReadFile(resolvConf); err != nil || strings.Contains(string(text), "brownout") {
		t.Errorf("%s = %s, %v, want it as it was", resolvConf, text, err)
	}
}

func TestLabsInDNSModeDoNotMeet(t *testing.T) {
	c := Config{Stack: stack.Config{Cache: stack.Redis}, DNS: true}
	one, two := openLab(t, c), openLab(t, c)
	r1, _ := one.Resolver()
	r2, _ := two.Resolver()
	if r1.Addr == r2.Addr {
		t.Errorf("both resolvers are at %s", r1.Addr)
	}
	if a, b := one.Link("cache").Addr(), two.Link("cache").Addr(); !strings.HasPrefix(a, "cache."+Zone+":") || !strings.HasPrefix(b, "cache."+Zone+":") {
		t.Errorf("links are at %s and %s, want names", a, b)
	}
	for _, l := range []*Lab{one, two} {
		c := redis.NewClient(&redis.Options{Addr: l.Link("cache").Addr(), Dialer: dialer(l).DialContext})
		if err := c.Ping(t.Context()).Err(); err != nil {
			t.Errorf("PING: %v", err)
		}
		c.Close()
	}
}

func TestWhatDNSModeRefuses(t *testing.T) {
	for name, c := range map[string]Config{
		"a fixed address": {DNS: true, Listen: map[string]string{"cache": "127.0.0.1:0"}},
		"a TTL below 1s":  {DNS: true, TTL: time.Millisecond},
	} {
		c.Stack.Cache = stack.Redis
		l, err := Open(t.Context(), c)
		if err == nil {
			t.Errorf("%s gives no error", name)
		}
		if err := l.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
}
