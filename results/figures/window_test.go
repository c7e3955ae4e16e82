package figures

import (
	"testing"
	"time"

	"brownout/results"

	"github.com/google/go-cmp/cmp"
)

const (
	ms  = time.Millisecond
	sec = time.Second
)

func phaseAt(at time.Duration, name string) results.Event {
	return results.Event{At: at, Kind: results.EventPhase, On: name}
}

func endAt(at time.Duration) results.Event { return results.Event{At: at, Kind: results.EventEnd} }

func reverted(fault string, start, end time.Duration) results.Event {
	in := results.Injection{Kind: "blackhole", On: "cache", Fault: fault, Start: start, End: end}
	return results.Event{At: end, Kind: results.EventRevert, On: "cache", Injection: &in}
}

func passed(fault string, start, end time.Duration) results.Event {
	e := reverted(fault, start, end)
	e.Injection.Passes = true
	return e
}

func phases(ps ...results.Phase) results.Manifest { return results.Manifest{Phases: ps} }

func calm(name string) results.Phase { return results.Phase{Name: name} }

func hurt(name string, faults ...string) results.Phase {
	return results.Phase{Name: name, Faults: faults}
}

func TestCut(t *testing.T) {
	type span struct {
		Name       string
		Start, End time.Duration
	}
	plain := phases(calm("steady"), hurt("outage", "blackhole"), calm("recovery"))
	began := []results.Event{phaseAt(0, "steady"), phaseAt(5*sec, "outage"), phaseAt(10*sec, "recovery"), endAt(15 * sec)}
	for _, row := range []struct {
		name     string
		manifest results.Manifest
		events   []results.Event
		want     []span
	}{
		{
			"without injections the phase events cut", plain, began,
			[]span{{"steady", 0, 5 * sec}, {"outage", 5 * sec, 10 * sec}, {"recovery", 10 * sec, 15 * sec}},
		},
		{
			"what is due before the fault was in force belongs to the phase before, what is due until it was gone to the fault",
			plain, append(began[:3:3], reverted("blackhole", 5200*ms, 10300*ms), endAt(15*sec)),
			[]span{{"steady", 0, 5200 * ms}, {"outage", 5200 * ms, 10300 * ms}, {"recovery", 10300 * ms, 15 * sec}},
		},
		{
			"a fault that ended early ends its phase early",
			plain, append(began[:3:3], reverted("blackhole", 5*sec, 8*sec), endAt(15*sec)),
			[]span{{"steady", 0, 5 * sec}, {"outage", 5 * sec, 8 * sec}, {"recovery", 8 * sec, 15 * sec}},
		},
		{
			"a phase with two faults is where both were in force, and the rest belongs to nobody",
			phases(calm("steady"), hurt("outage", "blackhole", "latency"), calm("recovery")),
			append(began[:3:3], reverted("blackhole", 5100*ms, 10100*ms), reverted("latency", 5400*ms, 10500*ms), endAt(15*sec)),
			[]span{{"steady", 0, 5100 * ms}, {"outage", 5400 * ms, 10100 * ms}, {"recovery", 10500 * ms, 15 * sec}},
		},
		{
			"the time between the faults of two phases belongs to nobody",
			phases(hurt("a", "blackhole"), hurt("b", "latency")),
			[]results.Event{
				phaseAt(0, "a"), phaseAt(5*sec, "b"), reverted("blackhole", 10*ms, 5010*ms),
				reverted("latency", 5100*ms, 10100*ms), endAt(10 * sec),
			},
			[]span{{"a", 10 * ms, 5010 * ms}, {"b", 5100 * ms, 10100 * ms}},
		},
		{
			"an injection that failed cuts nothing",
			plain, append(began[:3:3], reverted("blackhole", 6*sec, 6*sec), endAt(15*sec)),
			[]span{{"steady", 0, 5 * sec}, {"outage", 5 * sec, 10 * sec}, {"recovery", 10 * sec, 15 * sec}},
		},
		{
			"a fault that passes by itself begins its phase and does not end it",
			plain, append(began[:2:2], passed("blackhole", 5200*ms, 5300*ms), began[2], began[3]),
			[]span{{"steady", 0, 5200 * ms}, {"outage", 5200 * ms, 10 * sec}, {"recovery", 10 * sec, 15 * sec}},
		},
		{
			"a fault of no length that passed cuts too",
			plain, append(began[:2:2], passed("blackhole", 5200*ms, 5200*ms), began[2], began[3]),
			[]span{{"steady", 0, 5200 * ms}, {"outage", 5200 * ms, 10 * sec}, {"recovery", 10 * sec, 15 * sec}},
		},
		{
			"beside one that passes another ends the phase",
			phases(calm("steady"), hurt("outage", "flush", "latency"), calm("recovery")),
			append(began[:2:2], passed("flush", 5100*ms, 5100*ms), reverted("latency", 5200*ms, 9900*ms), began[2], began[3]),
			[]span{{"steady", 0, 5100 * ms}, {"outage", 5200 * ms, 9900 * ms}, {"recovery", 10 * sec, 15 * sec}},
		},
		{
			"a fault that two phases plan cuts the one that it lay in",
			phases(hurt("a", "blackhole"), calm("b"), hurt("c", "blackhole")),
			[]results.Event{
				phaseAt(0, "a"), reverted("blackhole", 0, 2100*ms), phaseAt(2*sec, "b"),
				phaseAt(4*sec, "c"), reverted("blackhole", 4100*ms, 6*sec), endAt(6 * sec),
			},
			[]span{{"a", 0, 2100 * ms}, {"b", 2100 * ms, 4100 * ms}, {"c", 4100 * ms, 6 * sec}},
		},
		{
			"a phase that never began has no time, and a killed run ends with its last hit",
			plain, began[:2],
			[]span{{"steady", 0, 5 * sec}, {"outage", 5 * sec, 7*sec + 1}, {"recovery", 0, 0}},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			rec := results.NewRecording(row.manifest, []results.Hit{{Due: 7 * sec}}, row.events, nil)
			var got []span
			for _, w := range Cut(rec) {
				got = append(got, span{w.Phase.Name, w.Start, w.End})
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("Cut (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDueIsExclusiveAtItsEnd(t *testing.T) {
	hits := []results.Hit{{Due: 0}, {Due: 1}, {Due: 1}, {Due: 2}, {Due: 3}}
	for _, row := range []struct {
		from, to time.Duration
		want     int
	}{{0, 4, 5}, {1, 2, 2}, {2, 2, 0}, {3, 1, 0}, {4, 9, 0}} {
		if got := len(Due(hits, row.from, row.to)); got != row.want {
			t.Errorf("Due(%d, %d) = %d hits, want %d", row.from, row.to, got, row.want)
		}
	}
}
