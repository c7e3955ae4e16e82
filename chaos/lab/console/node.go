package console

import (
	"context"
	"fmt"
	"io"
	"strings"

	"brownout/chaos/stack"
)

// primary is a word for whichever node is the primary now.
const primary = "primary"

// node finds the server that args name.
func (c *Console) node(ctx context.Context, args []string) (*stack.Node, error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("which server? there are %s", c.nodeNames())
	}
	if args[0] == primary {
		return c.lab.Stack.Primary(ctx)
	}
	for _, n := range c.lab.Stack.Nodes {
		if n.Name == args[0] {
			return n, nil
		}
	}
	return nil, fmt.Errorf("there is no server %q; there are %s", args[0], c.nodeNames())
}

func (c *Console) nodeNames() string {
	var names []string
	for _, n := range c.lab.Stack.Nodes {
		names = append(names, n.Name)
	}
	return strings.Join(names, ", ") + ", and " + primary + " for the primary"
}

func (c *Console) runKill(ctx context.Context, args []string, out io.Writer) error {
	n, err := c.node(ctx, args)
	if err != nil {
		return err
	}
	if err := n.Kill(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s was killed\n", n.Name)
	return nil
}

func (c *Console) runStop(ctx context.Context, args []string, out io.Writer) error {
	n, err := c.node(ctx, args)
	if err != nil {
		return err
	}
	if err := n.Pause(); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s is stopped: connections are made, nobody answers\n", n.Name)
	return nil
}

func (c *Console) runContinue(ctx context.Context, args []string, out io.Writer) error {
	n, err := c.node(ctx, args)
	if err != nil {
		return err
	}
	if err := n.Continue(); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s goes on\n", n.Name)
	return nil
}

func (c *Console) runRestart(ctx context.Context, args []string, out io.Writer) error {
	empty := len(args) == 2 && args[1] == "empty"
	if len(args) > 1 && !empty {
		return fmt.Errorf("%q: a server is restarted with its data, or empty", strings.Join(args[1:], " "))
	}
	n, err := c.node(ctx, args)
	if err != nil {
		return err
	}
	if err := n.Restart(ctx, empty); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s was restarted and answers\n", n.Name)
	return nil
}

func (c *Console) runFlush(ctx context.Context, args []string, out io.Writer) error {
	n, err := c.node(ctx, args)
	if err != nil {
		return err
	}
	if _, err := n.Do(ctx, "FLUSHALL"); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s is empty\n", n.Name)
	return nil
}
