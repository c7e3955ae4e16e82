package judge

import (
	"fmt"
	"slices"
	"time"

	"brownout/results"
	"brownout/results/figures"
)

// checkPlanned asks whether a fault that the phase planned was in force in it.
func (t trial) checkPlanned(planned string, w figures.Window) Finding {
	d := t.defaults
	f := promise(fmt.Sprintf("%s is in force for at least %s of the phase", planned, Share.Format(d.InForceShare)), w.Phase.Name)
	i := slices.IndexFunc(w.Injections, func(in results.Injection) bool { return in.Fault == planned })
	if i < 0 {
		return broken(f, fmt.Sprintf("the fault %s was never in force in %s, or never taken away", planned, w.Phase.Name),
			"look at the run's events: why was it not injected or not reverted?")
	}
	in := w.Injections[i]
	if in.Error != "" {
		return f // checkInjections says so
	}
	if in.Passes {
		return checkPassed(f, in, w)
	}
	held := max(0, min(in.End, w.Ended)-max(in.Start, w.Began))
	length := w.Ended - w.Began
	f.Figure, f.Measured, f.Value = "in force", Seconds.Format(held.Seconds()), held.Seconds()
	if held.Seconds() < d.InForceShare*length.Seconds() {
		return broken(f, fmt.Sprintf("the fault %s was in force for %v of %v in %s", planned, held.Round(time.Millisecond), length.Round(time.Millisecond), w.Phase.Name),
			"make the phase longer, or look at what held the fault up")
	}
	return f
}

// checkPassed asks of a fault that passes by itself only whether it happened, and
// was over, in its phase: how long it lasts is not planned.
func checkPassed(f Finding, in results.Injection, w figures.Window) Finding {
	f.Expectation = in.Fault + " happens in the phase"
	f.Figure, f.Value = "lasted", (in.End - in.Start).Seconds()
	f.Measured = Seconds.Format(f.Value)
	if in.Start < w.Began || in.End > w.Ended {
		return broken(f, fmt.Sprintf("the fault %s lasted from %v to %v, which is not within %s", in.Fault,
			in.Start.Round(time.Millisecond), in.End.Round(time.Millisecond), w.Phase.Name), "make the phase longer, or look at what held the fault up")
	}
	return f
}

// checkInjections asks of each fault that was put in force whether it bit.
func (t trial) checkInjections() []Finding {
	var all []Finding
	for _, in := range figures.Injections(t.rec) {
		if f, partial := t.checkReach(in); partial {
			all = append(all, f)
			if in.Evidence.Hit == 0 {
				continue // it could not bite, which has been said
			}
		}
		all = append(all, t.checkInjection(in))
	}
	return all
}

func (t trial) checkInjection(in results.Injection) Finding {
	d, ev := t.defaults, in.Evidence
	f := promise(fmt.Sprintf("%s bites on at least %s of its chances", in.Fault, Share.Format(d.EvidenceShare)), t.phaseOf(in))
	f.N, f.Of, f.Figure = ev.Chances, ev.Occasion, "bites"
	f.Value = figures.Share(ev.Bites, ev.Chances)
	f.Measured = fmt.Sprintf("%d of %d", ev.Bites, ev.Chances)
	switch {
	case in.Error != "":
		return broken(f, fmt.Sprintf("the fault %s failed: %s", in.Fault, in.Error), "remove the cause and run it again")
	case ev.Chances <= 0:
		return broken(f, fmt.Sprintf("the fault %s touched nothing: 0 %s", in.Fault, ev.Occasion),
			"send load that needs this link while the fault is in force, or point the fault at another link")
	case f.Value < d.EvidenceShare:
		return broken(f, fmt.Sprintf("the fault %s bit on %d of %d %s, want %s", in.Fault, ev.Bites, ev.Chances, ev.Occasion, Share.Format(d.EvidenceShare)),
			"look at what went past it: a connection that does not use the link, or that was older than the fault")
	case ev.DelayMeasured > 0 && float64(ev.DelayMeasured) < d.DelayShare*float64(ev.DelayAsked):
		return broken(f, fmt.Sprintf("the fault %s added %v of %v", in.Fault, ev.DelayMeasured.Round(time.Microsecond), ev.DelayAsked),
			"look at what went past it: is the delay on the direction that carries the answers?")
	}
	return f
}

// phaseOf returns the name of the phase that planned the injection.
func (t trial) phaseOf(in results.Injection) string {
	for _, w := range t.windows {
		if slices.Contains(w.Injections, in) {
			return w.Phase.Name
		}
	}
	return ""
}
