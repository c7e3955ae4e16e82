package server

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brownout/server/feature"
)

// slowStore counts its reads and answers when it may.
type slowStore struct {
	feature.Store
	resume chan struct{}
	mu     sync.Mutex
	reads  int
}

func (s *slowStore) Snapshot(_ context.Context, environment string) (feature.Snapshot, error) {
	s.mu.Lock()
	s.reads++
	s.mu.Unlock()
	<-s.resume
	return feature.NewSnapshot(environment, 3, []feature.Flag{{Key: "f", Version: 3}}), nil
}

// missing is a cache that has nothing, and lets nobody go on before all have asked.
type missing struct {
	feature.Cache
	asked sync.WaitGroup
}

func (m *missing) Name() string { return "missing" }
func (m *missing) Get(context.Context, string) ([]byte, error) {
	m.asked.Done()
	m.asked.Wait()
	return nil, feature.ErrMiss
}
func (m *missing) Set(context.Context, string, []byte) error { return nil }

func TestTenThousandMissesMakeOneQuery(t *testing.T) {
	const reads = 10_000
	store, cache := &slowStore{resume: make(chan struct{})}, &missing{}
	cache.asked.Add(reads)
	cfg := DefaultConfig(Profiles()[0])
	cfg.Log = quietLog()
	cfg.Profile.Budget = -1
	f := newFlags(cfg, store, cache)
	var done sync.WaitGroup
	for range reads {
		done.Go(func() {
			s, _, err := f.read(t.Context(), "e")
			if err != nil || s.Revision != 3 {
				t.Errorf("read(e) = revision %d, %v, want 3", s.Revision, err)
			}
		})
	}
	cache.asked.Wait()
	// Those that have not joined the query when it ends must not make another one.
	close(store.resume)
	done.Wait()
	if store.reads != 1 {
		t.Errorf("%d misses at the same time made %d queries, want 1", reads, store.reads)
	}
}

// One that has missed while a query was under way, and is held up until query and fill
// are over, must not make another one.
func TestAMissThatComesLateMakesNoQuery(t *testing.T) {
	store, cache := &slowStore{resume: make(chan struct{})}, &held{late: make(chan struct{}), resume: make(chan struct{})}
	close(store.resume)
	cfg := DefaultConfig(Profiles()[0])
	cfg.Log = quietLog()
	f := newFlags(cfg, store, cache)
	cache.inFill = func() { // the query has its answer, and its load goes on
		go func() {
			if s, _, err := f.read(t.Context(), "e"); err != nil || s.Revision != 3 {
				t.Errorf("the late read = %v, %v, want revision 3", s, err)
			}
			close(cache.late)
		}()
		<-cache.resume // it has missed
	}
	if _, _, err := f.read(t.Context(), "e"); err != nil {
		t.Fatal(err)
	}
	cache.resume <- struct{}{} // everything is over: go on
	<-cache.late
	if store.reads != 1 {
		t.Errorf("a read that missed during a load made query %d, want 1 for both", store.reads)
	}
}

// held lets the second reader miss and go on when it may.
type held struct {
	feature.Cache
	inFill       func()
	gets         atomic.Int32
	late, resume chan struct{}
}

func (h *held) Name() string { return "held" }
func (h *held) Get(context.Context, string) ([]byte, error) {
	if h.gets.Add(1) > 1 {
		h.resume <- struct{}{}
		<-h.resume
	}
	return nil, feature.ErrMiss
}

func (h *held) Set(context.Context, string, []byte) error {
	h.inFill()
	return nil
}

// Those who get new bytes at the same time decode them once.
func TestNewBytesAreDecodedOnce(t *testing.T) {
	data, err := feature.NewSnapshot("e", 3, []feature.Flag{{Key: "f", Version: 3}}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	cfg := DefaultConfig(Profiles()[0])
	cfg.Log = quietLog()
	f := newFlags(cfg, nil, &missing{})
	const reads = 100
	got := make([]*feature.Document, reads)
	var done sync.WaitGroup
	for i := range reads {
		done.Go(func() {
			d, err := f.decode("e", bytes.Clone(data))
			if err != nil {
				t.Errorf("decode: %v", err)
			}
			got[i] = d
		})
	}
	done.Wait()
	for i, d := range got {
		if d != got[0] {
			t.Fatalf("read %d decoded the bytes again", i)
		}
	}
	other, err := f.decode("e", []byte(`{"environment":"e","revision":4,"flags":[]}`))
	if err != nil || other.Revision != 4 {
		t.Errorf("decode(other bytes) = %v, %v, want revision 4", other, err)
	}
}

func TestKeptSnapshotsStayBelowTheLimit(t *testing.T) {
	one := feature.NewSnapshot("e0", 1, []feature.Flag{{Key: "f"}})
	s := snapshots{limit: 10 * newKept(feature.NewDocument(one)).size}
	for i := range 100 {
		snapshot := one
		snapshot.Environment = fmt.Sprint("e", i)
		s.keep(feature.NewDocument(snapshot))
		if s.bytes > s.limit {
			t.Fatalf("after %d snapshots %d bytes are kept, want at most %d", i+1, s.bytes, s.limit)
		}
	}
	if len(s.of) != 10 || s.get("e99") == nil {
		t.Errorf("%d snapshots are kept, the newest %t; want 10 and the newest", len(s.of), s.get("e99") != nil)
	}
	large := feature.NewSnapshot("large", 1, make([]feature.Flag, 100))
	s.keep(feature.NewDocument(large))
	if s.get("large") != nil || len(s.of) != 10 {
		t.Errorf("a snapshot above the limit is kept, or drove out %d others", 10-len(s.of))
	}
}

func TestAKeptSnapshotIsNotReplacedByAnOlderOne(t *testing.T) {
	s := snapshots{limit: 1 << 20}
	s.keep(feature.NewDocument(feature.NewSnapshot("e", 5, nil)))
	s.keep(feature.NewDocument(feature.NewSnapshot("e", 4, nil)))
	if got := s.get("e").Revision; got != 5 {
		t.Errorf("revision %d is kept, want 5", got)
	}
	s.change("e", 7, func(s feature.Snapshot) feature.Snapshot { return s })
	if got := s.get("e").Revision; got != 5 {
		t.Errorf("after a write at 7 revision %d is kept, want 5: 6 is not known", got)
	}
	if _, _, found := s.stale("e", 7, time.Hour); found {
		t.Error("a snapshot below the floor answers")
	}
}
