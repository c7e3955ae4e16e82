package figures

import (
	"strings"
	"testing"
	"time"

	"brownout/results"
)

// A hand-made history reads as it happened: seed("k", "a", 1), write(1, 2, "b", 2), read(3, 4, "b", 2).
func seed(token string, version uint64) results.Hit {
	return results.Hit{Op: results.OpSeed, Environment: "e", Key: "k", Sent: -2 * sec, Done: -1 * sec, Token: token, Version: version}
}

func op(o results.Op, sent, done int, token string, version uint64) results.Hit {
	return results.Hit{
		Op: o, Environment: "e", Key: "k", Token: token, Version: version,
		Due: time.Duration(sent) * sec, Sent: time.Duration(sent) * sec, Done: time.Duration(done) * sec,
	}
}

func write(sent, done int, token string, version uint64) results.Hit {
	return op(results.OpWrite, sent, done, token, version)
}

// maybe is a write of unknown outcome.
func maybe(sent, done int, token string) results.Hit {
	h := write(sent, done, token, 0)
	h.Error = results.ErrorTimeout
	return h
}

func read(sent, done int, token string, version uint64) results.Hit {
	return op(results.OpRead, sent, done, token, version)
}

func readback(sent int, token string, version uint64) results.Hit {
	return op(results.OpReadback, sent, sent+1, token, version)
}

func of(key string, h results.Hit) results.Hit {
	h.Key = key
	return h
}

func gone(h results.Hit) results.Hit {
	h.Code = 404
	return failed(h)
}

func failed(h results.Hit) results.Hit {
	h.Error = results.ErrorStatus
	return h
}

func answersOf(hits ...results.Hit) Answers {
	tells := results.Tells{Token: true, Version: true, Writes: true}
	return AnswersOf(results.NewRecording(results.Manifest{Tells: tells}, hits, nil, nil))
}

func TestWrongAnswers(t *testing.T) {
	for _, row := range []struct {
		name string
		hits []results.Hit
		n    int
		why  string // empty: none is wrong
	}{
		{"the seed", []results.Hit{seed("a", 1), read(1, 2, "a", 1)}, 1, ""},
		{"an old value is stale, not wrong", []results.Hit{seed("a", 1), write(1, 2, "b", 2), read(3, 4, "a", 1)}, 1, ""},
		{"a write that was sent before the answer was done", []results.Hit{seed("a", 1), write(2, 9, "b", 2), read(1, 3, "b", 2)}, 1, ""},
		{"a write of unknown outcome may have happened", []results.Hit{seed("a", 1), maybe(1, 2, "b"), read(3, 4, "b", 2)}, 1, ""},
		{"or not", []results.Hit{seed("a", 1), maybe(1, 2, "b"), read(3, 4, "a", 1)}, 1, ""},
		{"a write that had not been sent", []results.Hit{seed("a", 1), write(5, 6, "b", 2), read(1, 3, "b", 2)}, 1, "before it was written"},
		{"a value that nobody wrote", []results.Hit{seed("a", 1), read(1, 2, "z", 1)}, 1, "nobody wrote"},
		{"another key's value", []results.Hit{seed("a", 1), of("other", seed("o", 1)), read(1, 2, "o", 1)}, 1, "written to key other"},
		{"another version than was acknowledged", []results.Hit{seed("a", 1), read(1, 2, "a", 2)}, 1, "acknowledged as 1"},
		{"no value, though there is one: a default that hides an error", []results.Hit{seed("a", 1), read(1, 2, "", 0)}, 1, "without a token"},
		{"no value of a key that was never written", []results.Hit{read(1, 2, "", 0)}, 0, ""},
		{"no value while the first write is under way", []results.Hit{write(1, 3, "a", 1), read(2, 4, "", 0)}, 0, ""},
		{"the unknown first value of a key that was not seeded", []results.Hit{write(3, 4, "b", 1), read(1, 2, "z", 0)}, 0, ""},
		{"another key's value, without a seed", []results.Hit{of("other", seed("o", 1)), read(1, 2, "o", 1)}, 1, "written to key other"},
		{"no such flag, though it was written: a default for the caller", []results.Hit{seed("a", 1), gone(read(1, 2, "", 0))}, 1, "answered 404"},
		{"no such flag, and it was never written", []results.Hit{gone(read(1, 2, "", 0))}, 0, ""},
		{"no such flag while the first write is under way", []results.Hit{write(1, 3, "a", 1), gone(read(2, 4, "", 0))}, 0, ""},
		{"no such flag at the readback", []results.Hit{seed("a", 1), gone(readback(9, "", 0))}, 1, "answered 404"},
		{"a write that is told so is no answer", []results.Hit{seed("a", 1), gone(write(1, 2, "b", 0))}, 0, ""},
		{"a failed read is no answer", []results.Hit{seed("a", 1), failed(read(1, 2, "z", 0))}, 0, ""},
		{"a readback is an answer", []results.Hit{seed("a", 1), readback(9, "z", 0)}, 1, "nobody wrote"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := answersOf(row.hits...).Wrong
			checkMiss(t, c, row.n, row.why)
		})
	}
}

