package feature_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"brownout/server/feature"
)

// plainJSON is what encoding/json makes of v when it does not mind HTML.
func plainJSON(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimSpace(b.Bytes()))
}

// wantParts checks what a document says against encoding/json.
func wantParts(t *testing.T, d *feature.Document) {
	t.Helper()
	for _, f := range d.Flags {
		version, got, err := d.FlagJSON(f.Key)
		if want := plainJSON(t, f); string(got) != want || version != f.Version || err != nil {
			t.Errorf("FlagJSON(%s) = %d, %s, %v, want %d, %s", f.Key, version, got, err, f.Version, want)
		}
	}
	if got, err := d.FlagsJSON(); string(got) != plainJSON(t, d.Flags) || err != nil {
		t.Errorf("FlagsJSON() = %s, %v, want %s", got, err, plainJSON(t, d.Flags))
	}
	if got, err := d.Encode(); string(got) != plainJSON(t, d.Snapshot) || err != nil {
		t.Errorf("Encode() = %s, %v, want %s", got, err, plainJSON(t, d.Snapshot))
	}
}

func TestAnswersAreCutOutOfADocument(t *testing.T) {
	one := feature.NewSnapshot("e", 3, []feature.Flag{{Key: "f", Version: 3}})
	for name, s := range map[string]feature.Snapshot{
		"three flags": snapshot(), "one flag": one, "no flag": feature.NewSnapshot("e", 3, nil),
	} {
		t.Run(name, func(t *testing.T) {
			d := feature.NewDocument(s)
			wantParts(t, d) // flags are encoded alone
			wantParts(t, d) // and now they are cut out
			if _, _, err := d.FlagJSON("nonesuch"); !errors.Is(err, feature.ErrNotFound) {
				t.Errorf("FlagJSON(nonesuch) = %v, want ErrNotFound", err)
			}
		})
	}
}

// Whatever the bytes of the cache look like, what is answered is our own writing.
func TestADocumentOfOtherWritingAnswersInOurs(t *testing.T) {
	ours, err := snapshot().Encode()
	if err != nil {
		t.Fatal(err)
	}
	var other bytes.Buffer
	if err := json.Indent(&other, bytes.Replace(ours, []byte(`{"key"`), []byte(`{"more":1,"key"`), 1), "", " "); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"ours": ours, "another one's": other.Bytes()} {
		t.Run(name, func(t *testing.T) {
			d, err := feature.DecodeDocument("e", data)
			if err != nil {
				t.Fatal(err)
			}
			wantParts(t, d)
			if !d.Is(bytes.Clone(data)) {
				t.Error("Is(what it was decoded from) = false")
			}
			if got, _ := d.Encode(); !bytes.Equal(got, compact(t, ours)) {
				t.Errorf("Encode() = %s, want %s", got, ours)
			}
		})
	}
}

func compact(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, data); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestADocumentKnowsItsBytes(t *testing.T) {
	d := feature.NewDocument(snapshot())
	ours, err := snapshot().Encode()
	if err != nil {
		t.Fatal(err)
	}
	if d.Is(ours) {
		t.Error("Is(...) = true before Encode: nothing is there to compare with")
	}
	if _, err := d.Encode(); err != nil {
		t.Fatal(err)
	}
	other := bytes.Replace(ours, []byte("7"), []byte("8"), 1)
	if !d.Is(ours) || d.Is(other) {
		t.Errorf("Is(its own) = %t, Is(another's) = %t, want true and false", d.Is(ours), d.Is(other))
	}
}

func TestADocumentThatCannotBeEncodedSaysSo(t *testing.T) {
	s := feature.NewSnapshot("e", 1, []feature.Flag{{Key: "f", Draft: feature.Draft{Value: json.RawMessage("{")}}})
	d := feature.NewDocument(s)
	if got, err := d.Encode(); err == nil {
		t.Errorf("Encode() = %s, want an error", got)
	}
	if got, err := d.FlagsJSON(); err == nil {
		t.Errorf("FlagsJSON() = %s, want an error", got)
	}
	if _, got, err := d.FlagJSON("f"); err == nil {
		t.Errorf("FlagJSON(f) = %s, want an error", got)
	}
}
