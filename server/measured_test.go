package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"brownout/server"
	"brownout/server/feature"
	"brownout/server/servertest"
)

// What this test binary is when it is started again, to be measured from outside.
const (
	roleVariable = "MEASURED_ROLE"
	roleConstant = "constant" // a handler that always writes the same
	roleAlike    = "alike"    // the same with the fields and time limits of the flag server, and reading bodies
	roleServer   = "server"   // the flag server, with settings from the environment
)

// flagsVariable, if set, gives the flag server a store in memory with so many flags.
const flagsVariable = "MEASURED_FLAGS"

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := serveMeasured(role); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serveMeasured serves on a free port, says where, and then answers each line that it
// gets with a usage. It ends with its standard input.
func serveMeasured(role string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	serve, err := measuredRole(ctx, role)
	if err != nil {
		return err
	}
	var ended sync.WaitGroup
	defer ended.Wait()
	defer stop()
	ended.Go(func() {
		if err := serve(ctx, l); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	})
	fmt.Println("http://" + l.Addr().String())
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		used, err := usedSoFar(lines.Text() == askLeft)
		if err != nil {
			return err
		}
		data, err := json.Marshal(used)
		if err != nil {
			return err
		}
		fmt.Println(string(data))
	}
	return nil
}

// What a measured process is asked.
const (
	askCost = "cost"
	askLeft = "left" // what is left after a garbage collection
)

// A usage is what a process has used, and what it holds.
type usage struct {
	CPU         int64 // nanoseconds, in user and kernel mode
	Allocs      uint64
	Goroutines  int
	Descriptors int // 0 where nobody says
	Heap        uint64
}

// usedSoFar is the usage of this process.
func usedSoFar(collect bool) (usage, error) {
	var cpu syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &cpu); err != nil {
		return usage{}, err
	}
	if collect {
		runtime.GC()
		runtime.GC() // what sync.Pool holds goes with the second one
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	files, _ := os.ReadDir("/proc/self/fd")
	return usage{
		CPU: cpu.Utime.Nano() + cpu.Stime.Nano(), Allocs: memory.Mallocs,
		Goroutines: runtime.NumGoroutine(), Descriptors: len(files), Heap: memory.HeapAlloc,
	}, nil
}

// measuredRole returns what serves in a role.
func measuredRole(ctx context.Context, role string) (func(context.Context, net.Listener) error, error) {
	if role == roleServer {
		return measuredServer(ctx)
	}
	body, err := json.Marshal(benchFlag(7))
	if err != nil {
		return nil, err
	}
	s := &http.Server{Handler: constantHandler(body)}
	if role == roleAlike {
		c := server.DefaultConfig(server.Profiles()[0])
		s = &http.Server{
			Handler:           alike(s.Handler, c.WriteTimeout),
			ReadHeaderTimeout: c.HeaderTimeout, ReadTimeout: c.HeaderTimeout + c.BodyTimeout, IdleTimeout: c.IdleTimeout,
		}
	}
	return func(ctx context.Context, l net.Listener) error {
		defer context.AfterFunc(ctx, func() { s.Close() })()
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}, nil
}

// constantHandler writes what the server writes of one flag.
func constantHandler(body []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})
}

// alike adds what the flag server does for every answer, whatever is in it. It reads the
// body, too: after that net/http listens to a client that may go away, which costs it more
// than a body that nobody reads.
func alike(next http.Handler, limit time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		h := w.Header()
		h.Set("X-Request-Id", "ABCDEFGHIJKL-12")
		h.Set("Cache-Status", "memory;hit")
		h.Set("Flag-Version", "8")
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(limit))
		next.ServeHTTP(w, r)
	})
}

