package resp

import (
	"testing"
	"time"

	"brownout/results"
)

// BenchmarkExchange is what following one GET and its reply costs.
func BenchmarkExchange(b *testing.B) {
	n := 0
	d := New(func(results.Exchange) { n++ })
	up, down := crlf("*2|$3|GET|$24|feature_flags:production|"), crlf("$100|"+string(make([]byte, 100))+"|")
	b.ReportAllocs()
	for b.Loop() {
		d.Up(up, time.Second)
		d.Down(down, time.Second)
	}
	if n != b.N {
		b.Errorf("%d exchanges of %d were told", n, b.N)
	}
}
