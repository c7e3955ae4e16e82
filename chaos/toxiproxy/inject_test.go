package toxiproxy

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	client "github.com/Shopify/toxiproxy/v2/client"

	"brownout/chaos"
)

var slow = chaos.Fault{On: "cache", Kind: chaos.Latency, Latency: 20 * time.Millisecond}

func TestFaultsThatAToxiproxyCannotDo(t *testing.T) {
	const ms = time.Millisecond
	in := New(Config{Name: "cache", API: "127.0.0.1:1", Ask: []byte(ping), Answer: 7})
	for _, row := range []struct {
		name  string
		fault chaos.Fault
		want  string
	}{
		{"a fault that is none", chaos.Fault{Kind: chaos.Latency}, "latency needs a delay"},
		{"drop", chaos.Fault{Kind: chaos.Drop}, "a Toxiproxy cannot do drop"},
		{"flap", chaos.Fault{Kind: chaos.Flap}, "a Toxiproxy cannot do flap"},
		{"an answer", chaos.Fault{Kind: chaos.Readonly}, "a Toxiproxy cannot do readonly"},
		{"a share", chaos.Fault{Kind: chaos.Reset, Share: 0.5}, "cannot choose connections"},
		{"a share that is all", chaos.Fault{Kind: chaos.Reset, Share: 1}, "cannot choose connections"},
		{"somebody", chaos.Fault{Kind: chaos.Reset, Whom: chaos.Clients}, "cannot choose connections"},
		{"a blackhole that resumes", chaos.Fault{Kind: chaos.Blackhole}, "say close"},
		{"a part of a millisecond", chaos.Fault{Kind: chaos.Latency, Latency: 1500 * time.Microsecond}, "multiples of 1ms"},
		{"jitter of a part of a millisecond", chaos.Fault{Kind: chaos.Latency, Latency: 2 * ms, Jitter: 1500 * time.Microsecond}, "multiples of 1ms"},
		{"a slow close by a part", chaos.Fault{Kind: chaos.SlowClose, Latency: 1500 * time.Microsecond}, "multiples of 1ms"},
		{"a gap of nanoseconds", chaos.Fault{Kind: chaos.Slice, Size: 1, Gap: 1500}, "multiples of 1µs"},
		{"an odd rate", chaos.Fault{Kind: chaos.Bandwidth, Rate: 1500}, "multiples of 1000 bytes"},
		{"another link", chaos.Fault{On: "database", Kind: chaos.Reset}, `meant for link "database"`},
		{"no server", chaos.Fault{Kind: chaos.Reset}, "asking for proxy cache"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := row.fault
			if f.On == "" {
				f.On = "cache"
			}
			if _, err := in.Inject(t.Context(), f); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("Inject(%s) = %v, want %q", f, err, row.want)
			}
		})
	}
}

func TestProxiesThatCannotBeInjured(t *testing.T) {
	x := startToxiproxy(t, nil)
	in := x.injector(t)
	api := client.NewClient(x.api)
	p, err := api.Proxy("cache")
	if err != nil {
		t.Fatal(err)
	}

	bare := New(Config{Name: "cache", API: x.api})
	if _, err := bare.Inject(t.Context(), slow); err == nil || !strings.Contains(err.Error(), "nothing to probe with") {
		t.Errorf("Inject without a probe = %v, want an error", err)
	}
	other := New(Config{Name: "cache", API: x.api, Proxy: "nonesuch", Ask: []byte(ping), Answer: 7})
	if _, err := other.Inject(t.Context(), slow); err == nil || !strings.Contains(err.Error(), "proxy not found") {
		t.Errorf("Inject without a proxy = %v, want an error", err)
	}
	fast := chaos.Fault{On: "cache", Kind: chaos.Bandwidth, Rate: 1_000_000}
	if _, err := in.Inject(t.Context(), fast); err == nil || !strings.Contains(err.Error(), "probe with larger ones") {
		t.Errorf("Inject of what a probe cannot show = %v, want an error", err)
	}
	r, err := in.Inject(t.Context(), slow)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Inject(t.Context(), slow); err == nil || !strings.Contains(err.Error(), "toxic already exists") {
		t.Errorf("Inject a second time = %v, want an error", err)
	}
	if left := x.left(t); left != "brownout_latency_downstream" {
		t.Errorf("after a second Inject there are %q, want the first one's", left)
	}
	if _, err := r.Revert(t.Context()); err != nil {
		t.Errorf("Revert: %v", err)
	}
	x.srv.Close()
	if _, err := in.Inject(t.Context(), slow); err == nil || !strings.Contains(err.Error(), "before the fault") {
		t.Errorf("Inject without a dependency = %v, want an error", err)
	}
	if err := p.Disable(); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Inject(t.Context(), slow); err == nil || !strings.Contains(err.Error(), "disabled") {
		t.Errorf("Inject into a disabled proxy = %v, want an error", err)
	}
}

