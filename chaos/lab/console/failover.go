package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"brownout/chaos/failover"
)

func (c *Console) runPlans(_ context.Context, _ []string, out io.Writer) error {
	for _, p := range failover.Plans() {
		fmt.Fprintf(out, "%s: %s\n", p.Name, p.Doc)
		for _, param := range p.Parameters {
			fmt.Fprintf(out, "  %s=%v  %s\n      %s\n", param.Name, param.Default, param.Doc, param.Source)
		}
	}
	return nil
}

// runFailover reads PLAN [scale=N] [TIME=DURATION]... and carries the plan out.
func (c *Console) runFailover(ctx context.Context, args []string, out io.Writer) error {
	steps, scale, err := readPlan(args)
	if err != nil {
		return err
	}
	if err := c.begin(); err != nil {
		return err
	}
	defer c.end()
	site, err := c.lab.Site(ctx)
	if err != nil {
		return err
	}
	if scale != 1 {
		fmt.Fprintf(out, "scaled by %g: our own waits only; not scaled: %s\n", scale, failover.Unscaled)
	}
	return failover.Run(ctx, steps, site, func(d failover.Done) {
		late := ""
		if d.Late() {
			late = fmt.Sprintf("  (late: due at %v)", d.Due.Round(time.Millisecond))
		}
		fmt.Fprintf(out, "%8v  %s%s\n", d.Ended.Round(10*time.Millisecond), d.Text, late)
		c.journal.Note(Entry{Did: d.Text, Took: d.Ended - d.Began, Error: d.Error})
	})
}

// begin lets one failover go on at a time.
func (c *Console) begin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failover {
		return errors.New("a failover is going on; wait until it has ended")
	}
	c.failover = true
	return nil
}

func (c *Console) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failover = false
}

func readPlan(args []string) ([]failover.Step, float64, error) {
	if len(args) == 0 {
		return nil, 0, fmt.Errorf("which plan? there are %s", planNames())
	}
	p, ok := failover.Find(args[0])
	if !ok {
		return nil, 0, fmt.Errorf("there is no plan %q; there are %s", args[0], planNames())
	}
	scale, changed := 1.0, failover.Times{}
	for _, arg := range args[1:] {
		name, value, ok := strings.Cut(arg, "=")
		if !ok {
			return nil, 0, fmt.Errorf("%q is no time of the plan; for example scale=0.1 or moved=20s", arg)
		}
		var err error
		if name == "scale" {
			if scale, err = strconv.ParseFloat(value, 64); err != nil || scale <= 0 || scale > 1 {
				return nil, 0, fmt.Errorf("scale=%s: it must lie above 0 and be at most 1, for example 0.1", value)
			}
			continue
		}
		if changed[name], err = time.ParseDuration(value); err != nil {
			return nil, 0, fmt.Errorf("%s: %q is not a time, for example 5s", name, value)
		}
	}
	times, err := p.Times(changed)
	if err != nil {
		return nil, 0, err
	}
	return p.Steps(times, scale), scale, nil
}

func planNames() string {
	var names []string
	for _, p := range failover.Plans() {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}
