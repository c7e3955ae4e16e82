package cache_test

import (
	"fmt"
	"strings"
	"testing"

	"brownout/server/cache"
)

func TestMemoryHoldsNoMoreThanItsLimit(t *testing.T) {
	const limit, size = 100_000, 1000
	s := settings("")
	s.MemoryLimit = limit
	m, err := cache.NewMemory(s)
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for i := range 1000 {
		set(t, m, fmt.Sprint("e", i), strings.Repeat("x", size))
	}
	for i := range 1000 {
		if _, err := m.Get(t.Context(), fmt.Sprint("e", i)); err == nil {
			kept++
		}
	}
	if kept == 0 || kept*size > limit {
		t.Errorf("%d entries of %d bytes are kept, want some, and at most %d bytes", kept, size, limit)
	}
}
