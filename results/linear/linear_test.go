package linear

import (
	"testing"
	"time"

	"brownout/results"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const ms = time.Millisecond

func hit(op results.Op, from, to time.Duration, token string) results.Hit {
	return results.Hit{Op: op, Environment: "e", Key: "k", Sent: from, Done: to, Token: token}
}

func write(from, to time.Duration, token string) results.Hit {
	return hit(results.OpWrite, from, to, token)
}

func read(from, to time.Duration, token string) results.Hit {
	return hit(results.OpRead, from, to, token)
}

// lost is a write whose answer was lost.
func lost(from, to time.Duration, token string) results.Hit {
	h := write(from, to, token)
	h.Error = results.ErrorTimeout
	return h
}

func denied(from, to time.Duration) results.Hit {
	h := read(from, to, "")
	h.Code, h.Error = 404, results.ErrorStatus
	return h
}

func TestSearch(t *testing.T) {
	seed := hit(results.OpSeed, 0, ms, "seed")
	none := results.Linearizability{Limit: Limit}
	one := results.Linearizability{Limit: Limit, Keys: 1}
	bad := results.Linearizability{Limit: Limit, Keys: 1, Violated: []results.FlagID{{Environment: "e", Key: "k"}}}
	for _, row := range []struct {
		name string
		hits []results.Hit
		want results.Linearizability
	}{
		{"a read sees what was written", []results.Hit{seed, write(2*ms, 3*ms, "a"), read(4*ms, 5*ms, "a")}, one},
		{"a read sees what was there before", []results.Hit{seed, write(2*ms, 3*ms, "a"), read(4*ms, 5*ms, "seed")}, bad},
		{"it may while the write goes on", []results.Hit{seed, write(2*ms, 6*ms, "a"), read(4*ms, 5*ms, "seed")}, one},
		{"not after another read has seen the write", []results.Hit{seed, write(2*ms, 9*ms, "a"), read(3*ms, 4*ms, "a"), read(5*ms, 6*ms, "seed")}, bad},
		{"a write whose answer was lost may come late", []results.Hit{seed, write(ms, 2*ms, "a"), lost(2*ms, 3*ms, "b"), read(4*ms, 5*ms, "a"), read(6*ms, 7*ms, "b")}, one},
		{"but it comes once", []results.Hit{seed, write(ms, 2*ms, "a"), lost(3*ms, 4*ms, "b"), read(5*ms, 6*ms, "b"), read(7*ms, 8*ms, "a")}, bad},
		{"and not before it was sent", []results.Hit{seed, write(ms, 2*ms, "a"), read(3*ms, 4*ms, "b"), lost(5*ms, 6*ms, "b")}, bad},
		{"what was written does not vanish", []results.Hit{seed, write(2*ms, 3*ms, "a"), denied(4*ms, 5*ms)}, bad},
		{"a readback is a read", []results.Hit{seed, write(2*ms, 3*ms, "a"), hit(results.OpReadback, 4*ms, 5*ms, "seed")}, bad},
		{"a failed read says nothing", []results.Hit{seed, write(2*ms, 3*ms, "a"), read(3*ms, 4*ms, "a"), {Op: results.OpRead, Environment: "e", Key: "k", Sent: 5 * ms, Done: 6 * ms, Code: 503, Error: results.ErrorStatus}}, one},
		{"a key that was only read", []results.Hit{seed, read(2*ms, 3*ms, "seed")}, none},
		{"a key that was only written", []results.Hit{seed, write(2*ms, 3*ms, "a")}, none},
		{"nothing", nil, none},
	} {
		t.Run(row.name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, Search(row.hits, Limit)); diff != "" {
				t.Errorf("Search: (-want +got)\n%s", diff)
			}
		})
	}
}

// Each key is a register of its own.
func TestKeysAreSearchedOneByOne(t *testing.T) {
	other := []results.Hit{write(0, ms, "x"), read(2*ms, 3*ms, "x")}
	for i := range other {
		other[i].Key = "other"
	}
	got := Search(append(other, write(0, ms, "a"), write(2*ms, 3*ms, "b"), read(4*ms, 5*ms, "a")), Limit)
	if got.Keys != 2 || len(got.Violated) != 1 || got.Violated[0].Key != "k" {
		t.Errorf("Search = %+v, want k of 2 keys to be violated", got)
	}
}

// TestALimitLeavesKeysUndecided: with many overlapping operations a search needs more
// than a nanosecond.
func TestALimitLeavesKeysUndecided(t *testing.T) {
	var hits []results.Hit
	for i := range 300 {
		at := time.Duration(i)
		hits = append(hits, write(at, at+time.Second, string(rune('a'+i))), read(at, at+time.Second, string(rune('a'+(i*7)%300))))
	}
	got := Search(hits, 1)
	if got.Keys != 1 || len(got.Undecided) != 1 {
		t.Errorf("Search within 1 ns = %+v, want 1 key undecided", got)
	}
}

// linearizable tries every order: it is the definition.
func linearizable(done []bool, hits []results.Hit, value string) bool {
	all := true
	for i, h := range hits {
		if done[i] {
			continue
		}
		unknown := h.Op == results.OpWrite && !h.OK()
		all = all && unknown // one that was never done is left out
		if !first(done, hits, h) || h.Op == results.OpRead && h.Token != value {
			continue
		}
		next := value
		if h.Op == results.OpWrite {
			next = h.Token
		}
		done[i] = true
		found := linearizable(done, hits, next)
		done[i] = false
		if found {
			return true
		}
	}
	return all
}

// first reports whether h may come before everything that is not done: nothing of it
// ended before h began.
func first(done []bool, hits []results.Hit, h results.Hit) bool {
	for i, other := range hits {
		ended := other.OK() && other.Done < h.Sent
		if !done[i] && ended {
			return false
		}
	}
	return true
}

func TestTheSearchAgreesWithTheDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hits := []results.Hit{write(0, ms, "0")}
		tokens := []string{"0"}
		for i := range rapid.IntRange(1, 7).Draw(t, "operations") {
			from := ms + time.Duration(rapid.IntRange(0, 12).Draw(t, "from"))*ms
			to := from + time.Duration(rapid.IntRange(0, 6).Draw(t, "length"))*ms
			token := string(rune('1' + i))
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				hits, tokens = append(hits, write(from, to, token)), append(tokens, token)
			case 1:
				hits, tokens = append(hits, lost(from, to, token)), append(tokens, token)
			default:
				hits = append(hits, read(from, to, rapid.SampledFrom(tokens).Draw(t, "token")))
			}
		}
		got := Search(hits, Limit)
		if got.Keys == 0 {
			return // nobody read it
		}
		if want := linearizable(make([]bool, len(hits)), hits, ""); want != (len(got.Violated) == 0) {
			t.Errorf("Search(%+v) = %+v, want linearizable: %v", hits, got, want)
		}
	})
}
