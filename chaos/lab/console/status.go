package console

import (
	"context"
	"fmt"
	"io"
)

// runStatus says what the table says, once.
func (c *Console) runStatus(ctx context.Context, _ []string, out io.Writer) error {
	for _, line := range c.table(ctx) {
		fmt.Fprintln(out, line)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range c.inForce {
		fmt.Fprintf(out, "in force: %s\n", h.fault)
	}
	if c.failover {
		fmt.Fprintln(out, "a failover is going on")
	}
	return nil
}

func (c *Console) runURLs(_ context.Context, _ []string, out io.Writer) error {
	for _, a := range c.lab.Addresses() {
		fmt.Fprintf(out, "%-20s %s\n", a.Name, a.Value)
	}
	return nil
}
