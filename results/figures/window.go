package figures

import (
	"slices"
	"time"

	"brownout/results"
)

// A Window is the stretch of a run that counts as one phase: hits due in
// [Start, End) belong to it.
type Window struct {
	Phase results.Phase
	// Began and Ended are when the phase itself did so. A window without Happened
	// is a phase that the run never came to; its times are 0.
	Happened     bool
	Began, Ended time.Duration
	Start, End   time.Duration
	// Injections are those of the phase's faults, in the order of Phase.Faults.
	// A fault that was never put in force has none.
	Injections []results.Injection
}

// Length returns how long the window is.
func (w Window) Length() time.Duration { return w.End - w.Start }

// Cut returns one window for each planned phase, in order.
//
// A phase begins with its event and ends where the next one begins, or with the
// end of the load. Around faults the windows are cut by when these were in force:
//
//   - The window of a phase with faults is where all of them were in force: from
//     the last start to the first end.
//   - What is due between the phase's event and the first start is due under no
//     fault and belongs to the phase before.
//   - A fault that passes by itself begins its phase and does not end it: what
//     follows from it is to be seen in the same phase.
//   - What is due while only some of the faults are in force, or after the last
//     phase's fault was taken away, belongs to no window. Nor does the time
//     between the faults of two phases that follow each other.
//   - The phase after a fault begins when the last fault has been taken away, be
//     that late or early.
func Cut(rec *results.Recording) []Window {
	windows := planned(rec)
	for _, in := range Injections(rec) {
		if w := owner(windows, in); w != nil {
			w.Injections = append(w.Injections, in)
		}
	}
	for i := range windows {
		if ins := inForce(windows[i].Injections); len(ins) > 0 {
			cutAt(windows, i, ins)
		}
	}
	for i := range windows {
		windows[i].End = max(windows[i].End, windows[i].Start)
	}
	return windows
}

// Calm is the last window that happened before the first one whose phase has a fault;
// false: there is none.
func Calm(windows []Window) (Window, bool) {
	var calm Window
	for _, w := range windows {
		if len(w.Phase.Faults) > 0 {
			break
		}
		if w.Happened {
			calm = w
		}
	}
	return calm, calm.Happened
}

// planned returns the windows as the phase events tell them.
func planned(rec *results.Recording) []Window {
	windows := make([]Window, len(rec.Manifest.Phases))
	for i, p := range rec.Manifest.Phases {
		windows[i].Phase = p
	}
	last := -1 // the phase that is going on
	for _, e := range rec.Events {
		switch {
		case e.Kind == results.EventEnd:
			if last >= 0 {
				windows[last].end(e.At)
			}
			return windows
		case e.Kind == results.EventPhase:
			next := slices.IndexFunc(windows[last+1:], func(w Window) bool { return w.Phase.Name == e.On })
			if next < 0 {
				continue
			}
			if last >= 0 {
				windows[last].end(e.At)
			}
			last += 1 + next
			windows[last].Happened = true
			windows[last].Began, windows[last].Start = e.At, e.At
		}
	}
	if last >= 0 { // a killed run has no end
		windows[last].end(max(windows[last].Start, lastTime(rec)))
	}
	return windows
}

func (w *Window) end(at time.Duration) { w.Ended, w.End = at, at }

// lastTime is just after the last thing that is known of the load.
func lastTime(rec *results.Recording) time.Duration {
	var t time.Duration
	for _, h := range rec.Hits {
		t = max(t, h.Due+1)
	}
	return t
}

// Injections returns what the revert events say of each fault.
func Injections(rec *results.Recording) []results.Injection {
	var ins []results.Injection
	for _, e := range rec.Events {
		if e.Kind == results.EventRevert && e.Injection != nil {
			ins = append(ins, *e.Injection)
		}
	}
	return ins
}

// owner returns the phase that planned the injection's fault and that it lay in
// for the longest; if it lay in none, the one that is nearest to its start.
func owner(windows []Window, in results.Injection) *Window {
	var best *Window
	var bestOverlap, bestGap time.Duration
	for i := range windows {
		w := &windows[i]
		if !w.Happened || !slices.Contains(w.Phase.Faults, in.Fault) {
			continue
		}
		overlap := max(0, min(in.End, w.Ended)-max(in.Start, w.Began))
		gap := max(0, w.Began-in.Start, in.Start-w.Ended)
		if best == nil || overlap > bestOverlap || overlap == bestOverlap && gap < bestGap {
			best, bestOverlap, bestGap = w, overlap, gap
		}
	}
	return best
}

// inForce leaves out what could not be put in force.
func inForce(ins []results.Injection) []results.Injection {
	return slices.DeleteFunc(slices.Clone(ins), func(in results.Injection) bool { return in.End <= in.Start && !in.Passes })
}

// cutAt cuts windows[i] and its neighbours at the injections of phase i.
func cutAt(windows []Window, i int, ins []results.Injection) {
	first, last := ins[0].Start, windows[i].endOf(ins[0]) // some fault is in force
	from, to := first, last                               // every fault is in force
	for _, in := range ins[1:] {
		end := windows[i].endOf(in)
		first, last = min(first, in.Start), max(last, end)
		from, to = max(from, in.Start), min(to, end)
	}
	windows[i].Start, windows[i].End = from, to
	if i > 0 && len(inForce(windows[i-1].Injections)) == 0 {
		windows[i-1].End = first
	}
	if i+1 < len(windows) && windows[i+1].Happened && len(inForce(windows[i+1].Injections)) == 0 {
		windows[i+1].Start = last
	}
}

// endOf returns when in no longer counts for the phase that planned it.
func (w *Window) endOf(in results.Injection) time.Duration {
	if in.Passes {
		return max(in.End, w.Ended)
	}
	return in.End
}
