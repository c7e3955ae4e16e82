package console

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"brownout/chaos"
	"brownout/chaos/failover"
	"brownout/chaos/stack"
)

// Lines carries out what lines reads, until it ends, ErrQuit, or ctx is done. What
// is wrong with a line is said, and the next one read.
func (c *Console) Lines(ctx context.Context, lines func() (string, error), out io.Writer) error {
	for ctx.Err() == nil {
		line, err := lines()
		if err != nil {
			return err
		}
		switch err := c.Do(ctx, line, out); {
		case errors.Is(err, ErrQuit):
			return err
		case err != nil && ctx.Err() == nil:
			fmt.Fprintf(out, "lab: %v\n", err)
		}
	}
	return ctx.Err()
}

// Scan reads lines of in, for Lines.
func Scan(in io.Reader) func() (string, error) {
	s := bufio.NewScanner(in)
	return func() (string, error) {
		if s.Scan() {
			return s.Text(), nil
		}
		if s.Err() != nil {
			return "", s.Err()
		}
		return "", io.EOF
	}
}

// Complete returns line with its last word completed, if one word alone fits, or as
// far as all that fit agree.
func (c *Console) Complete(line string) string {
	head, last := "", line
	if i := strings.LastIndexByte(line, ' '); i >= 0 {
		head, last = line[:i+1], line[i+1:]
	}
	var fit []string
	for _, w := range c.words(strings.Fields(head)) {
		if strings.HasPrefix(w, last) {
			fit = append(fit, w)
		}
	}
	switch len(fit) {
	case 0:
		return line
	case 1:
		if strings.HasSuffix(fit[0], "=") {
			return head + fit[0]
		}
		return head + fit[0] + " "
	}
	return head + common(fit)
}

// common is what all words begin with.
func common(words []string) string {
	short := words[0]
	for _, w := range words[1:] {
		for !strings.HasPrefix(w, short) {
			short = short[:len(short)-1]
		}
	}
	return short
}

// kinds are the faults that can be put on place: on a server, or on a link alone.
func (c *Console) kinds(place string) []string {
	server := place == primary || slices.ContainsFunc(c.lab.Stack.Nodes, func(n *stack.Node) bool { return n.Name == place })
	var kinds []string
	for _, k := range chaos.Kinds() {
		if server || !(chaos.Fault{Kind: k.Kind}).OnProcess() {
			kinds = append(kinds, string(k.Kind))
		}
	}
	return kinds
}

// words are those that can follow before.
func (c *Console) words(before []string) []string {
	var words []string
	switch {
	case len(before) == 0:
		for _, cmd := range c.commands() {
			words = append(words, cmd.name)
		}
	case before[0] == "failover" && len(before) == 1:
		for _, p := range failover.Plans() {
			words = append(words, p.Name)
		}
	case before[0] == "failover":
		words = []string{"scale="}
		if p, ok := failover.Find(before[1]); ok {
			for _, param := range p.Parameters {
				words = append(words, param.Name+"=")
			}
		}
	case before[0] == "fault" && len(before) == 2:
		words = c.kinds(before[1])
	case before[0] == "fault" && len(before) > 2:
		words = []string{"for"}
		kinds := chaos.Kinds()
		if i := slices.IndexFunc(kinds, func(k chaos.KindDoc) bool { return string(k.Kind) == before[2] }); i >= 0 {
			for _, p := range kinds[i].Parameters {
				words = append(words, p+"=")
			}
		}
	case before[0] == "fault" || before[0] == "heal":
		for _, l := range c.lab.Links() {
			words = append(words, l.Name)
		}
	case len(before) == 1:
		words = []string{primary}
		for _, n := range c.lab.Stack.Nodes {
			words = append(words, n.Name)
		}
	}
	return words
}
