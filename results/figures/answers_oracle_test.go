package figures

import (
	"fmt"
	"testing"

	"brownout/results"

	"pgregory.net/rapid"
)

// TestLostAndWrongAgainstTheirDefinition lets a key be written one write after the other,
// and answers with anything. The oracle asks of each answer and each write by itself.
func TestLostAndWrongAgainstTheirDefinition(t *testing.T) {
	tells := results.Tells{Token: true, Version: true}
	rapid.Check(t, func(t *rapid.T) {
		// Write i is sent at 10i+10, done at 10i+15 and makes version i+2, if it happened.
		writes := []results.Hit{seed("seed", 1)}
		for i := range rapid.IntRange(1, 6).Draw(t, "writes") {
			w := write(10*i+10, 10*i+15, fmt.Sprintf("t%d", i), uint64(i+2))
			if rapid.IntRange(0, 3).Draw(t, "unknown outcome") == 0 {
				w.Error, w.Version = results.ErrorTimeout, 0
			}
			writes = append(writes, w)
		}
		answer := func(h results.Hit) results.Hit {
			which := rapid.IntRange(-2, len(writes)-1).Draw(t, "answers write")
			switch which {
			case -2: // nothing at all
			case -1:
				h.Token, h.Version = "nobody's", 1
			default:
				h.Token, h.Version = writes[which].Token, uint64(which+1)
				if rapid.IntRange(0, 5).Draw(t, "another version") == 0 {
					h.Version += 100
				}
			}
			return h
		}
		hits := append([]results.Hit{}, writes...)
		wrong := 0
		ask := func(h results.Hit) {
			if h = answer(h); badAnswer(h, writes) {
				wrong++
			}
			hits = append(hits, h)
		}
		for range rapid.IntRange(0, 6).Draw(t, "reads") {
			sent := rapid.IntRange(0, 80).Draw(t, "sent")
			ask(read(sent, sent+rapid.IntRange(0, 9).Draw(t, "took"), "", 0))
		}
		ask(readback(1000, "", 0))
		a := AnswersOf(results.NewRecording(results.Manifest{Tells: tells}, hits, nil, nil))
		if len(a.Wrong.Misses) != wrong {
			t.Errorf("%d wrong answers of %+v, want %d: %+v", len(a.Wrong.Misses), hits, wrong, a.Wrong.Misses)
		}
		if lost := lostBy(hits[len(hits)-1], writes); len(a.Lost.Misses) != lost {
			t.Errorf("%d lost writes of %+v, want %d: %+v", len(a.Lost.Misses), hits, lost, a.Lost.Misses)
		}
	})
}

// badAnswer: no write that was sent when the answer was done or before had this token, or it was
// acknowledged with another version; or there is no token, although a write was
// acknowledged before the question.
func badAnswer(h results.Hit, writes []results.Hit) bool {
	for _, w := range writes {
		if h.Token == "" && w.OK() && w.Done < h.Sent {
			return true
		}
		if h.Token == w.Token {
			return w.Sent > h.Done || w.OK() && w.Version != h.Version
		}
	}
	return h.Token != ""
}

// lostBy counts the acknowledged writes that are newer than what the readback returned.
// When that is nothing known, only the last of them is known to be lost.
func lostBy(back results.Hit, writes []results.Hit) int {
	acknowledged, newer := 0, 0
	for _, w := range writes {
		if !w.OK() {
			continue
		}
		acknowledged++
		if w.Version > back.Version {
			newer++
		}
	}
	if acknowledged > 0 && back.Token == "" && back.Version == 0 {
		return 1
	}
	return newer
}
