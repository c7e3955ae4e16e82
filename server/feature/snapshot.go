package feature

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
)

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
// others, so what does not look like our own writing is an error, never an answer.
func DecodeSnapshot(environment string, data []byte) (Snapshot, error) {
	var s Snapshot
	if err := json.Unmarshal(data, &s); err != nil {
		return Snapshot{}, fmt.Errorf("decoding the snapshot of %s: %w", environment, err)
	}
	if s.Environment != environment || s.Flags == nil {
		return Snapshot{}, fmt.Errorf("decoding the snapshot of %s: it is one of %q with %d flags", environment, s.Environment, len(s.Flags))
	}
	if !slices.IsSortedFunc(s.Flags, func(a, b Flag) int { return cmp.Compare(a.Key, b.Key) }) {
		return Snapshot{}, fmt.Errorf("decoding the snapshot of %s: its flags are not sorted", environment)
	}
	return s, nil
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
