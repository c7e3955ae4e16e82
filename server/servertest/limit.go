package servertest

import (
	"errors"
	"testing"

	"brownout/server/feature"
)

// LimitOfTest is how many flags an environment may have in a store for TestLimit.
const LimitOfTest = 2

// TestLimit checks that a store of LimitOfTest flags an environment takes no more, and
// that there is room again when one is deleted. s is empty.
func TestLimit(t *testing.T, s feature.Store) {
	put := func(environment, key string, want error) feature.Receipt {
		t.Helper()
		r, err := s.Put(t.Context(), environment, key, draft(`1`))
		if !errors.Is(err, want) {
			t.Fatalf("Put(%s, %s) = %v, want %v", environment, key, err, want)
		}
		return r
	}
	remove := func(key string) {
		t.Helper()
		if _, err := s.Delete(t.Context(), "e", key); err != nil {
			t.Fatalf("Delete(e, %s) = %v", key, err)
		}
	}
	put("e", "a", nil)
	put("e", "b", nil)
	put("e", "c", feature.ErrFull)
	put("other", "c", nil) // each environment has its own
	if r := put("e", "a", nil); r.Created || r.Flag.Version != 2 {
		t.Errorf("a flag that there is: created %t, version %d; want it changed to version 2", r.Created, r.Flag.Version)
	}
	remove("a")
	put("e", "c", nil)
	put("e", "a", feature.ErrFull) // a tombstone is no flag
	remove("b")
	if r := put("e", "a", nil); !r.Created || r.Flag.Version != 4 {
		t.Errorf("a flag made again: created %t, version %d; want true, 4: what was refused is no version", r.Created, r.Flag.Version)
	}
	keys := ""
	for _, f := range mustRead(t, s, "e").Flags {
		keys += f.Key
	}
	if keys != "ac" {
		t.Errorf("the flags are %q, want ac", keys)
	}
}