func checkMiss(t *testing.T, c Check, n int, why string) {
	t.Helper()
	if c.N != n {
		t.Errorf("N = %d, want %d", c.N, n)
	}
	switch {
	case why == "" && len(c.Misses) > 0:
		t.Errorf("misses = %+v, want none", c.Misses)
	case why != "" && (len(c.Misses) == 0 || !strings.Contains(c.Misses[0].Why, why)):
		t.Errorf("misses = %+v, want one with %q", c.Misses, why)
	}
}

func TestATargetThatTellsNoTokensIsNeverWrong(t *testing.T) {
	a := AnswersOf(results.NewRecording(results.Manifest{}, []results.Hit{seed("a", 0), write(1, 2, "b", 0), read(3, 4, "", 0), gone(read(3, 4, "", 0)), readback(9, "", 0)}, nil, nil))
	if a.Wrong.N != 0 || a.Lost.N != 0 || len(a.Lost.Misses) != 0 || a.Stale.N != 0 {
		t.Errorf("AnswersOf = %+v, want nothing judged", a)
	}
}

func TestStaleness(t *testing.T) {
	for _, row := range []struct {
		name string
		hits []results.Hit
		n    int
		want time.Duration
	}{
		{"fresh", []results.Hit{seed("a", 1), write(1, 2, "b", 2), read(5, 6, "b", 2)}, 1, 0},
		{"from the acknowledgement to when the read was sent", []results.Hit{seed("a", 1), write(1, 2, "b", 2), read(5, 9, "a", 1)}, 1, 3 * sec},
		{"the first newer write counts, not the last", []results.Hit{seed("a", 1), write(1, 2, "b", 2), write(4, 5, "c", 3), read(6, 7, "a", 1)}, 1, 4 * sec},
		{"one version behind", []results.Hit{seed("a", 1), write(1, 2, "b", 2), write(4, 5, "c", 3), read(6, 7, "b", 2)}, 1, 1 * sec},
		{"a write that was not yet acknowledged does not count", []results.Hit{seed("a", 1), write(1, 5, "b", 2), read(4, 6, "a", 1)}, 0, 0},
		{"acknowledged at the moment of sending is not before", []results.Hit{seed("a", 1), write(1, 4, "b", 2), read(4, 6, "a", 1)}, 0, 0},
		{"a write of unknown outcome makes nothing stale", []results.Hit{seed("a", 1), maybe(1, 2, "b"), read(4, 6, "a", 1)}, 0, 0},
		{"without versions order decides", []results.Hit{seed("a", 0), write(1, 2, "b", 0), read(5, 6, "a", 0)}, 1, 3 * sec},
		{"without versions writes that overlap are not ordered", []results.Hit{seed("a", 0), write(1, 4, "b", 0), write(2, 3, "c", 0), read(5, 6, "b", 0)}, 1, 0},
		{"with versions they are", []results.Hit{seed("a", 1), write(1, 4, "b", 2), write(2, 3, "c", 3), read(5, 6, "b", 2)}, 1, 2 * sec},
		{"a write of unknown outcome may come late, after an acknowledged one", []results.Hit{seed("a", 0), maybe(1, 2, "b"), write(3, 4, "c", 0), read(5, 6, "b", 0)}, 1, 0},
		{"unless versions tell", []results.Hit{seed("a", 1), maybe(1, 2, "b"), write(3, 4, "c", 3), read(6, 7, "b", 2)}, 1, 2 * sec},
		{"the version of the answer is enough", []results.Hit{seed("", 1), write(1, 2, "", 2), read(5, 6, "", 1)}, 1, 3 * sec},
		{"a seed alone makes nothing stale", []results.Hit{seed("a", 1), read(5, 6, "a", 1)}, 0, 0},
		{"a read of something unknown has no age", []results.Hit{seed("a", 1), write(1, 2, "b", 2), read(5, 6, "z", 0)}, 0, 0},
		{"other keys do not matter", []results.Hit{seed("a", 1), of("other", write(1, 2, "b", 2)), read(5, 6, "a", 1)}, 0, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := answersOf(row.hits...).Stale
			if s.N != row.n || s.Max != row.want {
				t.Errorf("staleness = %v of %d reads, want %v of %d", s.Max, s.N, row.want, row.n)
			}
			if stale := s.Stale > 0; stale != (row.want > 0) {
				t.Errorf("stale reads = %d with a staleness of %v", s.Stale, s.Max)
			}
		})
	}
}

