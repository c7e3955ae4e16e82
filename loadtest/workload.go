package loadtest

import (
	"fmt"
	"math/rand/v2"

	"brownout/results"
)

// Keys says how hits spread over the flags of an environment.
type Keys string

// The ways to spread.
const (
	KeysZipf    Keys = "zipf"    // flag-0001 is the hottest; see Workload.Exponent
	KeysUniform Keys = "uniform" // every flag alike
)

// DefaultExponent is the Zipf exponent of a Workload that names none: the hottest
// of 50 flags then gets about a quarter of the hits.
const DefaultExponent = 1.1

// A Workload says what each hit asks. It is a pure function of its fields: the
// same seed and number give the same operation in every run and on every machine.
type Workload struct {
	Seed         uint64
	Environments int     // required, 1 or more: env-1, env-2, …; all alike
	Flags        int     // required, 1 or more: flags per environment: flag-0001, …
	Reads        float64 // share of reads, from 0 to 1; all others are writes
	Keys         Keys    // default: KeysZipf
	Exponent     float64 // of KeysZipf, more than 1; default: DefaultExponent
}

// An Operation is what one hit asks.
type Operation struct {
	Seq         uint64
	Op          results.Op
	Environment string
	Key         string
	Token       string // what a write writes; empty for a read
}

// A Flag is one flag of one environment.
type Flag struct {
	Environment, Key string
}

// maxFlags bounds environments times flags: all of them are written before the load.
const maxFlags = 1_000_000

// Validate returns what is wrong with the workload.
func (w Workload) Validate() error {
	switch {
	case w.Environments < 1 || w.Flags < 1:
		return fmt.Errorf("%d environments of %d flags; write 1 or more of each", w.Environments, w.Flags)
	case w.Environments > maxFlags/w.Flags:
		return fmt.Errorf("%d environments of %d flags; %d flags in all are the most", w.Environments, w.Flags, maxFlags)
	case !(w.Reads >= 0 && w.Reads <= 1):
		return fmt.Errorf("share of reads %v; write a number from 0 to 1", w.Reads)
	case w.Keys != "" && w.Keys != KeysZipf && w.Keys != KeysUniform:
		return fmt.Errorf("keys %q; write %s or %s", w.Keys, KeysZipf, KeysUniform)
	case w.Exponent != 0 && !(w.Exponent > 1 && w.Exponent <= 10):
		return fmt.Errorf("zipf exponent %v; write a number above 1, at most 10", w.Exponent)
	}
	return nil
}

// At returns the operation of hit seq. The workload must be valid.
func (w Workload) At(seq uint64) Operation {
	// One generator per hit, started from seed and number: nothing to share between
	// goroutines, and hit n can be had without the n before it.
	rng := rand.New(rand.NewPCG(w.Seed, seq))
	op := Operation{Seq: seq, Op: results.OpRead}
	write := rng.Float64() >= w.Reads
	op.Environment = environment(rng.IntN(w.Environments))
	op.Key = key(w.flag(rng))
	if write {
		op.Op, op.Token = results.OpWrite, Token(op.Environment, op.Key, seq)
	}
	return op
}

// flag draws the number of a flag, from 0.
func (w Workload) flag(rng *rand.Rand) int {
	if w.Keys == KeysUniform || w.Flags == 1 {
		return rng.IntN(w.Flags)
	}
	exponent := w.Exponent
	if exponent == 0 {
		exponent = DefaultExponent
	}
	return int(rand.NewZipf(rng, exponent, 1, uint64(w.Flags-1)).Uint64())
}

// Seeds returns one write for every flag, with its seed token: what to fill the
// target with before the load. Seq counts them from 0.
func (w Workload) Seeds() []Operation {
	seeds := make([]Operation, 0, w.Environments*w.Flags)
	for e := range w.Environments {
		for f := range w.Flags {
			env, key := environment(e), key(f)
			seeds = append(seeds, Operation{
				Seq: uint64(len(seeds)), Op: results.OpSeed, Environment: env, Key: key, Token: SeedToken(env, key),
			})
		}
	}
	return seeds
}

func environment(n int) string { return fmt.Sprintf("env-%d", n+1) }
func key(n int) string         { return fmt.Sprintf("flag-%04d", n+1) }
