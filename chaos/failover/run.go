package failover

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// A Done is a step as it was carried out. Times are offsets from the start of the
// plan.
type Done struct {
	Step  string        `json:"step"`
	Text  string        `json:"text"`
	Due   time.Duration `json:"due"`
	Began time.Duration `json:"began"`
	Ended time.Duration `json:"ended"`
	Error string        `json:"error,omitempty"`
}

// Tolerance is how far from its time a step may begin: a tenth of the time since
// the plan began, and slack for a busy machine.
const (
	Tolerance = 0.1
	slack     = 50 * time.Millisecond
)

// Late reports whether the step began too late for the timetable to have been
// held.
func (d Done) Late() bool {
	return d.Began-d.Due > time.Duration(Tolerance*float64(d.Due))+slack
}

// Run carries the steps out on s, one after the other, each at its time, and tells
// of each when it is done. A step that takes until after the next one's time delays
// it. The first error ends the plan.
func Run(ctx context.Context, steps []Step, s Site, tell func(Done)) error {
	start := time.Now()
	var known time.Duration // when the last outcome was
	for _, step := range steps {
		due := max(step.At, known)
		if err := sleepUntil(ctx, start.Add(due)); err != nil {
			return err
		}
		done := Done{Step: step.Name, Due: due, Began: time.Since(start)}
		if step.Outcome {
			done.Due = done.Began // it waits, and has no time of its own
		}
		err := step.Do(ctx, s)
		done.Ended = time.Since(start)
		done.Text = say(step.Text, s, done.Ended)
		if err != nil {
			done.Error = err.Error()
		}
		tell(done)
		if err != nil {
			return fmt.Errorf("failover step %s: %w", step.Name, err)
		}
		if step.Outcome {
			known = done.Ended
		}
	}
	return nil
}

// say fills in what stands in braces in the text of a step.
func say(text string, s Site, after time.Duration) string {
	old, next := s.Names()
	return strings.NewReplacer("{old}", old, "{new}", next, "{after}", after.Round(10*time.Millisecond).String()).Replace(text)
}

func sleepUntil(ctx context.Context, at time.Time) error {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