// Of two toxics the second one cannot be added: the first one must not stay.
func TestAFaultIsPutInForceWhollyOrNotAtAll(t *testing.T) {
	x := startToxiproxy(t, nil)
	p, err := client.NewClient(x.api).Proxy("cache")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.AddToxic("brownout_latency_downstream", "latency", "downstream", 1, client.Attributes{"latency": 1}); err != nil {
		t.Fatal(err)
	}
	f := slow
	f.Direction = chaos.DirectionBoth
	if _, err := x.injector(t).Inject(t.Context(), f); err == nil {
		t.Error("Inject = nil, want an error")
	}
	if left := x.left(t); left != "brownout_latency_downstream" {
		t.Errorf("there are %q, want what was there", left)
	}
}

// A blockade holds requests of one method back.
type blockade struct {
	method, path string // the end of the path
	reached      chan struct{}
	lifted       chan struct{}
}

func newBlockade(method, path string) *blockade {
	return &blockade{method: method, path: path, reached: make(chan struct{}, 10), lifted: make(chan struct{})}
}

func (b *blockade) before(r *http.Request) {
	if r.Method == b.method && strings.HasSuffix(r.URL.Path, b.path) {
		b.reached <- struct{}{}
		<-b.lifted
	}
}

// What takes effect after Inject has given up is taken away again.
func TestInjectThatGivesUpLeavesNothing(t *testing.T) {
	for _, row := range []struct {
		path  string
		fault chaos.Fault
	}{
		{"/toxics", slow},
		{"/proxies/cache", chaos.Fault{On: "cache", Kind: chaos.Refuse}},
	} {
		t.Run(string(row.fault.Kind), func(t *testing.T) {
			b := newBlockade(http.MethodPost, row.path)
			x := startToxiproxy(t, b.before)
			in := x.injector(t)
			ctx, cancel := context.WithCancel(t.Context())
			go func() { <-b.reached; cancel() }()
			if _, err := in.Inject(ctx, row.fault); !errors.Is(err, context.Canceled) {
				t.Errorf("Inject = %v, want it cancelled", err)
			}
			close(b.lifted)
			in.Wait()
			if left := x.left(t); left != "" {
				t.Errorf("left on the proxy: %s", left)
			}
		})
	}
}

func TestRevertWithAContextThatIsDone(t *testing.T) {
	x := startToxiproxy(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := x.injector(t).Inject(ctx, slow)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := r.Revert(ctx); err != nil {
		t.Errorf("Revert: %v", err)
	}
	if left := x.left(t); left != "" {
		t.Errorf("left on the proxy: %s", left)
	}
}

// A removal that hangs is given up and told; every removal has been tried.
func TestRevertThatHangsIsGivenUp(t *testing.T) {
	b := newBlockade(http.MethodDelete, "_downstream") // the first one tried
	x := startToxiproxy(t, b.before)
	in := x.injector(t)
	f := slow
	f.Direction = chaos.DirectionBoth
	r, err := in.Inject(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-b.reached; cancel() }()
	_, err = r.Revert(ctx)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "toxic brownout_latency_downstream may still be on proxy cache") {
		t.Errorf("Revert = %v, want that a toxic may still be there", err)
	}
	waitFor(t, "what does not hang is gone", func() bool { return x.left(t) == "brownout_latency_downstream" })
	close(b.lifted)
	in.Wait()
	if left := x.left(t); left != "" {
		t.Errorf("in the end left on the proxy: %s", left)
	}
}
