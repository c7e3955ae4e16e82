package console

import (
	"context"
	"errors"
	"io"
	"slices"
)

// A Command is one that whoever holds the lab adds: something that is done with the
// lab as a whole.
type Command struct {
	Name, Args, Doc string
	// Run carries it out, with the words behind its name. It is called with no fault in
	// force and no failover going on, and the lab is its own until it returns.
	Run func(ctx context.Context, args []string, out io.Writer) error
}

// commands are the console's own and those that were added.
func (c *Console) commands() []command {
	all := commands()
	for _, m := range c.more {
		all = slices.Insert(all, len(all)-2, command{m.Name, m.Args, m.Doc, func(c *Console, ctx context.Context, args []string, out io.Writer) error {
			return c.alone(func() error { return m.Run(ctx, args, out) })
		}})
	}
	return all
}

// alone carries out what wants the lab for itself.
func (c *Console) alone(do func() error) error {
	if err := c.take(); err != nil {
		return err
	}
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.taken = false
	}()
	return do()
}

func (c *Console) take() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.taken:
		return errTaken
	case c.failover:
		return errors.New("a failover is going on; wait until it has ended")
	case len(c.inForce) > 0:
		return errors.New("a fault is in force; heal takes it away")
	}
	c.taken = true
	return nil
}

var errTaken = errors.New("a run has the lab; wait for its end")

// free is nil when commands may change the lab.
func (c *Console) free() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.taken {
		return errTaken
	}
	return nil
}
