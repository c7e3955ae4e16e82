package servertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"sync"
	"testing"
	"time"

	"brownout/server/feature"
)

// TestStore checks that a store does what feature.Store says. open returns an
// empty store for each part.
func TestStore(t *testing.T, open func(*testing.T) feature.Store) {
	parts := []struct {
		name string
		test func(*testing.T, feature.Store)
	}{
		{"what was written is read, to the letter", testRoundTrip},
		{"an environment nobody wrote is empty, at revision 0", testEmpty},
		{"versions count every write of a flag, also across a deletion", testVersions},
		{"the revision grows with every write, and a snapshot has it", testRevisions},
		{"flags are sorted by the bytes of their keys", testOrder},
		{"writes at the same time lose nothing", testConcurrent},
		{"it is ready", func(t *testing.T, s feature.Store) {
			if err := s.Ready(t.Context()); err != nil {
				t.Errorf("Ready() = %v, want nil", err)
			}
		}},
	}
	for _, p := range parts {
		t.Run(p.name, func(t *testing.T) { p.test(t, open(t)) })
	}
}

func draft(value string) feature.Draft {
	return feature.Draft{Enabled: true, Value: json.RawMessage(value)}
}

func mustPut(t *testing.T, s feature.Store, environment, key string, d feature.Draft) feature.Receipt {
	t.Helper()
	r, err := s.Put(t.Context(), environment, key, d)
	if err != nil {
		t.Fatalf("Put(%s, %s): %v", environment, key, err)
	}
	return r
}

func mustRead(t *testing.T, s feature.Store, environment string) feature.Snapshot {
	t.Helper()
	snapshot, err := s.Snapshot(t.Context(), environment)
	if err != nil {
		t.Fatalf("Snapshot(%s): %v", environment, err)
	}
	return snapshot
}

func testRoundTrip(t *testing.T, s feature.Store) {
	drafts := map[string]feature.Draft{
		"null":    draft(`null`),
		"number":  draft(`1.0`),
		"object":  draft(`{"b":1,"a":"\u0000<&>"}`),
		"off":     {Enabled: false, Value: json.RawMessage(`"x"`), Description: "a 'quoted' ü"},
		"variant": {Enabled: true, Value: json.RawMessage(`1`), Variants: map[string]json.RawMessage{"on": json.RawMessage(`[1,2]`)}},
		"none":    {Enabled: true, Value: json.RawMessage(`1`), Variants: map[string]json.RawMessage{}},
	}
	for key, d := range drafts {
		before := time.Now().Add(-time.Minute) // clocks may differ
		r := mustPut(t, s, "e", key, d)
		got, found := mustRead(t, s, "e").Flag(key)
		if !found {
			t.Errorf("flag %s is not there after Put", key)
			continue
		}
		if !reflect.DeepEqual(got, r.Flag) {
			t.Errorf("read %+v, want what Put returned: %+v", got, r.Flag)
		}
		if !reflect.DeepEqual(got.Draft, d) {
			t.Errorf("read %+v, want %+v", got.Draft, d)
		}
		if got.UpdatedAt.Before(before) || got.UpdatedAt.Location() != time.UTC {
			t.Errorf("updated at %v, want about now, in UTC", got.UpdatedAt)
		}
	}
}

func testEmpty(t *testing.T, s feature.Store) {
	got := mustRead(t, s, "nonesuch")
	if got.Environment != "nonesuch" || got.Revision != 0 || got.Flags == nil || len(got.Flags) != 0 {
		t.Errorf("Snapshot(nonesuch) = %+v, want revision 0 and an empty list", got)
	}
	if _, err := s.Delete(t.Context(), "nonesuch", "f"); !errors.Is(err, feature.ErrNotFound) {
		t.Errorf("Delete in an empty environment = %v, want ErrNotFound", err)
	}
}

