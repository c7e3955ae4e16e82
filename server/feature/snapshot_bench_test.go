package feature_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"brownout/server/feature"
)

// What reading bytes of a cache costs that were not seen before.
func BenchmarkDecodeSnapshot(b *testing.B) {
	for _, n := range []int{50, 1000} {
		b.Run(fmt.Sprintf("flags=%d", n), func(b *testing.B) {
			flags := make([]feature.Flag, n)
			for i := range flags {
				flags[i] = feature.Flag{
					Key: fmt.Sprintf("some-flag-%06d", i), Version: 1,
					Draft: feature.Draft{Enabled: true, Value: json.RawMessage(`"on"`), Description: "what this is for"},
				}
			}
			data, err := feature.NewSnapshot("e", uint64(n), flags).Encode()
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := feature.DecodeSnapshot("e", data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
