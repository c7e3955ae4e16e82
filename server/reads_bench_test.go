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

// A measured read is one kind of request, and the server that answers it.
type measuredRead struct {
	kind    kind
	backend string
	flags   int // in the environment
}

func (r measuredRead) name() string {
	return fmt.Sprintf("%s/cache=%s/flags=%d", r.kind.name, r.backend, r.flags)
}

// A kind of request.
type kind struct {
	name         string
	method, path string
	body         string
	unchanged    bool // the client has the answer already, and says so
}

// asked is what a client of the protocol sends.
const asked = `{"context":{"targetingKey":"user-123","email":"user@example.com","plan":"premium","country":"CA"}}`

// The paths of the environment that the measured servers have; see benchStore.
const (
	oneFlag  = "/v1/environments/e/flags/f000007"
	allFlags = "/v1/environments/e/flags"
)

// measuredReads are the rows of BenchmarkReads.
func measuredReads() []measuredRead {
	var (
		one         = kind{name: "one", method: "GET", path: oneFlag}
		all         = kind{name: "all", method: "GET", path: allFlags}
		evaluateOne = kind{name: "evaluate-one", method: "POST", path: evaluations + "/f000007", body: asked}
		evaluateAll = kind{name: "evaluate-all", method: "POST", path: evaluations, body: asked}
		unchanged   = kind{name: "unchanged", method: "POST", path: evaluations, body: asked, unchanged: true}
	)
	var rows []measuredRead
	for _, k := range []kind{one, evaluateOne} {
		for _, flags := range []int{10, 50, 1000, 100_000} {
			rows = append(rows, measuredRead{k, server.BackendMemory, flags})
		}
	}
	for _, backend := range []string{server.BackendTiered, server.BackendRedis} {
		rows = append(rows, measuredRead{one, backend, 50})
	}
	for _, k := range []kind{all, evaluateAll, unchanged} {
		rows = append(rows, measuredRead{k, server.BackendMemory, 50}, measuredRead{k, server.BackendMemory, 1000}, measuredRead{k, server.BackendRedis, 50})
	}
	return rows
}

// notUsed has to be named all the same.
const notUsed = "postgres://127.0.0.1/none"

// benchRounds is how often the two servers are measured beside each other.
const benchRounds = 11

// BenchmarkReads measures reads that the cache answers beside two handlers that always
// write the same flag: a bare one, and one that reads bodies, with the fields and time
// limits of the flag server. All are behind net/http on a loopback port, each in a process of its own, and
// get the same requests. In each round each of them gets b.N requests on keep-alive
// connections, one server after the other, each first in turn; what counts is the CPU
// time of their process (getrusage), so the generator costs them nothing but its company.
// A ratio is the median of the rounds' ratios: "ratio" to the bare handler, "ratio-alike"
// to the other. Allocations are those of the process for one request, net/http's included.
// Use -benchtime with a number of requests, as 2000x.
func BenchmarkReads(b *testing.B) {
	constants := []*measured{startMeasured(b, roleConstant), startMeasured(b, roleAlike)}
	redis := servertest.Redis(b)
	started := map[string]*measured{}
	for _, read := range measuredReads() {
		b.Run(read.name(), func(row *testing.B) {
			settings := []string{
				fmt.Sprint(flagsVariable, "=", read.flags), "CACHE=" + read.backend, "REDIS_URL=" + redis, "DATABASE_URL=" + notUsed, "OFREP_ENVIRONMENT=e",
			}
			key := fmt.Sprint(settings)
			if started[key] == nil {
				started[key] = startMeasured(b, roleServer, settings...) // of b: other rows use it, too
			}
			report(row, compare(row, started[key], constants, read))
		})
	}
}

// A round is what a request has cost: of the flag server, the bare handler and the one
// that is alike.
type round [3]cost

// A cost is that of one request.
type cost struct {
	cpu    float64 // nanoseconds, in user and kernel mode
	allocs float64
}

func compare(b *testing.B, s *measured, constants []*measured, read measuredRead) []round {
	b.Helper()
	request := s.warm(b, read)
	constant := measuredRequest{kind: read.kind}
	b.ResetTimer()
	rounds := make([]round, benchRounds)
	for i := range rounds {
		for turn := range len(rounds[i]) {
			who := (i + turn) % len(rounds[i])
			if who == 0 {
				rounds[i][who] = s.cost(b, request)
			} else {
				rounds[i][who] = constants[who-1].cost(b, constant)
			}
		}
	}
	return rounds
}

func report(b *testing.B, rounds []round) {
	ratio := func(r round) float64 { return r[0].cpu / r[1].cpu }
	b.ReportMetric(0, "ns/op") // of the generator: it says nothing
	for unit, of := range map[string]func(round) float64{
		"cpu-ns/op":          func(r round) float64 { return r[0].cpu },
		"constant-cpu-ns/op": func(r round) float64 { return r[1].cpu },
		"alike-cpu-ns/op":    func(r round) float64 { return r[2].cpu },
		"server-allocs/op":   func(r round) float64 { return r[0].allocs },
		"constant-allocs/op": func(r round) float64 { return r[1].allocs },
		"ratio":              ratio,
		"ratio-alike":        func(r round) float64 { return r[0].cpu / r[2].cpu },
	} {
		b.ReportMetric(quantile(rounds, of, 0.5), unit)
	}
	b.ReportMetric(quantile(rounds, ratio, 0), "ratio-min")
	b.ReportMetric(quantile(rounds, ratio, 1), "ratio-max")
}

func quantile(rounds []round, of func(round) float64, q float64) float64 {
	var all []float64
	for _, p := range rounds {
		all = append(all, of(p))
	}
	slices.Sort(all)
	return all[int(q*float64(len(all)-1))]
}

// warm asks until the cache answers, and returns the request to measure. What its memory
// has not got yet a server does not answer from there.
func (m *measured) warm(b *testing.B, read measuredRead) measuredRequest {
	b.Helper()
	request := measuredRequest{kind: read.kind}
	for deadline := time.Now().Add(guard); ; {
		resp, err := m.ask(request)
		if err != nil {
			b.Fatal(err)
		}
		if hit(resp, read.backend) {
			if read.kind.unchanged {
				request.tag = resp.Header.Get("ETag")
			}
			break
		}
		if time.Now().After(deadline) {
			b.Fatalf("%s says %q, want a hit of %s", read.kind.path, resp.Header.Get("Cache-Status"), read.backend)
		}
	}
	m.cost(b, request) // code and connections are warm, too
	return request
}

func hit(resp *http.Response, backend string) bool {
	return resp.Header.Get("Cache-Status") == backend+";hit"
}
