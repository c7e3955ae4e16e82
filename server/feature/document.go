package feature

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync/atomic"
)

// A Document is a snapshot with its JSON. What is answered about one flag, or about
// all of them, stands in that JSON to the letter: it is cut out, and not encoded again
// for each answer. A document is never changed.
type Document struct {
	Snapshot
	from []byte               // what it was decoded from; nil: it came from elsewhere
	text atomic.Pointer[text] // nil: Encode was not called yet
}

// A text is an encoded snapshot. Its flags are cut out by where each begins; behind
// each stands one more byte, a comma or the bracket.
type text struct {
	data   []byte
	begins []int // one more than there are flags: the last one would begin there
}

// NewDocument makes a document of s, which must not be changed any more. It encodes
// nothing yet.
func NewDocument(s Snapshot) *Document { return &Document{Snapshot: s} }

// DecodeDocument is DecodeSnapshot. It keeps data, which must not be changed.
func DecodeDocument(environment string, data []byte) (*Document, error) {
	s, err := DecodeSnapshot(environment, data)
	if err != nil {
		return nil, err
	}
	return &Document{Snapshot: s, from: data}, nil
}

// Is reports whether data is what the document was decoded from, or what it was
// encoded to. Comparing costs nothing where it is the very same slice.
func (d *Document) Is(data []byte) bool {
	if d.from != nil {
		return bytes.Equal(d.from, data)
	}
	t := d.text.Load()
	return t != nil && bytes.Equal(t.data, data)
}

// Encode is Snapshot.Encode, and does it once. What it returns must not be changed.
func (d *Document) Encode() ([]byte, error) {
	if t := d.text.Load(); t != nil {
		return t.data, nil
	}
	t, err := d.Snapshot.encode()
	if err != nil {
		return nil, err
	}
	if bytes.Equal(t.data, d.from) {
		t.data = d.from // one of them is enough
	}
	d.text.Store(t)
	return t.data, nil
}

// FlagJSON returns the version of a flag and its JSON, which must not be changed. The
// error is ErrNotFound, or that of encoding.
func (d *Document) FlagJSON(key string) (version uint64, flag []byte, err error) {
	i, found := d.find(key)
	if !found {
		return 0, nil, ErrNotFound
	}
	version = d.Flags[i].Version
	if t := d.text.Load(); t != nil {
		return version, t.data[t.begins[i] : t.begins[i+1]-1], nil
	}
	flag, err = d.Flags[i].encode() // not all of them for one
	return version, flag, err
}

// FlagsJSON returns the list of all flags as JSON, which must not be changed.
func (d *Document) FlagsJSON() ([]byte, error) {
	data, err := d.Encode()
	if err != nil {
		return nil, err
	}
	t := d.text.Load()
	return data[t.begins[0]-1 : len(data)-1], nil // from bracket to bracket
}

func (f Flag) encode() ([]byte, error) {
	var b bytes.Buffer
	if err := encodeTo(&b, f); err != nil {
		return nil, fmt.Errorf("encoding the flag %s: %w", f.Key, err)
	}
	return b.Bytes(), nil
}

// encode writes the snapshot as the JSON of the struct Snapshot, and notes where its
// flags are.
func (s Snapshot) encode() (*text, error) {
	flags := s.Flags
	s.Flags = []Flag{}
	var b bytes.Buffer
	if err := encodeTo(&b, s); err != nil {
		return nil, fmt.Errorf("encoding the snapshot of %s: %w", s.Environment, err)
	}
	b.Truncate(b.Len() - len("]}"))
	t := &text{begins: make([]int, 1, len(flags)+1)}
	t.begins[0] = b.Len()
	for i, f := range flags {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := encodeTo(&b, f); err != nil {
			return nil, fmt.Errorf("encoding the flag %s of %s: %w", f.Key, s.Environment, err)
		}
		t.begins = append(t.begins, b.Len()+1)
	}
	b.WriteString("]}")
	t.data = bytes.Clone(b.Bytes()) // a buffer is up to twice as large as what is in it
	return t, nil
}

// encodeTo is json.Marshal without escaping what HTML would mind.
func encodeTo(b *bytes.Buffer, v any) error {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	b.Truncate(b.Len() - len("\n"))
	return nil
}
