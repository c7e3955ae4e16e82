package feature_test

import (
	"encoding/json"
	"strings"
	"testing"

	"brownout/server/feature"

	"github.com/google/go-cmp/cmp"
)

func TestCheckName(t *testing.T) {
	for _, row := range []struct {
		name string
		what string
		ok   bool
	}{
		{"letters, digits and the three signs", "Az0.9_-", true},
		{"one character", "a", true},
		{"the longest", strings.Repeat("x", feature.MaxName), true},
		{"one too many", strings.Repeat("x", feature.MaxName+1), false},
		{"nothing", "", false},
		{"this folder", ".", false},
		{"the folder above", "..", false},
		{"three dots mean nothing special", "...", true},
		{"a slash", "a/b", false},
		{"a space", "a b", false},
		{"a colon would end the cache key's prefix", "a:b", false},
		{"a letter outside ASCII", "ü", false},
		{"a zero byte", "a\x00", false},
		{"a line break", "a\n", false},
	} {
		if err := feature.CheckName("the key", row.what); (err == nil) != row.ok {
			t.Errorf("%s: CheckName(%q) = %v, want ok %t", row.name, row.what, err, row.ok)
		}
	}
}

func snapshot() feature.Snapshot {
	return feature.NewSnapshot("e", 7, []feature.Flag{
		{Key: "b", Version: 2, Draft: feature.Draft{Value: json.RawMessage(`"<&>"`)}},
		{Key: "a", Version: 1, Draft: feature.Draft{Enabled: true, Value: json.RawMessage(`{"x":1.0}`), Variants: map[string]json.RawMessage{"on": json.RawMessage("1")}, Description: "d"}},
		{Key: "B", Version: 3, Draft: feature.Draft{Value: json.RawMessage(`null`)}},
	})
}

func TestASnapshotFindsItsFlags(t *testing.T) {
	s := snapshot()
	for key, want := range map[string]uint64{"a": 1, "b": 2, "B": 3, "": 0, "A": 0, "c": 0, "aa": 0} {
		if f, found := s.Flag(key); f.Version != want || found != (want != 0) {
			t.Errorf("Flag(%q) = version %d, %t, want %d", key, f.Version, found, want)
		}
	}
	if _, found := (feature.Snapshot{}).Flag("a"); found {
		t.Error("an empty snapshot has a flag")
	}
}

func TestWhatIsEncodedIsDecoded(t *testing.T) {
	for _, s := range []feature.Snapshot{snapshot(), feature.NewSnapshot("e", 3, nil)} {
		data, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := feature.DecodeSnapshot("e", data)
		if err != nil {
			t.Fatalf("DecodeSnapshot(%s): %v", data, err)
		}
		if diff := cmp.Diff(s, got); diff != "" {
			t.Errorf("decoded differs (-want +got):\n%s", diff)
		}
	}
}

func TestDecodeRefusesWhatIsNotItsOwn(t *testing.T) {
	for name, data := range map[string]string{
		"nothing":               "",
		"the end is missing":    `{"environment":"e","flags":[`,
		"null":                  "null",
		"another environment":   `{"environment":"f","flags":[]}`,
		"no flags":              `{"environment":"e"}`,
		"flags out of order":    `{"environment":"e","flags":[{"key":"b"},{"key":"a"}]}`,
		"a version below zero":  `{"environment":"e","flags":[{"key":"b","version":-1}]}`,
		"something after it":    `{"environment":"e","flags":[]}x`,
		"a revision as a text":  `{"environment":"e","revision":"7","flags":[]}`,
		"a list":                `[]`,
		"a time that is no one": `{"environment":"e","flags":[{"key":"b","updated_at":"soon"}]}`,
	} {
		if s, err := feature.DecodeSnapshot("e", []byte(data)); err == nil {
			t.Errorf("%s: DecodeSnapshot(%s) = %+v, want an error", name, data, s)
		}
	}
}

// What a cache holds may be anything; what is accepted must come out as it went in.
func FuzzDecodeSnapshot(f *testing.F) {
	data, err := snapshot().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"environment":"e","flags":[{"key":"b","value":null}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := feature.DecodeSnapshot("e", data)
		if err != nil {
			return
		}
		again, err := s.Encode()
		if err != nil {
			t.Fatalf("encoding what was decoded from %q: %v", data, err)
		}
		s2, err := feature.DecodeSnapshot("e", again)
		if err != nil {
			t.Fatalf("decoding %q, which came from %q: %v", again, data, err)
		}
		once, err1 := s.Encode()
		twice, err2 := s2.Encode()
		if err1 != nil || err2 != nil || string(once) != string(twice) {
			t.Errorf("encoded once %q, twice %q (%v, %v)", once, twice, err1, err2)
		}
		d, err := feature.DecodeDocument("e", data)
		if err != nil {
			t.Fatalf("DecodeDocument(%q): %v, though it is a snapshot", data, err)
		}
		if !hasTwins(s) {
			wantParts(t, d)
			wantParts(t, d)
		}
	})
}

// hasTwins reports whether two flags have one key: then a key does not say which.
func hasTwins(s feature.Snapshot) bool {
	for i := 1; i < len(s.Flags); i++ {
		if s.Flags[i-1].Key == s.Flags[i].Key {
			return true
		}
	}
	return false
}