func TestLostWrites(t *testing.T) {
	for _, row := range []struct {
		name string
		hits []results.Hit
		n    int
		lost string // tokens
	}{
		{"the last write is there", []results.Hit{seed("a", 1), write(1, 2, "b", 2), readback(9, "b", 2)}, 1, ""},
		{"an acknowledged write is gone", []results.Hit{seed("a", 1), write(1, 2, "b", 2), readback(9, "a", 1)}, 1, "b"},
		{"two are gone", []results.Hit{seed("a", 1), write(1, 2, "b", 2), write(3, 4, "c", 3), readback(9, "a", 1)}, 1, "b c"},
		{"without versions too", []results.Hit{seed("a", 0), write(1, 2, "b", 0), write(3, 4, "c", 0), readback(9, "b", 0)}, 1, "c"},
		{"of overlapping writes either may be last", []results.Hit{seed("a", 0), write(1, 4, "b", 0), write(2, 3, "c", 0), readback(9, "b", 0)}, 1, ""},
		{"versions say which was", []results.Hit{seed("a", 1), write(1, 4, "b", 2), write(2, 3, "c", 3), readback(9, "b", 2)}, 1, "c"},
		{"a write of unknown outcome is not lost", []results.Hit{seed("a", 1), write(1, 2, "b", 2), maybe(3, 4, "c"), readback(9, "b", 2)}, 1, ""},
		{"and may have come after all others", []results.Hit{seed("a", 0), maybe(1, 2, "c"), write(3, 4, "b", 0), readback(9, "c", 0)}, 1, ""},
		{"a readback of nothing known loses the last", []results.Hit{seed("a", 1), write(1, 2, "b", 2), readback(9, "", 0)}, 1, "b"},
		{"a failed readback tells nothing", []results.Hit{seed("a", 1), write(1, 2, "b", 2), failed(readback(9, "a", 1))}, 0, ""},
		{"a flag that the target does not have is lost", []results.Hit{seed("a", 1), write(1, 2, "b", 2), gone(readback(9, "", 0))}, 1, "b"},
		{"a readback that came late counts, not the failed ones", []results.Hit{seed("a", 1), write(1, 2, "b", 2), gone(readback(8, "", 0)), readback(9, "b", 2)}, 1, ""},
		{"the last readback counts", []results.Hit{seed("a", 1), write(1, 2, "b", 2), readback(7, "a", 1), readback(9, "b", 2)}, 1, ""},
		{"a seed alone is no acknowledged write of the load", []results.Hit{seed("a", 1), readback(9, "a", 1)}, 0, ""},
		{"but it can be lost", []results.Hit{seed("a", 1), readback(9, "", 0)}, 0, "a"},
		{"no readback", []results.Hit{seed("a", 1), write(1, 2, "b", 2)}, 0, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := answersOf(row.hits...).Lost
			var tokens []string
			for _, m := range c.Misses {
				tokens = append(tokens, m.Hit.Token)
			}
			if got := strings.Join(tokens, " "); got != row.lost || c.N != row.n {
				t.Errorf("lost = %q of %d keys, want %q of %d", got, c.N, row.lost, row.n)
			}
		})
	}
}

