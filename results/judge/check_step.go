package judge

import (
	"fmt"
	"time"

	"brownout/results"
)

// checkSteps asks whether what we did ourselves in failovers was done at its time.
// What servers made of it (an election, a synchronisation) is an outcome and is not
// asked.
func (t trial) checkSteps() []Finding {
	var all []Finding
	for _, e := range t.rec.Events {
		if e.Kind == results.EventStep && e.Step != nil {
			all = append(all, t.checkStep(e.On, *e.Step))
		}
	}
	return all
}

func (t trial) checkStep(failover string, s results.Step) Finding {
	d := t.defaults
	room := time.Duration(d.StepShare*float64(s.Due)) + d.StepSlack
	f := promise(fmt.Sprintf("step %s of the %s is taken at %v, at most %v later", s.Name, failover, s.Due, room), "")
	late := s.Began - s.Due
	f.Figure, f.Measured, f.Value = "began", Seconds.Format(s.Began.Seconds()), s.Began.Seconds()
	switch {
	case s.Error != "":
		return broken(f, fmt.Sprintf("step %s of the %s failed: %s", s.Name, failover, s.Error), "remove the cause and run it again")
	case late > room:
		return broken(f, fmt.Sprintf("step %s of the %s was %v late", s.Name, failover, late.Round(time.Millisecond)),
			"give the machine more room, or scale the failover less")
	}
	return f
}