// measuredServer is the flag server.
func measuredServer(ctx context.Context) (func(context.Context, net.Listener) error, error) {
	cfg, err := server.FromEnviron(os.LookupEnv)
	if err != nil {
		return nil, err
	}
	if text, set := os.LookupEnv(flagsVariable); set {
		flags, err := strconv.Atoi(text)
		if err != nil {
			return nil, err
		}
		if cfg.Store, err = benchStore(ctx, flags); err != nil {
			return nil, err
		}
	}
	cfg.Log = slog.New(slog.NewJSONHandler(os.Stderr, nil))
	s, err := server.New(cfg)
	if err != nil {
		return nil, err
	}
	return s.Serve, nil
}

// benchStore has the environment e with so many flags.
func benchStore(ctx context.Context, flags int) (*servertest.Store, error) {
	store := servertest.NewStore()
	for i := range flags {
		f := benchFlag(i)
		if _, err := store.Put(ctx, "e", f.Key, f.Draft); err != nil {
			return nil, err
		}
	}
	return store, nil
}

func benchFlag(i int) feature.Flag {
	return feature.Flag{
		Key: fmt.Sprintf("f%06d", i), Version: 1,
		Draft: feature.Draft{Enabled: true, Value: json.RawMessage(`"on"`), Description: "what this is for"},
	}
}

// A measured server is this binary in another role, in a process of its own.
type measured struct {
	url    string
	in     io.Writer
	out    *bufio.Scanner
	client *http.Client
}

// benchConnections is how many connections there are to a measured server.
const benchConnections = 4

// startMeasured starts one that lives as long as the test.
func startMeasured(b testing.TB, role string, settings ...string) *measured {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), append(settings, roleVariable+"="+role)...)
	in, err1 := cmd.StdinPipe() // ends with this process, however that ends
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		b.Fatal(err)
	}
	m := &measured{in: in, out: bufio.NewScanner(out), client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: benchConnections}}}
	b.Cleanup(func() {
		m.client.CloseIdleConnections()
		if err := errors.Join(in.Close(), cmd.Wait()); err != nil {
			b.Errorf("the measured %s: %v", role, err)
		}
	})
	m.url = m.line(b)
	return m
}

func (m *measured) line(b testing.TB) string {
	b.Helper()
	if !m.out.Scan() {
		b.Fatalf("the measured server says nothing: %v", m.out.Err())
	}
	return m.out.Text()
}

// used asks for its usage.
func (m *measured) used(b testing.TB, question string) usage {
	b.Helper()
	if _, err := fmt.Fprintln(m.in, question); err != nil {
		b.Fatal(err)
	}
	var u usage
	if err := json.Unmarshal([]byte(m.line(b)), &u); err != nil {
		b.Fatal(err)
	}
	return u
}

// A measured request is one of a kind.
type measuredRequest struct {
	kind
	tag string // of the answer that the client has
}

// status is what is answered when all is well.
func (r measuredRequest) status() int {
	if r.tag != "" {
		return http.StatusNotModified
	}
	return http.StatusOK
}

// cost sends b.N requests and returns what one of them has cost.
func (m *measured) cost(b *testing.B, request measuredRequest) cost {
	b.Helper()
	before := m.used(b, askCost)
	var g sync.WaitGroup
	for i := range benchConnections {
		g.Go(func() {
			for range (b.N + i) / benchConnections {
				if resp, err := m.ask(request); err != nil || resp.StatusCode != request.status() {
					b.Errorf("%s %s = %v, %v, want status %d", request.method, request.path, resp, err, request.status())
					return
				}
			}
		})
	}
	g.Wait()
	after, n := m.used(b, askCost), float64(b.N)
	return cost{cpu: float64(after.CPU-before.CPU) / n, allocs: float64(after.Allocs-before.Allocs) / n}
}

// ask sends one request and reads the answer to its end.
func (m *measured) ask(request measuredRequest) (*http.Response, error) {
	r, err := http.NewRequest(request.method, m.url+request.path, strings.NewReader(request.body))
	if err != nil {
		return nil, err
	}
	if request.tag != "" {
		r.Header.Set("If-None-Match", request.tag)
	}
	resp, err := m.client.Do(r)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp, errors.Join(err, resp.Body.Close())
}
