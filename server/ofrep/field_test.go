package ofrep

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"
)

// FuzzField compares with a map that encoding/json makes.
func FuzzField(f *testing.F) {
	for _, value := range []string{
		`{}`, `[]`, `null`, `1`, `"a"`, `{"a":1}`, `{"b":{"a":1},"a":[{"a":2},"}"]}`, "{ \"a\" :\ttrue ,\n\"b\":null}", `{"a":1,"a":{"x":"]"}}`,
		`{"\u0061":"\"","b\\":-1e9}`, `{"":0,"a":""}`, `{"A":1}`, `{"a":"\\"}`, `{"a":[[],{}]}`,
	} {
		f.Add([]byte(value), "a")
	}
	f.Fuzz(func(t *testing.T, value []byte, name string) {
		if !utf8.Valid(value) || !json.Valid(value) { // Check has refused it
			return
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(value, &want); err != nil && kind(value) == object {
			t.Fatal(err)
		}
		raw, found := want[name]
		if got := field(value, name); !bytes.Equal(got, raw) || (got != nil) != found {
			t.Errorf("field(%q, %q) = %q, want %q, found %t", value, name, got, raw, found)
		}
	})
}
