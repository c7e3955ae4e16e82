package lab

import (
	"testing"
	"time"

	"brownout/chaos/stack"
	"brownout/results"
)

func TestRateIsThatOfTheLastFullSecond(t *testing.T) {
	const ms = time.Millisecond
	for _, row := range []struct {
		about string
		done  []time.Duration // of exchanges
		at    time.Duration
		want  int
	}{
		{"nothing", nil, 500 * ms, 0},
		{"the second goes on", []time.Duration{100 * ms, 200 * ms}, 900 * ms, 0},
		{"the second is over", []time.Duration{100 * ms, 200 * ms}, 1000 * ms, 2},
		{"the one before counts while the next goes on", []time.Duration{100 * ms, 1200 * ms, 1300 * ms}, 1900 * ms, 1},
		{"the last second was silent", []time.Duration{100 * ms}, 2000 * ms, 0},
		{"a pause", []time.Duration{100 * ms, 5100 * ms}, 6100 * ms, 1},
		{"one that comes late counts in the second that goes on", []time.Duration{1100 * ms, 900 * ms}, 2100 * ms, 2},
	} {
		var m meter
		for _, d := range row.done {
			m.count(results.Exchange{Done: d, Reply: results.ReplyOK})
		}
		if got := m.read(row.at).Rate; got != row.want {
			t.Errorf("%s: rate = %d, want %d", row.about, got, row.want)
		}
	}
}

func TestTrafficOfALink(t *testing.T) {
	l := openLab(t, Config{Stack: stack.Config{Cache: stack.Redis}})
	c := plain(t, l.Link("cache").Addr())
	for range 3 {
		c.Set(t.Context(), "key", "word", 0)
		c.Get(t.Context(), "nothing")
		c.Incr(t.Context(), "key") // an error: it is no number
	}
	// An exchange is counted before its answer reaches the client.
	if got := l.Link("cache").Traffic(); got.Errors < 3 || got.Total < 9 {
		t.Errorf("Traffic = %+v, want 9 commands or more, 3 errors or more", got)
	}
}
