package figures

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"brownout/results"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestVersionsBehind(t *testing.T) {
	for _, row := range []struct {
		name string
		hits []results.Hit
		want int
	}{
		{"fresh", []results.Hit{seed("a", 1), write(1, 2, "b", 2), read(5, 6, "b", 2)}, 0},
		{"one behind", []results.Hit{seed("a", 1), write(1, 2, "b", 2), read(5, 6, "a", 1)}, 1},
		{"two behind", []results.Hit{seed("a", 1), write(1, 2, "b", 2), write(3, 4, "c", 3), read(5, 6, "a", 1)}, 2},
		{"a write under way does not count", []results.Hit{seed("a", 1), write(1, 2, "b", 2), write(3, 6, "c", 3), read(5, 6, "a", 1)}, 1},
		{"the worst counts", []results.Hit{seed("a", 1), write(1, 2, "b", 2), write(3, 4, "c", 3), read(5, 6, "a", 1), read(7, 8, "b", 2)}, 2},
		{"without versions order decides", []results.Hit{seed("a", 0), write(1, 2, "b", 0), write(3, 4, "c", 0), read(5, 6, "a", 0)}, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := answersOf(row.hits...).Stale.Behind; got != row.want {
				t.Errorf("versions behind = %d, want %d", got, row.want)
			}
		})
	}
}

func TestInvisibleAfter(t *testing.T) {
	for _, row := range []struct {
		name string
		hits []results.Hit
		n    int
		lost int
	}{
		{"seen at the end of the time", []results.Hit{seed("a", 1), write(1, 2, "b", 2), read(5, 6, "b", 2)}, 1, 0},
		{"not seen then", []results.Hit{seed("a", 1), write(1, 2, "b", 2), read(5, 6, "a", 1)}, 1, 1},
		{"seen, and lost again", []results.Hit{seed("a", 1), write(1, 2, "b", 2), read(5, 6, "b", 2), read(7, 8, "a", 1)}, 1, 1},
		{"not seen before the time was over", []results.Hit{seed("a", 1), write(1, 2, "b", 2), read(4, 5, "a", 1), read(6, 7, "b", 2)}, 1, 0},
		{"nobody looked so late", []results.Hit{seed("a", 1), write(1, 2, "b", 2), read(4, 5, "a", 1)}, 0, 0},
		{"a newer write hides it", []results.Hit{seed("a", 1), write(1, 2, "b", 2), write(3, 4, "c", 3), read(9, 10, "c", 3)}, 2, 0},
		{"a readback looks too", []results.Hit{seed("a", 1), write(1, 2, "b", 2), readback(9, "a", 1)}, 1, 1},
		{"a seed is no write of the load", []results.Hit{seed("a", 1), read(5, 6, "a", 1)}, 0, 0},
		{"a write of unknown outcome need not be seen", []results.Hit{seed("a", 1), maybe(1, 2, "b"), read(9, 10, "a", 1)}, 0, 0},
		{"without versions order decides", []results.Hit{seed("a", 0), write(1, 2, "b", 0), read(5, 6, "a", 0)}, 1, 1},
		{"an answer of nothing known tells nothing", []results.Hit{seed("a", 1), write(1, 2, "b", 2), read(5, 6, "z", 0)}, 0, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := InvisibleAfter(Histories(row.hits), 3*sec)
			if c.N != row.n || len(c.Misses) != row.lost {
				t.Errorf("InvisibleAfter = %d of %d, want %d of %d", len(c.Misses), c.N, row.lost, row.n)
			}
		})
	}
}

func TestRegressionsOverAllInstances(t *testing.T) {
	hits := []results.Hit{read(1, 2, "b", 2), by(1, read(3, 4, "a", 1)), by(1, read(5, 6, "b", 2))}
	checkMiss(t, answersOf(hits...).OverAll, 2, "version 1 after version 2")
	checkMiss(t, answersOf(hits...).Regressions, 1, "")
}

// drawHistory is a history that need not be right in any way: some writes have a
// version, some have an unknown outcome, some answers tell a version, some a token.
func drawHistory(t *rapid.T) []results.Hit {
	hits := []results.Hit{seed("t1", uint64(rapid.IntRange(0, 1).Draw(t, "seed's version")))}
	for version := uint64(2); version < 9; version++ {
		sent := rapid.IntRange(0, 40).Draw(t, "sent")
		w := write(sent, sent+rapid.IntRange(0, 9).Draw(t, "took"), fmt.Sprintf("t%d", version), version)
		switch rapid.IntRange(0, 5).Draw(t, "kind of write") {
		case 0:
			w = failed(w)
		case 1:
			w.Version = 0
		}
		hits = append(hits, w)
	}
	for range rapid.IntRange(1, 12).Draw(t, "reads") {
		v := rapid.IntRange(1, 9).Draw(t, "version")
		r := read(rapid.IntRange(0, 60).Draw(t, "sent"), 100, fmt.Sprintf("t%d", v), uint64(v))
		switch rapid.IntRange(0, 3).Draw(t, "kind of read") {
		case 0:
			r.Version = 0
		case 1:
			r.Token = ""
		}
		hits = append(hits, r)
	}
	return hits
}

// TestAgesAgainstTheirDefinition compares with an oracle that looks at every write
// for every read.
func TestAgesAgainstTheirDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hits := drawHistory(t)
		h := &Histories(hits)[0]
		var ages []time.Duration
		behind := 0
		for _, r := range h.Reads {
			write := h.written(r.Token)
			version := versionOf(r, write)
			age, told, n := time.Duration(0), false, 0
			for _, w := range h.Writes {
				if !acknowledged(w) || w.Done >= r.Sent {
					continue
				}
				told = told || w.Op == results.OpWrite
				if newer(w, version, write) {
					age = max(age, r.Sent-w.Done)
					n++
				}
			}
			if told && (write != nil || version != 0) {
				ages, behind = append(ages, age), max(behind, n)
			}
		}
		slices.Sort(ages)
		s := answersOf(hits...).Stale
		if diff := cmp.Diff(ages, s.Ages); diff != "" {
			t.Errorf("ages (-want +got):\n%s", diff)
		}
		if s.Behind != behind {
			t.Errorf("versions behind = %d, want %d", s.Behind, behind)
		}
	})
}

// TestInvisibleAgainstItsDefinition compares with an oracle that looks at every
// answer for every write.
func TestInvisibleAgainstItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hits := drawHistory(t)
		after := time.Duration(rapid.IntRange(0, 20).Draw(t, "after")) * sec
		h := &Histories(hits)[0]
		n, missed := 0, 0
		for _, w := range h.Writes {
			if w.Op != results.OpWrite || !acknowledged(w) {
				continue
			}
			told, old := false, false
			for _, r := range h.answers() {
				if r.Sent < w.Done+after {
					continue
				}
				write := h.written(r.Token)
				version := versionOf(r, write)
				told = told || w.Version != 0 && version != 0 || write != nil && acknowledged(write)
				old = old || newer(w, version, write)
			}
			if told {
				n++
			}
			if old {
				missed++
			}
		}
		if c := InvisibleAfter(Histories(hits), after); c.N != n || len(c.Misses) != missed {
			t.Errorf("InvisibleAfter(%v) = %d of %d, want %d of %d", after, len(c.Misses), c.N, missed, n)
		}
	})
}
