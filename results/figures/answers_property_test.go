package figures

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"brownout/results"

	"pgregory.net/rapid"
)

// An act is one operation on a simulated register of one key: it takes effect at
// one moment between sent and done, or, if its outcome is unknown, perhaps later.
type act struct {
	hit    results.Hit
	effect time.Duration
	done   bool // a write of unknown outcome may never happen
}

// register plays acts on a register that is right, and returns the hits with what
// each of them returned. lag is how much older than the moment of its effect the
// value of a read may be; 0 is a register without any cache.
func register(acts []act, lag func() time.Duration, versions bool) []results.Hit {
	slices.SortStableFunc(acts, func(a, b act) int { return cmp.Compare(a.effect, b.effect) })
	type value struct {
		at      time.Duration
		token   string
		version uint64
	}
	past := []value{{-1, "seed", 1}}
	first := seed("seed", 1)
	hits := []results.Hit{first}
	for _, a := range acts {
		if a.hit.Op == results.OpRead {
			at := a.effect - lag()
			for _, v := range past {
				if v.at <= at || v.at < 0 {
					a.hit.Token, a.hit.Version = v.token, v.version
				}
			}
		} else if a.done {
			v := value{a.effect, a.hit.Token, past[len(past)-1].version + 1}
			past = append(past, v)
			a.hit.Version = v.version
		}
		if !a.hit.OK() {
			a.hit.Version = 0
		}
		hits = append(hits, a.hit)
	}
	for i := range hits {
		if !versions {
			hits[i].Version = 0
		}
	}
	last := past[len(past)-1]
	if !versions {
		last.version = 0
	}
	return append(hits, readback(1000, last.token, last.version))
}

func drawActs(t *rapid.T) []act {
	n := rapid.IntRange(1, 25).Draw(t, "acts")
	acts := make([]act, n)
	for i := range acts {
		sent := rapid.IntRange(0, 60).Draw(t, "sent")
		took := rapid.IntRange(0, 10).Draw(t, "took")
		h := read(sent, sent+took, "", 0)
		a := act{effect: h.Sent + time.Duration(rapid.IntRange(0, took).Draw(t, "effect"))*sec, done: true}
		if rapid.Bool().Draw(t, "write") {
			h.Op, h.Token = results.OpWrite, fmt.Sprintf("t%d", i)
			if rapid.IntRange(0, 3).Draw(t, "unknown") == 0 {
				h.Error = results.ErrorTimeout
				a.done = rapid.Bool().Draw(t, "happened")
				a.effect += time.Duration(rapid.IntRange(0, 20).Draw(t, "late")) * sec
			}
		}
		a.hit = h
		a.hit.Seq = uint64(i)
		acts[i] = a
	}
	return acts
}

// TestARightRegisterIsNeverAccused is the property that matters most: whatever
// the order and the outcomes, a target that makes no mistake has no finding.
func TestARightRegisterIsNeverAccused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		versions := rapid.Bool().Draw(t, "versions")
		hits := register(drawActs(t), func() time.Duration { return 0 }, versions)
		a := answersOf(hits...)
		if len(a.Wrong.Misses) > 0 || len(a.Lost.Misses) > 0 || len(a.Regressions.Misses) > 0 || a.Stale.Max > 0 {
			t.Fatalf("a right register is accused: %+v\nof %+v", a, hits)
		}
	})
}

// TestStalenessIsNeverMoreThanTheLag: a cache that is never more than lag behind
// has no read with a staleness above it, and nothing it answers is wrong.
func TestStalenessIsNeverMoreThanTheLag(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		versions := rapid.Bool().Draw(t, "versions")
		most := rapid.IntRange(0, 20).Draw(t, "lag")
		lag := func() time.Duration { return time.Duration(rapid.IntRange(0, most).Draw(t, "this lag")) * sec }
		a := answersOf(register(drawActs(t), lag, versions)...)
		if len(a.Wrong.Misses) > 0 {
			t.Fatalf("wrong answers of a cache that is only late: %+v", a.Wrong.Misses)
		}
		if a.Stale.Max > time.Duration(most)*sec {
			t.Fatalf("staleness = %v, want at most the lag of %ds", a.Stale.Max, most)
		}
	})
}

// TestStalenessAgainstItsDefinition compares with a slow oracle on histories with
// versions that are in no way right.
func TestStalenessAgainstItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hits := []results.Hit{seed("t1", 1)}
		for version := uint64(2); version < 8; version++ {
			sent := rapid.IntRange(0, 50).Draw(t, "sent")
			hits = append(hits, write(sent, sent+rapid.IntRange(0, 9).Draw(t, "took"), fmt.Sprintf("t%d", version), version))
		}
		for range 10 {
			v := rapid.IntRange(1, 7).Draw(t, "version")
			sent := rapid.IntRange(0, 80).Draw(t, "sent")
			hits = append(hits, read(sent, sent+1, fmt.Sprintf("t%d", v), uint64(v)))
		}
		var want time.Duration
		for _, r := range hits {
			if r.Op != results.OpRead {
				continue
			}
			earliest, found := time.Duration(0), false
			for _, w := range hits {
				if w.Op == results.OpWrite && w.Version > r.Version && w.Done <= r.Sent && (!found || w.Done < earliest) {
					earliest, found = w.Done, true
				}
			}
			if found {
				want = max(want, r.Sent-earliest)
			}
		}
		if got := answersOf(hits...).Stale.Max; got != want {
			t.Fatalf("staleness = %v, want %v", got, want)
		}
	})
}
