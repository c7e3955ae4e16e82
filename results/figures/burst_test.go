package figures

import (
	"testing"
	"time"

	"brownout/results"
)

func TestBurstOf(t *testing.T) {
	load := func(change func(*results.Hit)) []results.Hit {
		var hits []results.Hit
		for i := range 200 {
			due := time.Duration(i) * 10 * ms
			h := results.Hit{Op: results.OpRead, Due: due, Sent: due, Done: due}
			change(&h)
			hits = append(hits, h)
		}
		return hits
	}
	for _, row := range []struct {
		name   string
		load   []results.Hit
		want   Burst
		caught bool
	}{
		{"nothing", nil, Burst{}, false},
		{"in time", load(func(*results.Hit) {}), Burst{Sent: 10, Due: 10}, false},
		{"all a little late", load(func(h *results.Hit) { h.Sent += 30 * ms }), Burst{Sent: 10, Due: 10}, false},
		{"what was due in a stall of half a second is sent after it", load(func(h *results.Hit) {
			if h.Due >= sec && h.Due < sec+500*ms {
				h.Sent = sec + 500*ms
			}
		}), Burst{Sent: 60, Due: 10}, true},
		{"each burst counts by itself, and in whatever order it was sent", load(func(h *results.Hit) {
			switch {
			case h.Due < 200*ms: // 20 of them, beside the 9 of the 90 ms before
				h.Sent = 1900 * ms
			case h.Due >= 1900*ms:
				h.Sent = 100 * ms
			}
		}), Burst{Sent: 29, Due: 10}, true},
		{"a small stall", load(func(h *results.Hit) {
			if h.Due >= sec && h.Due < sec+50*ms {
				h.Sent = sec + 50*ms
			}
		}), Burst{Sent: 15, Due: 10}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := BurstOf(row.load); got != row.want || got.Caught() != row.caught {
				t.Errorf("BurstOf = %+v (caught %v), want %+v (%v)", got, got.Caught(), row.want, row.caught)
			}
		})
	}
}
