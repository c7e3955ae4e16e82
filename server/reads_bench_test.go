package server_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"brownout/server"
	"brownout/server/servertest"
)

// A measured read is one request, and the server that answers it.
type measuredRead struct {
	name    string
	backend string
	flags   int // in the environment
	method  string
	path    string
	body    string
}

// The paths of the environment that the measured servers have; see benchStore.
const (
	oneFlag  = "/v1/environments/e/flags/f000007"
	allFlags = "/v1/environments/e/flags"
)

// measuredReads are the rows of BenchmarkReads.
func measuredReads() []measuredRead {
	return []measuredRead{
		{"one/cache=memory/flags=10", server.BackendMemory, 10, "GET", oneFlag, ""},
		{"one/cache=memory/flags=50", server.BackendMemory, 50, "GET", oneFlag, ""},
		{"one/cache=memory/flags=1000", server.BackendMemory, 1000, "GET", oneFlag, ""},
		{"one/cache=memory/flags=100000", server.BackendMemory, 100_000, "GET", oneFlag, ""},
		{"one/cache=tiered/flags=50", server.BackendTiered, 50, "GET", oneFlag, ""},
		{"one/cache=redis/flags=50", server.BackendRedis, 50, "GET", oneFlag, ""},
		{"all/cache=memory/flags=50", server.BackendMemory, 50, "GET", allFlags, ""},
		{"all/cache=redis/flags=50", server.BackendRedis, 50, "GET", allFlags, ""},
	}
}

// notUsed has to be named all the same.
const notUsed = "postgres://127.0.0.1/none"

// benchRounds is how often the two servers are measured beside each other.
const benchRounds = 11

// BenchmarkReads measures reads that the cache answers beside a handler that always
// writes the same flag, both behind net/http on a loopback port, each in a process of
// its own. In each round both get b.N requests on keep-alive connections, one after the
// other, in turns first; what counts is the CPU time of their process (getrusage), so
// the generator costs them nothing but its company. The ratio is the median of the
// rounds' ratios. Allocations are those of the process for one request, net/http's
// included. Use -benchtime with a number of requests, as 2000x.
func BenchmarkReads(b *testing.B) {
	constant := startMeasured(b, roleConstant)
	redis := servertest.Redis(b)
	started := map[string]*measured{}
	for _, read := range measuredReads() {
		b.Run(read.name, func(row *testing.B) {
			settings := []string{fmt.Sprint(flagsVariable, "=", read.flags), "CACHE=" + read.backend, "REDIS_URL=" + redis, "DATABASE_URL=" + notUsed}
			key := fmt.Sprint(settings)
			if started[key] == nil {
				started[key] = startMeasured(b, roleServer, settings...) // of b: other rows use it, too
			}
			compare(row, started[key], constant, read)
		})
	}
}

// compare runs the rounds and reports them.
func compare(b *testing.B, s, constant *measured, read measuredRead) {
	s.warm(b, read)
	b.ResetTimer()
	var rounds []pair
	for i := range benchRounds {
		var p pair
		both := []func(){
			func() { p.constant = constant.cost(b, measuredRead{method: "GET", path: "/"}) },
			func() { p.server = s.cost(b, read) },
		}
		if i%2 == 1 {
			slices.Reverse(both)
		}
		both[0]()
		both[1]()
		rounds = append(rounds, p)
	}
	report(b, rounds)
}

// A pair is what one round cost.
type pair struct{ server, constant cost }

// A cost is that of one request.
type cost struct {
	cpu    float64 // nanoseconds, in user and kernel mode
	allocs float64
}

func report(b *testing.B, rounds []pair) {
	median := func(of func(pair) float64) float64 {
		return quantile(rounds, of, 0.5)
	}
	ratio := func(p pair) float64 { return p.server.cpu / p.constant.cpu }
	b.ReportMetric(0, "ns/op") // of the generator: it says nothing
	b.ReportMetric(median(func(p pair) float64 { return p.server.cpu }), "cpu-ns/op")
	b.ReportMetric(median(func(p pair) float64 { return p.constant.cpu }), "constant-cpu-ns/op")
	b.ReportMetric(median(ratio), "ratio")
	b.ReportMetric(quantile(rounds, ratio, 0), "ratio-min")
	b.ReportMetric(quantile(rounds, ratio, 1), "ratio-max")
	b.ReportMetric(median(func(p pair) float64 { return p.server.allocs }), "allocs/op")
	b.ReportMetric(median(func(p pair) float64 { return p.constant.allocs }), "constant-allocs/op")
}

func quantile(rounds []pair, of func(pair) float64, q float64) float64 {
	var all []float64
	for _, p := range rounds {
		all = append(all, of(p))
	}
	slices.Sort(all)
	return all[int(q*float64(len(all)-1))]
}

// warm asks until the cache answers. What its memory has not got yet it does not
// answer from there.
func (m *measured) warm(b *testing.B, read measuredRead) {
	b.Helper()
	for deadline := time.Now().Add(guard); ; {
		resp, err := m.ask(read)
		if err != nil {
			b.Fatal(err)
		}
		if hit(resp, read.backend) {
			break
		}
		if time.Now().After(deadline) {
			b.Fatalf("%s says %q, want a hit of %s", read.path, resp.Header.Get("Cache-Status"), read.backend)
		}
	}
	m.cost(b, read) // code and connections are warm, too
}

func hit(resp *http.Response, backend string) bool {
	return resp.Header.Get("Cache-Status") == backend+";hit"
}
