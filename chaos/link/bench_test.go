package link

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"brownout/chaos"
)

// BenchmarkGate compares the round trip of 150 bytes straight to an echo server,
// through a gate without a fault, and through a Toxiproxy proxy without a toxic.
func BenchmarkGate(b *testing.B) {
	paths := []struct {
		name  string
		start func(testing.TB, string) string
	}{
		{"direct", func(_ testing.TB, upstream string) string { return upstream }},
		{"gate", func(t testing.TB, upstream string) string { g, _, _ := startGate(t, upstream); return g.Addr() }},
		{"toxiproxy", StartToxiproxy},
	}
	for _, conns := range []int{1, 8} {
		for _, p := range paths {
			b.Run(fmt.Sprintf("%s/conns=%d", p.name, conns), func(b *testing.B) {
				addr := p.start(b, startEcho(b).addr())
				roundTrips(b, addr, conns)
			})
		}
	}
}

// StartToxiproxy runs a proxy of Toxiproxy in this process, without a toxic, until t
// ends, and returns its address.
func StartToxiproxy(t testing.TB, upstream string) string {
	t.Helper()
	srv := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	p := toxiproxy.NewProxy(srv, "bench", "127.0.0.1:0", upstream)
	if err := srv.Collection.Add(p, true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Collection.Clear() })
	return p.Listen
}

func roundTrips(b *testing.B, addr string, conns int) {
	var wg sync.WaitGroup
	work := make(chan int, conns)
	for i := range conns {
		work <- (b.N + i) / conns
	}
	all := make([]net.Conn, conns)
	for i := range all {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		all[i] = c
	}
	b.ReportAllocs()
	b.ResetTimer()
	for _, c := range all {
		wg.Go(func() {
			buf := make([]byte, 150)
			for range <-work {
				if _, err := c.Write(buf); err != nil {
					b.Error(err)
					return
				}
				if _, err := io.ReadFull(c, buf); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// BenchmarkRevert shows how long taking a fault away takes while connections talk:
// its time is that of Inject and Revert and a millisecond between them.
func BenchmarkRevert(b *testing.B) {
	for _, doc := range soakKinds() {
		b.Run(string(doc.Kind), func(b *testing.B) {
			g, _, _ := startGate(b, startEcho(b).addr())
			crew := &crew{t: b, weather: new(weather), dial: dialPlain(g)}
			crew.weather.begin(every)
			ctx, cancel := context.WithCancel(b.Context())
			crew.begin(ctx, 1, 8)
			defer crew.end(cancel)
			rng := rand.New(rand.NewPCG(1, 1))
			var took []time.Duration
			for b.Loop() {
				f, err := drawFault(rng, []chaos.KindDoc{doc})
				if err != nil {
					b.Fatal(err)
				}
				r := inject(b, g, f)
				time.Sleep(time.Millisecond)
				start := time.Now()
				revert(b, r)
				took = append(took, time.Since(start))
			}
			b.ReportMetric(float64(median(took).Microseconds()), "revert-µs")
			b.ReportMetric(float64(took[len(took)-1].Microseconds()), "longest-µs")
		})
	}
}
