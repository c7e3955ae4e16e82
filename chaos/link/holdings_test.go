package link

import (
	"os"
	"runtime"
	"testing"
)

// heapSlack is what the heap may have grown by: pools, the runtime's own.
const heapSlack = 4 << 20

// A holdings is what a process has.
type holdings struct {
	goroutines, descriptors int
	heap                    uint64
}

func holdingsNow(t *testing.T) holdings {
	return holdings{runtime.NumGoroutine(), descriptors(t), heapInUse()}
}

// heapInUse is what is left when everything has been collected: twice, for pools.
func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func (h holdings) compare(t *testing.T) {
	t.Helper()
	waitFor(t, "goroutines as before", func() bool { return runtime.NumGoroutine() <= h.goroutines })
	waitFor(t, "descriptors as before", func() bool { return descriptors(t) <= h.descriptors })
	after := heapInUse()
	t.Logf("heap: %d KiB before, %d KiB after", h.heap>>10, after>>10)
	if after > h.heap+heapSlack {
		t.Errorf("the heap grew from %d to %d bytes, want %d more at the most", h.heap, after, heapSlack)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc/self/fd here")
	}
	return len(entries)
}
