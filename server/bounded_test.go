package server_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"brownout/server"
	"brownout/server/feature"
	"brownout/server/servertest"
)

// A sluggish cache holds its fills and deletions until somebody gives them up.
type sluggish struct{ feature.Cache }

func (sluggish) Set(ctx context.Context, _ string, _ []byte) error { <-ctx.Done(); return ctx.Err() }
func (sluggish) Delete(ctx context.Context, _ string) error        { <-ctx.Done(); return ctx.Err() }

// Nothing but the budget ends what a read or a write has to do in the cache; then both
// are answered as if it had not been there.
func TestAFillOrDeletionThatHangsHoldsNoRequestForLongerThanTheBudget(t *testing.T) {
	const budget = 50 * time.Millisecond
	s := servertest.Start(t, "resilient", withCache(sluggish{newHooked(t).Cache}), func(c *server.Config) { c.Profile.Budget = budget })
	s.MustPut(t, "e", "f", feature.Draft{Enabled: true, Value: []byte("1")})
	began := time.Now()
	wantValue(t, s, 1, "memory;fwd=miss") // not stored
	put(t, s, 2)
	if took := time.Since(began); took < 2*budget {
		t.Errorf("a read and a write took %v, want two budgets of %v at least: was the cache asked?", took, budget)
	}
	wantValue(t, s, 2, "memory;fwd=bypass;detail=invalidation-pending")
}

// The entry is deleted when the database has the write, and not before: else a read in
// between would put the old state back. What was not written deletes nothing.
func TestAnEntryIsDeletedAfterTheCommit(t *testing.T) {
	for _, profile := range profiles {
		t.Run(profile, func(t *testing.T) {
			store := servertest.NewStore()
			h := newHooked(t)
			var deletions, committed atomic.Uint64
			h.forget = func() error {
				deletions.Add(1)
				r, err := store.Revisions(t.Context(), []string{"e"})
				committed.Store(r["e"])
				return err
			}
			s := servertest.Start(t, profile, withCache(h), func(c *server.Config) { c.Store = store })
			want := func(what string, wantDeletions, revision uint64) {
				t.Helper()
				if deletions.Load() != wantDeletions || committed.Load() != revision {
					t.Errorf("%s: deletion %d at revision %d of the database, want %d at %d", what, deletions.Load(), committed.Load(), wantDeletions, revision)
				}
			}
			put(t, s, 1)
			want("a new flag", 1, 1)
			put(t, s, 2)
			want("a write", 2, 2)
			if a := request(t, "DELETE", flagURL(s), ""); a.code != 204 {
				t.Fatalf("DELETE = %d, want 204", a.code)
			}
			want("a deletion", 3, 3)
			if a := request(t, "DELETE", flagURL(s), ""); a.code != 404 {
				t.Fatalf("DELETE = %d, want 404", a.code)
			}
			want("a deletion of nothing", 3, 3)
			store.Before = func(context.Context, string) error { return errors.New("broken") }
			if a := request(t, "PUT", flagURL(s), `{"enabled":true,"value":3}`); a.code != 500 {
				t.Fatalf("PUT = %d, want 500", a.code)
			}
			want("a write that failed", 3, 3)
		})
	}
}
