package loadtest

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"brownout/results"

	"pgregory.net/rapid"
)

var usual = Workload{Seed: 7, Environments: 3, Flags: 50, Reads: 0.98}

func TestAtIsAFunctionOfSeedAndNumber(t *testing.T) {
	w := usual
	backwards := map[uint64]Operation{}
	for seq := 999; seq >= 0; seq-- {
		backwards[uint64(seq)] = w.At(uint64(seq))
	}
	same := usual
	for seq := range uint64(1000) {
		if got := same.At(seq); got != backwards[seq] {
			t.Fatalf("At(%d) = %+v, and %+v when asked in another order", seq, got, backwards[seq])
		}
	}
}

// TestAtStaysAsItIs holds that a stored seed gives the same run with a new binary.
func TestAtStaysAsItIs(t *testing.T) {
	var got []string
	for seq := range uint64(6) {
		op := usual.At(seq)
		got = append(got, fmt.Sprintf("%s %s/%s %s", op.Op, op.Environment, op.Key, op.Token))
	}
	if want := golden; strings.Join(got, "\n") != want {
		t.Errorf("the first operations of seed 7 are\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

func TestSeedsDiffer(t *testing.T) {
	other, same := usual, 0
	other.Seed++
	for seq := range uint64(1000) {
		if usual.At(seq) == other.At(seq) {
			same++
		}
	}
	if same > 200 { // two draws agree in about 1 of 30
		t.Errorf("%d of 1000 operations of two seeds are the same, want few", same)
	}
}

// within reports whether a count of n trials is within five standard deviations of
// its mean. The draws are fixed by the seed: this passes or fails for ever.
func within(count, n int, p float64) bool {
	return math.Abs(float64(count)-float64(n)*p) <= 5*math.Sqrt(float64(n)*p*(1-p))
}

func TestMixOfReadsAndWrites(t *testing.T) {
	const n = 50_000
	for _, reads := range []float64{0, 0.5, 0.98, 0.999, 1} {
		w, count := usual, 0
		w.Reads = reads
		for seq := range uint64(n) {
			op := w.At(seq)
			if op.Op == results.OpRead {
				count++
			}
			if wantToken := op.Op == results.OpWrite; (op.Token != "") != wantToken {
				t.Fatalf("At(%d) = %+v, want a token exactly in a write", seq, op)
			}
		}
		if !within(count, n, reads) {
			t.Errorf("%d of %d operations are reads, want a share of %v", count, n, reads)
		}
	}
}

func TestKeysAreSpreadAsAsked(t *testing.T) {
	const n = 50_000
	for _, row := range []struct {
		name   string
		keys   Keys
		exp    float64 // what the counts must follow
		setExp float64
	}{
		{"zipf with its default exponent", "", 1.1, 0},
		{"zipf with another one", KeysZipf, 2, 2},
		{"uniform", KeysUniform, 0, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := usual
			w.Keys, w.Exponent = row.keys, row.setExp
			counts, envs := map[string]int{}, map[string]int{}
			for seq := range uint64(n) {
				op := w.At(seq)
				counts[op.Key]++
				envs[op.Environment]++
			}
			var sum float64
			for k := 1; k <= w.Flags; k++ {
				sum += math.Pow(float64(k), -row.exp)
			}
			for k := 1; k <= w.Flags; k++ {
				name, p := fmt.Sprintf("flag-%04d", k), math.Pow(float64(k), -row.exp)/sum
				if !within(counts[name], n, p) {
					t.Errorf("%s has %d of %d hits, want a share of %.5f", name, counts[name], n, p)
				}
			}
			for e := 1; e <= w.Environments; e++ {
				if name := fmt.Sprintf("env-%d", e); !within(envs[name], n, 1.0/3) {
					t.Errorf("%s has %d of %d hits, want a third", name, envs[name], n)
				}
			}
			if len(counts) != w.Flags || len(envs) != w.Environments {
				t.Errorf("%d flags and %d environments, want %d and %d", len(counts), len(envs), w.Flags, w.Environments)
			}
		})
	}
}

// TestNeighboursAreIndependent looks for what a bad generator shows when it is
// started anew from n, n+1, n+2: the same thing twice in a row too often.
func TestNeighboursAreIndependent(t *testing.T) {
	const n = 50_000
	w := Workload{Seed: 1, Environments: 10, Flags: 10, Reads: 0.5, Keys: KeysUniform}
	for _, step := range []uint64{1, 2, 64, 1 << 32} {
		envs, keys, ops := 0, 0, 0
		for seq := range uint64(n) {
			a, b := w.At(seq), w.At(seq+step)
			if a.Environment == b.Environment {
				envs++
			}
			if a.Key == b.Key {
				keys++
			}
			if a.Op == b.Op {
				ops++
			}
		}
		if !within(envs, n, 0.1) || !within(keys, n, 0.1) || !within(ops, n, 0.5) {
			t.Errorf("step %d: %d environments, %d keys, %d kinds of %d repeat, want 0.1, 0.1 and 0.5", step, envs, keys, ops, n)
		}
	}
}

func TestSeedsCoverEveryFlagOnce(t *testing.T) {
	w := Workload{Environments: 2, Flags: 3}
	seen := map[string]bool{}
	for i, op := range w.Seeds() {
		if op.Seq != uint64(i) || op.Op != results.OpSeed || op.Token != SeedToken(op.Environment, op.Key) {
			t.Errorf("Seeds()[%d] = %+v, want its number, kind and seed token", i, op)
		}
		seen[op.Token] = true
	}
	if len(seen) != 6 || !seen["env-2/flag-0003#seed"] {
		t.Errorf("Seeds() cover %v, want 2 × 3 flags", seen)
	}
}

func TestWorkloadValidate(t *testing.T) {
	for _, row := range []struct {
		name string
		edit func(*Workload)
		want string // "": it is valid
	}{
		{"the usual one", func(*Workload) {}, ""},
		{"no environment", func(w *Workload) { w.Environments = 0 }, "1 or more"},
		{"no flag", func(w *Workload) { w.Flags = 0 }, "1 or more"},
		{"more flags than can be filled in", func(w *Workload) { w.Flags = math.MaxInt }, "are the most"},
		{"a share above 1", func(w *Workload) { w.Reads = 98 }, "share of reads 98"},
		{"a share that is no number", func(w *Workload) { w.Reads = math.NaN() }, "share of reads NaN"},
		{"an unknown spread", func(w *Workload) { w.Keys = "pareto" }, `"pareto"; write zipf or uniform`},
		{"an exponent that zipf does not have", func(w *Workload) { w.Exponent = 1 }, "above 1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := usual
			row.edit(&w)
			err := w.Validate()
			if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
				t.Errorf("Validate() = %v, want %q", err, row.want)
			}
		})
	}
}

func TestTokensCanBeReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		env := rapid.StringMatching(`[^/]+`).Draw(t, "env")
		key := rapid.StringN(1, 20, -1).Draw(t, "key")
		seq := rapid.Uint64().Draw(t, "seq")
		if got, err := ParseToken(Token(env, key, seq)); err != nil || got != (Origin{Flag{env, key}, seq, false}) {
			t.Fatalf("ParseToken(%q) = %+v, %v", Token(env, key, seq), got, err)
		}
		if got, err := ParseToken(SeedToken(env, key)); err != nil || got != (Origin{Flag{env, key}, 0, true}) {
			t.Fatalf("ParseToken(%q) = %+v, %v", SeedToken(env, key), got, err)
		}
	})
}

func FuzzParseToken(f *testing.F) {
	for _, s := range []string{"env-1/flag-0001#42", "env-1/flag-0001#seed", "", "#", "a/b", "a/b#", "a/b#+1", "a/b#01", "/b#1", "a/#1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, err := ParseToken(s)
		if err != nil {
			return
		}
		again := Token(o.Environment, o.Key, o.Seq)
		if o.Seed {
			again = SeedToken(o.Environment, o.Key)
		}
		if again != s {
			t.Errorf("ParseToken(%q) = %+v, which is written %q", s, o, again)
		}
	})
}

const golden = `write env-1/flag-0044 env-1/flag-0044#0
read env-3/flag-0001 
read env-3/flag-0001 
read env-3/flag-0009 
read env-1/flag-0012 
read env-2/flag-0001 `
