package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"brownout/chaos/lab/console"

	"golang.org/x/term"
)

// converseOnTerminal reads commands at a prompt below a table of the links, until
// somebody ends the lab, or signals is done.
func converseOnTerminal(ctx, signals context.Context, c *console.Console) error {
	fd := int(os.Stdin.Fd())
	state, err := term.MakeRaw(fd)
	if err != nil {
		return fmt.Errorf("preparing the terminal: %w", err)
	}
	defer term.Restore(fd, state)
	ctx, interrupt := context.WithCancel(ctx)
	defer interrupt()
	var t *term.Terminal
	screen := console.NewScreen(os.Stdout, func() (width, height int, err error) {
		width, height, err = term.GetSize(int(os.Stdout.Fd()))
		if err == nil && width > 0 { // 0 is a terminal that does not say
			err = t.SetSize(width, height)
		}
		return width, height, err
	})
	defer screen.Close()
	heard := make(chan struct{})
	t = prompt(c, console.Keys(os.Stdin, sync.OnceFunc(func() { close(heard) })), screen)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer interrupt()
	fmt.Fprintln(t, "help lists the commands")
	watching.Go(func() { _ = c.Watch(ctx, screen) }) // a terminal that cannot be written to is gone
	ended := make(chan error, 1)
	go func() { ended <- c.Lines(ctx, t.ReadLine, t) }() // ends with the process, as reading does
	select {
	case <-ctx.Done(): // a signal, or a quit from another shell
		return interrupted(signals)
	case <-heard:
		return &exitError{exitInterrupted, nil}
	case err := <-ended:
		if errors.Is(err, console.ErrQuit) || errors.Is(err, io.EOF) {
			return nil
		}
		return err
	}
}

// prompt is a line editor with history and completion.
func prompt(c *console.Console, in io.Reader, out io.Writer) *term.Terminal {
	t := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{in, out}, "lab> ")
	t.AutoCompleteCallback = func(line string, pos int, key rune) (string, int, bool) {
		if key != '\t' || pos != len(line) {
			return "", 0, false
		}
		done := c.Complete(line)
		return done, len(done), true
	}
	return t
}