func TestAKeyThatCannotBeReadBackIsOpen(t *testing.T) {
	hits := []results.Hit{
		seed("a", 1), write(1, 2, "b", 2), readback(9, "b", 2),
		of("other", seed("c", 1)), of("other", write(1, 2, "d", 2)), of("other", failed(readback(9, "", 0))),
		of("third", seed("e", 1)), of("third", failed(readback(9, "", 0))), // the load never wrote to it
	}
	if c := answersOf(hits...).Lost; c.N != 1 || c.Open != 1 || len(c.Misses) != 0 {
		t.Errorf("lost = %+v, want one key judged, one open, none lost", c)
	}
}

func by(instance int, h results.Hit) results.Hit {
	h.Instance = instance
	return h
}

func TestVersionRegressions(t *testing.T) {
	for _, row := range []struct {
		name string
		hits []results.Hit
		n    int
		why  string
	}{
		{"forward", []results.Hit{read(1, 2, "a", 1), read(3, 4, "b", 2)}, 1, ""},
		{"backward", []results.Hit{read(1, 2, "b", 2), read(3, 4, "a", 1)}, 1, "version 1 after version 2"},
		{"reads that overlap are not ordered", []results.Hit{read(1, 4, "b", 2), read(3, 5, "a", 1)}, 0, ""},
		{"done at the moment of sending is not before", []results.Hit{read(1, 3, "b", 2), read(3, 5, "a", 1)}, 0, ""},
		{"the greatest counts, not the last", []results.Hit{read(1, 2, "c", 3), read(3, 4, "a", 1), read(5, 6, "b", 2)}, 2, "version 1 after version 3"},
		{"a late old answer does not hide the greatest", []results.Hit{read(1, 2, "c", 3), read(1, 4, "a", 1), read(5, 6, "b", 2)}, 1, "version 2 after version 3"},
		{"an answer without a version says nothing", []results.Hit{read(1, 2, "b", 2), read(3, 4, "a", 0)}, 0, ""},
		{"other keys do not matter", []results.Hit{read(1, 2, "b", 2), of("other", read(3, 4, "a", 1))}, 0, ""},
		{"another instance need not know yet", []results.Hit{read(1, 2, "b", 2), by(1, read(3, 4, "a", 1))}, 0, ""},
		{"each instance by itself", []results.Hit{by(7, read(1, 2, "b", 2)), read(1, 2, "c", 3), by(7, read(3, 4, "a", 1))}, 1, "version 1 after version 2"},
		{"a readback can go back", []results.Hit{read(1, 2, "b", 2), readback(9, "a", 1)}, 1, "version 1 after version 2"},
	} {
		t.Run(row.name, func(t *testing.T) {
			checkMiss(t, answersOf(row.hits...).Regressions, row.n, row.why)
		})
	}
}

func TestUnknownOutcomesAreCounted(t *testing.T) {
	if got := answersOf(seed("a", 1), maybe(1, 2, "b"), write(3, 4, "c", 2)).Unknown; got != 1 {
		t.Errorf("Unknown = %d, want 1", got)
	}
}
