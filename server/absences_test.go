package server

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// Names that callers make up take no more than a bounded memory, and leave it again.
func TestAbsencesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a absences
		for i := range mostAbsences + 100 {
			a.add(fmt.Sprint("made-up-", i), time.Second)
		}
		if len(a.until) != mostAbsences {
			t.Errorf("%d names are remembered, want %d", len(a.until), mostAbsences)
		}
		if !a.has("made-up-0") || a.has("made-up-10050") {
			t.Error("has(the first) = false or has(one too many) = true, want those that were there first")
		}
		time.Sleep(time.Second + 1)
		if a.has("made-up-0") {
			t.Error("has() = true after its time")
		}
		a.add("new", time.Second)
		a.add("newer", time.Second) // there is no room: what is over makes it
		if len(a.until) != 2 {
			t.Errorf("%d names are remembered when the time of all but two is over, want 2", len(a.until))
		}
	})
}
