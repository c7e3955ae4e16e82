// Package linear searches the histories of a run for an order in which they could
// have happened one operation after the other.
//
// The one idea: a key is a register. Its history is linearizable when each operation
// can be given a moment between its start and its end so that every read returns what
// was written last (Herlihy and Wing, 1990, https://doi.org/10.1145/78969.78972).
// Porcupine does the search. It can take for ever, so it has a limit, and what the
// limit decided depends on the machine: it is stored with the run, and a judge reads
// it there. That is why this is no part of results/figures.
package linear

import (
	"math"
	"time"

	"brownout/results"
	"brownout/results/figures"

	"github.com/anishathalye/porcupine"
)

// Limit is how long the search of one run may take.
const Limit = 30 * time.Second

// Search looks at every key of hits that was both written to and read. What is not
// decided when limit has passed is undecided. The target must say which token it
// returns.
func Search(hits []results.Hit, limit time.Duration) results.Linearizability {
	found := results.Linearizability{Limit: limit}
	end := time.Now().Add(limit)
	for _, h := range figures.Histories(hits) {
		operations, judged := operationsOf(&h)
		if !judged {
			continue
		}
		found.Keys++
		// A timeout of 0 would be none.
		left := max(time.Until(end), time.Nanosecond)
		switch porcupine.CheckOperationsTimeout(register(), operations, left) {
		case porcupine.Illegal:
			found.Violated = append(found.Violated, results.FlagID{Environment: h.Environment, Key: h.Key})
		case porcupine.Unknown:
			found.Undecided = append(found.Undecided, results.FlagID{Environment: h.Environment, Key: h.Key})
		}
	}
	return found
}

// register is a value that is written and read. An operation's input is whether it
// writes, its output the token that was written or read.
func register() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return "" },
		Step: func(state, writes, token any) (bool, any) {
			if writes.(bool) {
				return true, token
			}
			return state == token, state
		},
	}
}

// operationsOf are the operations on a key. judged is false unless there are an
// acknowledged write of the load and a read that could contradict it.
func operationsOf(h *figures.History) (operations []porcupine.Operation, judged bool) {
	seen := map[string]bool{}
	for _, reads := range [][]*results.Hit{h.Reads, h.Readbacks} {
		for _, r := range reads {
			if r.Token == "" {
				continue // the answer does not say what it is
			}
			seen[r.Token] = true
			operations = append(operations, operation(r, false, r.Token, r.Done))
		}
	}
	for _, r := range h.Denied {
		operations = append(operations, operation(r, false, "", r.Done))
	}
	reads, written := len(operations), false
	for _, w := range h.Writes {
		switch {
		case w.OK():
			written = written || w.Op == results.OpWrite
			operations = append(operations, operation(w, true, w.Token, w.Done))
		case seen[w.Token]:
			// It has happened, at whatever time. One that nobody saw may be taken to
			// have happened after everything.
			operations = append(operations, operation(w, true, w.Token, math.MaxInt64))
		}
	}
	return operations, written && reads > 0
}

func operation(h *results.Hit, writes bool, token string, end time.Duration) porcupine.Operation {
	return porcupine.Operation{Input: writes, Output: token, Call: int64(h.Sent), Return: int64(end)}
}
