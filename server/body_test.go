package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"unicode/utf8"

	"brownout/server/feature"
)

// Whatever comes in is either a draft that survives the cache, or a bad request.
func FuzzParseDraft(f *testing.F) {
	for _, body := range []string{
		`{"enabled":true,"value":1}`, `{"enabled":false,"value":null,"variants":{"a":[]},"description":"x"}`,
		`{"enabled":true,"value":{"a": [1.0, "\u0000"]}}`, `{"enabled":true,"value":1}x`, `[]`, ``, `{"enabled":true,"value":"\ud800"}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := parseDraft(body)
		if err != nil {
			var p *problem
			if !errors.As(err, &p) || p.Status != http.StatusBadRequest {
				t.Fatalf("parseDraft(%q) = %v, want a bad request", body, err)
			}
			return
		}
		if !json.Valid(d.Value) || !utf8.Valid(d.Value) {
			t.Fatalf("parseDraft(%q) has the value %q, want JSON", body, d.Value)
		}
		data, err := feature.NewSnapshot("e", 1, []feature.Flag{{Key: "f", Draft: d, Version: 1}}).Encode()
		if err != nil {
			t.Fatalf("encoding %q: %v", body, err)
		}
		if _, err := feature.DecodeSnapshot("e", data); err != nil {
			t.Fatalf("decoding %q: %v", data, err)
		}
	})
}
