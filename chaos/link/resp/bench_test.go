package resp

import (
	"testing"

	"brownout/chaos"
	"brownout/results"
)

func BenchmarkExchange(b *testing.B) {
	request, value := []byte(req("GET flags:prod:abcde")), []byte(bulk("enabled"))
	d := New(func(results.Exchange) {})
	b.SetBytes(int64(len(request) + len(value)))
	b.ReportAllocs()
	for b.Loop() {
		d.Up(request, 1)
		d.Down(value, 2)
	}
}

// BenchmarkExchangeBesideAnAnswer has an answer in force that is not about it.
func BenchmarkExchangeBesideAnAnswer(b *testing.B) {
	request, value := []byte(req("GET flags:prod:abcde")), []byte(bulk("enabled"))
	d := New(func(results.Exchange) {})
	d.Inject(&answer(chaos.Readonly).Answer, false, 0)
	b.ReportAllocs()
	for b.Loop() {
		d.Up(request, 1)
		d.Down(value, 2)
	}
}

func BenchmarkLargeReply(b *testing.B) {
	request, value := []byte(req("GET flags:prod:abcde")), []byte(bulk(string(make([]byte, 1<<20))))
	d := New(func(results.Exchange) {})
	b.SetBytes(int64(len(value)))
	for b.Loop() {
		d.Up(request, 1)
		for rest := value; len(rest) > 0; {
			n := min(len(rest), 32<<10)
			d.Down(rest[:n], 2)
			rest = rest[n:]
		}
	}
}