func testVersions(t *testing.T, s feature.Store) {
	want := func(r feature.Receipt, version uint64, created bool) {
		t.Helper()
		if r.Flag.Version != version || r.Created != created {
			t.Errorf("Put: version %d, created %t; want %d, %t", r.Flag.Version, r.Created, version, created)
		}
	}
	want(mustPut(t, s, "e", "f", draft(`1`)), 1, true)
	want(mustPut(t, s, "e", "f", draft(`2`)), 2, false)
	mustPut(t, s, "e", "other", draft(`1`))
	mustPut(t, s, "e2", "f", draft(`1`))
	if _, err := s.Delete(t.Context(), "e", "f"); err != nil {
		t.Fatalf("Delete: %v", err)
	}
	if _, found := mustRead(t, s, "e").Flag("f"); found {
		t.Error("the flag is there after Delete")
	}
	if _, err := s.Delete(t.Context(), "e", "f"); !errors.Is(err, feature.ErrNotFound) {
		t.Errorf("a second Delete = %v, want ErrNotFound", err)
	}
	want(mustPut(t, s, "e", "f", draft(`3`)), 4, true) // the deletion was version 3
	want(mustPut(t, s, "e", "f", draft(`4`)), 5, false)
}

func testRevisions(t *testing.T, s feature.Store) {
	last := uint64(0)
	for _, key := range []string{"a", "b", "a"} {
		r := mustPut(t, s, "e", key, draft(`1`))
		if got := mustRead(t, s, "e").Revision; r.Revision <= last || got != r.Revision {
			t.Errorf("after revision %d: Put returned %d and the snapshot has %d", last, r.Revision, got)
		}
		last = r.Revision
	}
	revision, err := s.Delete(t.Context(), "e", "a")
	if got := mustRead(t, s, "e").Revision; err != nil || revision <= last || got != revision {
		t.Errorf("after revision %d: Delete returned %d, %v and the snapshot has %d", last, revision, err, got)
	}
	if got := mustPut(t, s, "e2", "a", draft(`1`)).Revision; got != 1 {
		t.Errorf("the first revision of another environment is %d, want 1", got)
	}
	got, err := s.Revisions(t.Context(), []string{"e", "nonesuch", "e2"})
	if want := map[string]uint64{"e": revision, "e2": 1}; err != nil || !maps.Equal(got, want) {
		t.Errorf("Revisions(e, nonesuch, e2) = %v, %v, want %v", got, err, want)
	}
	if got, err := s.Revisions(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("Revisions() = %v, %v, want none", got, err)
	}
}

func testOrder(t *testing.T, s feature.Store) {
	for _, key := range []string{"b", "B", "a-b", "a.b", "a_b", "10", "9"} {
		mustPut(t, s, "e", key, draft(`1`))
	}
	got := ""
	for _, f := range mustRead(t, s, "e").Flags {
		got += f.Key + " "
	}
	if want := "10 9 B a-b a.b a_b b "; got != want {
		t.Errorf("keys are %q, want %q", got, want)
	}
}

func testConcurrent(t *testing.T, s feature.Store) {
	const writers, writes = 8, 20
	var g sync.WaitGroup
	for w := range writers {
		g.Go(func() {
			for i := range writes {
				key := fmt.Sprint("f", (w+i)%3)
				if _, err := s.Put(t.Context(), "e", key, draft(`1`)); err != nil {
					t.Errorf("Put: %v", err)
				}
				// Deletions take the same locks in the same order, or this deadlocks.
				if _, err := s.Delete(t.Context(), "e", key); err != nil && !errors.Is(err, feature.ErrNotFound) {
					t.Errorf("Delete: %v", err)
				}
			}
		})
	}
	g.Wait()
	for i := range 3 {
		mustPut(t, s, "e", fmt.Sprint("f", i), draft(`1`))
	}
	snapshot, sum := mustRead(t, s, "e"), uint64(0)
	for _, f := range snapshot.Flags {
		sum += f.Version
	}
	// Every version is a write, and every write a revision. (A revision without a
	// write is allowed: a deletion that found nothing.)
	if sum < writers*writes+3 || sum > snapshot.Revision {
		t.Errorf("versions add up to %d at revision %d, want at least %d writes and no more than the revision", sum, snapshot.Revision, writers*writes+3)
	}
}
