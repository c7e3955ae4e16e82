package run

import (
	"testing"
	"time"

	"brownout/results"
)

func TestMachineTimes(t *testing.T) {
	const stat = "cpu  100 20 300 4000 50 6 7 80 9 0\ncpu0 1 2 3 4 5 6 7 8 9 0\n"
	if busy, steal := machineTimes(stat); busy != 433*tick || steal != 80*tick {
		t.Errorf("machineTimes = %v busy, %v stolen, want 4.33s, 800ms", busy, steal)
	}
	for _, text := range []string{"", "cpu 1 2", "intr 1 2 3 4 5 6 7 8 9"} {
		if busy, steal := machineTimes(text); busy != 0 || steal != 0 {
			t.Errorf("machineTimes(%q) = %v, %v, want nothing", text, busy, steal)
		}
	}
}

func TestOwnTime(t *testing.T) {
	const stat = "4242 (brown) out) S 1 2 3 4 5 6 7 8 9 10 150 50 7 8 20 0"
	if got := ownTime(stat); got != 2*time.Second {
		t.Errorf("ownTime = %v, want 2s", got)
	}
	if got := ownTime(""); got != 0 {
		t.Errorf("ownTime of nothing = %v, want 0", got)
	}
}

func TestTheClocksAreLookedAt(t *testing.T) {
	r := &runner{base: time.Now()}
	samples := r.machineSamples()
	m := samples[0]
	if m.Process != results.ProcessMachine || m.At < 0 || m.Drift < -time.Second || m.Drift > time.Second {
		t.Errorf("sample of the machine = %+v, want one without a drift", m)
	}
	// As after a clock that was set an hour ahead: the run's base, on the wall, is late.
	r.base = r.base.Add(-time.Minute)
	if after := r.machineSamples()[0]; after.At-m.At < time.Minute || after.Drift > time.Second {
		t.Errorf("sample a minute later = %+v, want the time on both clocks", after)
	}
}
