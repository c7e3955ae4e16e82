package feature

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// maxRevision is the largest that a database can count to (bigint).
const maxRevision = math.MaxInt64

// A Snapshot is all flags of an environment at one revision.
type Snapshot struct {
	Environment string `json:"environment"`
	// Revision is one more at each write in the environment. 0: nothing was ever
	// written in it.
	Revision uint64 `json:"revision"`
	Flags    []Flag `json:"flags"` // sorted by key
}

// NewSnapshot sorts flags and makes a snapshot of them.
func NewSnapshot(environment string, revision uint64, flags []Flag) Snapshot {
	if flags == nil {
		flags = []Flag{} // an empty list in JSON, not null
	}
	slices.SortFunc(flags, func(a, b Flag) int { return cmp.Compare(a.Key, b.Key) })
	return Snapshot{Environment: environment, Revision: revision, Flags: flags}
}

// Flag finds a flag by its key.
func (s Snapshot) Flag(key string) (Flag, bool) {
	i, found := s.find(key)
	if !found {
		return Flag{}, false
	}
	return s.Flags[i], true
}

// Encode is the snapshot as it is cached.
func (s Snapshot) Encode() ([]byte, error) {
	t, err := s.encode()
	if err != nil {
		return nil, err
	}
	return t.data, nil
}

// DecodeSnapshot reads what Encode wrote for environment. A cache is shared with
// others, so what the service cannot have written is an error, never an answer.
// Members that it does not know are let pass: a newer version may have written them.
func DecodeSnapshot(environment string, data []byte) (Snapshot, error) {
	var s Snapshot
	if err := json.Unmarshal(data, &s); err != nil {
		return Snapshot{}, fmt.Errorf("decoding the snapshot of %s: %w", environment, err)
	}
	if !utf8.Valid(data) { // encoding/json lets it pass, and would not mind it in a value
		return Snapshot{}, fmt.Errorf("decoding the snapshot of %s: it is not UTF-8", environment)
	}
	if err := s.check(environment); err != nil {
		return Snapshot{}, fmt.Errorf("decoding the snapshot of %s: %w", environment, err)
	}
	return s, nil
}

// check says why s cannot be the snapshot of an environment that was written. That its
// values are JSON was seen when they were decoded.
func (s Snapshot) check(environment string) error {
	switch {
	case s.Environment != environment:
		return fmt.Errorf("it is one of %q", s.Environment)
	case s.Flags == nil:
		return errors.New("it has no list of flags")
	case s.Revision < 1 || s.Revision > maxRevision:
		return fmt.Errorf("its revision is %d, want 1 to %d", s.Revision, uint64(maxRevision))
	}
	last := "" // no key
	for _, f := range s.Flags {
		if err := f.check(s.Revision); err != nil {
			return err
		}
		if f.Key <= last {
			return fmt.Errorf("the key %q comes after %q, want each once, in order", f.Key, last)
		}
		last = f.Key
	}
	return nil
}

// check says why f cannot be a flag of an environment at that revision. Each write of
// a flag is one of its environment.
func (f Flag) check(revision uint64) error {
	if err := CheckName("a key", f.Key); err != nil {
		return err
	}
	switch {
	case f.Version < 1 || f.Version > revision:
		return fmt.Errorf("the flag %s has version %d, want 1 to %d, the revision", f.Key, f.Version, revision)
	case f.Value == nil:
		return fmt.Errorf("the flag %s has no value", f.Key)
	}
	return nil
}

// With is the snapshot with f in it. s stays as it is.
func (s Snapshot) With(f Flag) Snapshot {
	i, found := s.find(f.Key)
	if found {
		s.Flags = slices.Clone(s.Flags)
		s.Flags[i] = f
		return s
	}
	s.Flags = slices.Insert(slices.Clip(s.Flags), i, f)
	return s
}

// Without is the snapshot without the flag. s stays as it is.
func (s Snapshot) Without(key string) Snapshot {
	if i, found := s.find(key); found {
		s.Flags = slices.Delete(slices.Clone(s.Flags), i, i+1)
	}
	return s
}

func (s Snapshot) find(key string) (int, bool) {
	return slices.BinarySearchFunc(s.Flags, key, func(f Flag, key string) int { return cmp.Compare(f.Key, key) })
}
