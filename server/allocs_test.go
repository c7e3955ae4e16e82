package server_test

import (
	"net/http"
	"testing"

	"brownout/server"
	"brownout/server/feature"
)

// mostAllocs is how many allocations a read from memory may make, beside those of
// net/http around the handler: the wildcards of the path, four fields of the header and
// the two numbers in them.
const mostAllocs = 16

// nowhere is a response that goes nowhere and allocates nothing but what the handler
// puts into its header.
type nowhere struct{ header http.Header }

func (w nowhere) Header() http.Header             { return w.header }
func (nowhere) Write(data []byte) (int, error)    { return len(data), nil }
func (nowhere) WriteHeader(int)                   {}
func (nowhere) WriteString(s string) (int, error) { return len(s), nil }

// allocsOfAHit counts the allocations of a read that memory answers.
func allocsOfAHit(t *testing.T, flags int, path string) float64 {
	t.Helper()
	store, err := benchStore(t.Context(), flags)
	if err != nil {
		t.Fatal(err)
	}
	cfg := server.DefaultConfig(server.Profiles()[0])
	cfg.Store = feature.Store(store)
	s, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h, w := s.Handler(), nowhere{http.Header{}}
	ask := func() {
		clear(w.header)
		r, err := http.NewRequest("GET", path, nil)
		if err != nil {
			t.Fatal(err)
		}
		h.ServeHTTP(w, r)
	}
	ask()
	ask()
	if got := w.header.Get("Cache-Status"); got != "memory;hit" {
		t.Fatalf("GET %s says %q, want a hit", path, got)
	}
	return leastAllocs(ask) - leastAllocs(func() { _, _ = http.NewRequest("GET", path, nil) })
}

// leastAllocs is the least of several counts. What a pool has lost is allocated anew, and
// the race detector takes things from pools at random: that only adds.
func leastAllocs(do func()) float64 {
	least := testing.AllocsPerRun(100, do)
	for range 9 {
		least = min(least, testing.AllocsPerRun(100, do))
	}
	return least
}

func TestAReadFromMemoryAllocatesLittleHoweverManyFlagsThereAre(t *testing.T) {
	for _, path := range []string{oneFlag, allFlags} {
		few, many := allocsOfAHit(t, 10, path), allocsOfAHit(t, 10_000, path)
		t.Logf("GET %s: %v allocations", path, few)
		if few > mostAllocs || many > few {
			t.Errorf("GET %s makes %v allocations with 10 flags and %v with 10,000, want at most %d, and as many", path, few, many, mostAllocs)
		}
	}
}
