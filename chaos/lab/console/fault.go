package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"brownout/chaos"
	"brownout/chaos/lab"
)

func (c *Console) runFaults(_ context.Context, _ []string, out io.Writer) error {
	for _, k := range chaos.Kinds() {
		where := "link"
		if (chaos.Fault{Kind: k.Kind}).OnProcess() {
			where = "node"
		}
		fmt.Fprintf(out, "%-22s %-4s  %s", k.Kind, where, k.Doc)
		if len(k.Parameters) > 0 {
			fmt.Fprintf(out, " (%s)", strings.Join(k.Parameters, ", "))
		}
		fmt.Fprintln(out)
	}
	return nil
}

// runFault reads LINK|NODE KIND [NAME=VALUE]... [for DURATION].
func (c *Console) runFault(ctx context.Context, args []string, out io.Writer) error {
	f, length, err := readFault(args)
	if err != nil {
		return err
	}
	in, err := c.injector(ctx, &f)
	if err != nil {
		return err
	}
	if length > 0 && f.Passes() {
		return fmt.Errorf("%s passes by itself: it takes no for", f.Kind)
	}
	r, err := in.Inject(ctx, f)
	if err != nil {
		return err
	}
	if p, ok := r.(chaos.Passer); ok {
		return c.pass(ctx, f, p, out)
	}
	h := &held{f, r}
	c.mu.Lock()
	c.inForce = append(c.inForce, h)
	c.mu.Unlock()
	fmt.Fprintf(out, "%s is in force\n", f)
	if length > 0 {
		c.going.Go(func() { c.endLater(h, length) })
	}
	return nil
}

// injector is what puts f in force: the link that f names, or the server. A server
// can be named by its part, which f then has no more.
func (c *Console) injector(ctx context.Context, f *chaos.Fault) (chaos.Injector, error) {
	if !f.OnProcess() {
		return c.link(f.On)
	}
	n, err := c.node(ctx, []string{f.On})
	if err != nil {
		return nil, err
	}
	f.On = n.Name
	return c.servers[n], nil
}

// pass waits until a fault that passes by itself has done so.
func (c *Console) pass(ctx context.Context, f chaos.Fault, p chaos.Passer, out io.Writer) error {
	select {
	case <-p.Passed():
	case <-ctx.Done():
	}
	rctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), chaos.RevertTimeout)
	defer cancel()
	if _, err := p.Revert(rctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s has passed\n", f)
	return nil
}

// endLater takes h away after length.
func (c *Console) endLater(h *held, length time.Duration) {
	select {
	case <-c.ctx.Done():
	case <-time.After(length):
		if _, err := c.revert(h); err != nil {
			c.journal.Note(Entry{Did: fmt.Sprintf("%s ends", h.fault), Error: err.Error()})
			return
		}
		c.journal.Note(Entry{Did: fmt.Sprintf("%s ends", h.fault)})
	}
}

// revert takes h away. It reports false when somebody else has.
func (c *Console) revert(h *held) (mine bool, err error) {
	c.mu.Lock()
	i := slices.Index(c.inForce, h)
	if i >= 0 {
		c.inForce = slices.Delete(c.inForce, i, i+1)
	}
	c.mu.Unlock()
	if i < 0 {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), chaos.RevertTimeout)
	defer cancel()
	_, err = h.reverter.Revert(ctx)
	return true, err
}

func readFault(args []string) (f chaos.Fault, length time.Duration, err error) {
	if len(args) < 2 {
		return f, 0, errors.New("a fault needs a link or a server, and a kind, for example: fault cache blackhole for 10s")
	}
	f.On, f.Kind = args[0], chaos.Kind(args[1])
	rest := args[2:]
	if n := len(rest); n >= 2 && rest[n-2] == "for" {
		if length, err = time.ParseDuration(rest[n-1]); err != nil || length <= 0 {
			return f, 0, fmt.Errorf("%q is not a time; for example: for 10s", rest[n-1])
		}
		rest = rest[:n-2]
	}
	for _, arg := range rest {
		name, value, ok := strings.Cut(arg, "=")
		if !ok {
			return f, 0, fmt.Errorf("%q is no parameter; for example latency=200ms", arg)
		}
		if err := f.Set(name, value); err != nil {
			return f, 0, err
		}
	}
	return f, length, f.Validate()
}

// runHeal takes faults away, all or those of one link.
func (c *Console) runHeal(_ context.Context, args []string, out io.Writer) error {
	c.mu.Lock()
	all := slices.Clone(c.inForce)
	c.mu.Unlock()
	var errs []error
	healed := 0
	for _, h := range all {
		if len(args) > 0 && h.fault.On != args[0] {
			continue
		}
		mine, err := c.revert(h)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("taking %s away: %w", h.fault, err))
		case mine:
			fmt.Fprintf(out, "%s has been taken away\n", h.fault)
		}
		if mine {
			healed++
		}
	}
	if healed == 0 {
		fmt.Fprintln(out, "no fault was in force")
	}
	return errors.Join(errs...)
}

func (c *Console) link(name string) (*lab.Link, error) {
	if l := c.lab.Link(name); l != nil {
		return l, nil
	}
	var names []string
	for _, l := range c.lab.Links() {
		names = append(names, l.Name)
	}
	return nil, fmt.Errorf("there is no link %q; there are %s", name, strings.Join(names, ", "))
}
