package feature_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

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
	const own = `{"environment":"e","revision":7,"flags":[{"key":"a","value":1,"version":2},{"key":"b","value":null,"version":7}]}`
	if _, err := feature.DecodeSnapshot("e", []byte(own)); err != nil {
		t.Fatalf("DecodeSnapshot(%s) = %v: the rows say nothing", own, err)
	}
	for _, row := range []struct{ name, old, replacement string }{
		{"nothing", own, ""},
		{"the end is missing", `}]}`, ""},
		{"null", own, "null"},
		{"a list", own, "[]"},
		{"something after it", `}]}`, `}]}x`},
		{"another environment", `"e"`, `"f"`},
		{"the environment in another case", `"e"`, `"E"`},
		{"no environment", `"environment":"e",`, ""},
		{"no flags", `"flags"`, `"more"`},
		{"null for the flags", own, `{"environment":"e","revision":7,"flags":null}`},
		{"a flag that is null", `{"key":"a","value":1,"version":2}`, "null"},
		{"a revision of 0, which nobody wrote", own, `{"environment":"e","revision":0,"flags":[]}`},
		{"no revision", own, `{"environment":"e","flags":[]}`},
		{"a revision that no database counts to", `"revision":7`, `"revision":9223372036854775808`},
		{"a revision below zero", `"revision":7`, `"revision":-7`},
		{"a revision as a text", `"revision":7`, `"revision":"7"`},
		{"a revision below the version of a flag", `"revision":7`, `"revision":6`},
		{"a version of 0", `"version":2`, `"version":0`},
		{"no version", `,"version":2`, ""},
		{"a version below zero", `"version":2`, `"version":-1`},
		{"a version above the revision", `"version":2`, `"version":8`},
		{"flags out of order", `"key":"a"`, `"key":"c"`},
		{"a key twice", `"key":"a"`, `"key":"b"`},
		{"no key", `"key":"a",`, ""},
		{"an empty key", `"key":"a"`, `"key":""`},
		{"a key with a slash", `"key":"a"`, `"key":"a/x"`},
		{"a key with a line break", `"key":"a"`, `"key":"a\nx"`},
		{"a key that a path takes for the folder above", `"key":"a"`, `"key":".."`},
		{"a key that is too long", `"key":"a"`, `"key":"a` + strings.Repeat("x", feature.MaxName) + `"`},
		{"no value", `"value":1,`, ""},
		{"a value that is no JSON", `"value":1`, `"value":one`},
		{"a value that is not UTF-8", `"value":1`, "\"value\":\"\xff\""},
		{"a time that is none", `"version":2`, `"version":2,"updated_at":"soon"`},
	} {
		data := strings.Replace(own, row.old, row.replacement, 1)
		if s, err := feature.DecodeSnapshot("e", []byte(data)); err == nil || data == own {
			t.Errorf("%s: DecodeSnapshot(%s) = %+v, %v, want an error", row.name, data, s, err)
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
	for _, text := range []string{
		`{"environment":"e","revision":1,"flags":[{"key":"b","value":null,"version":1}]}`,
		`{"environment":"e","revision":2,"flags":[{"key":"b","value":1,"version":1},{"key":"b","value":2,"version":1}]}`,
		`{"environment":"e","revision":2,"flags":[{"key":"../b","value":1,"version":3}]}`,
		`{"environment":"e","revision":0,"flags":[{"key":"b"}]}`,
		`{"environment":"e","revision":1,"flags":[],"flags":[{"key":"b","value":{},"version":1,"updated_at":"2026-01-01T00:00:00+23:59"}]}`,
		"{\"environment\":\"e\",\"revision\":1,\"flags\":[{\"key\":\"b\",\"value\":\"\xff\",\"version\":1}]}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := feature.DecodeSnapshot("e", data)
		if err != nil {
			return
		}
		wantWritten(t, s)
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
		wantParts(t, d)
		wantParts(t, d)
	})
}

// wantWritten checks that a snapshot of e is one that the service can have written.
func wantWritten(t *testing.T, s feature.Snapshot) {
	t.Helper()
	if s.Environment != "e" || s.Revision < 1 || s.Revision > math.MaxInt64 || s.Flags == nil {
		t.Errorf("a snapshot of %q at revision %d with flags %v was let pass", s.Environment, s.Revision, s.Flags)
	}
	for i, f := range s.Flags {
		if feature.CheckName("the key", f.Key) != nil || f.Version < 1 || f.Version > s.Revision || !json.Valid(f.Value) || !utf8.Valid(f.Value) {
			t.Errorf("the flag %+v was let pass at revision %d", f, s.Revision)
		}
		if i > 0 && s.Flags[i-1].Key >= f.Key {
			t.Errorf("the keys %q and %q were let pass", s.Flags[i-1].Key, f.Key)
		}
	}
}
