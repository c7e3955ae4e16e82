package server

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestAHushLetsOneLineASecondThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h hush
		for _, row := range []struct {
			after time.Duration
			held  int
			ok    bool
		}{
			{0, 0, true}, {0, 0, false}, {999 * time.Millisecond, 0, false}, {time.Millisecond, 2, true}, {time.Hour, 0, true},
		} {
			time.Sleep(row.after)
			if held, ok := h.pass(); held != row.held || ok != row.ok {
				t.Errorf("pass() after %v = %d, %t, want %d, %t", row.after, held, ok, row.held, row.ok)
			}
		}
	})
}
