package judge

import (
	"fmt"
	"time"

	"brownout/results/figures"
)

// checkClock asks whether the wall clock went on evenly. The run's own clock does not
// jump, but what has a time limit in the target or in a server may go by the other one,
// and a machine that slept shows as a jump.
func (t trial) checkClock() []Finding {
	from, to := t.loadTime()
	jump, at, ok := figures.ClockJump(t.rec, from, to)
	if !ok {
		return nil // recorded by a brownout that did not look
	}
	f := promise(fmt.Sprintf("the clock jumps by at most %v", t.defaults.ClockJump), "")
	f.Figure, f.Value = "clock jump", jump.Seconds()
	f.Measured = Seconds.Format(f.Value)
	if jump.Abs() > t.defaults.ClockJump {
		f = broken(f, fmt.Sprintf("the machine's clock jumped by %v, %v into the run", jump.Round(time.Millisecond), at.Round(time.Millisecond)),
			"let nothing set the clock while it runs, and keep the machine from sleeping")
	}
	return []Finding{f}
}

// checkMachine asks whether a phase that measures something had the machine to itself.
func (t trial) checkMachine(w figures.Window) []Finding {
	d := t.defaults
	p, ok := figures.PressureOf(t.rec, w.Start, w.End)
	if !ok {
		return nil
	}
	stolen := promise(fmt.Sprintf("at most %s of the CPU time is stolen", Share.Format(d.StealShare)), w.Phase.Name)
	stolen.Figure, stolen.Value, stolen.Measured = "stolen", p.Stolen, Share.Format(p.Stolen)
	if p.Stolen > d.StealShare {
		stolen = broken(stolen, fmt.Sprintf("the machine was starved: its hypervisor kept %s of the CPU time from it in %s", stolen.Measured, w.Phase.Name),
			"run it on a machine that is not shared, or when its neighbours are quiet")
	}
	own := promise(fmt.Sprintf("the harness uses at most %s of the CPU time", Share.Format(d.OwnShare)), w.Phase.Name)
	own.Figure, own.Value, own.Measured = "own", p.Own, Share.Format(p.Own)
	if p.Own > d.OwnShare {
		own = broken(own, fmt.Sprintf("the harness left no CPU to the target: it used %s itself in %s", own.Measured, w.Phase.Name),
			"lower the rate, or give the machine more CPUs")
	}
	return []Finding{stolen, own}
}
