// Package console understands what a person tells a lab to do.
//
// The one idea: a line is a command, whoever wrote it: the prompt of brownout lab,
// or another shell over a socket. A command ends when what it does is done, says
// what it did, and everything that was done stands in the journal. Faults and
// failovers are values of chaos and chaos/failover; nothing is injured here.
package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"brownout/chaos"
	"brownout/chaos/lab"
	"brownout/chaos/process"
	"brownout/chaos/stack"
)

// ErrQuit is returned by Do for the command that ends the lab.
var ErrQuit = errors.New("quit")

// A Console carries out commands on a lab. Its methods are safe for concurrent
// use; commands of several people are carried out side by side.
type Console struct {
	lab     *lab.Lab
	journal *Journal
	more    []Command
	going   sync.WaitGroup // faults that end by themselves, and commands
	ctx     context.Context
	stop    context.CancelFunc

	servers map[*stack.Node]*process.Injector // of faults on the servers themselves

	mu       sync.Mutex
	closed   bool
	inForce  []*held
	failover bool // one is going on
	taken    bool // by a command that wants the lab for itself
}

// A held is a fault that was put in force.
type held struct {
	fault    chaos.Fault
	reverter chaos.Reverter
}

// New returns a console of l with its own commands and more. Everything that is
// done is written to j.
func New(l *lab.Lab, j *Journal, more ...Command) *Console {
	c := &Console{lab: l, journal: j, more: more, servers: map[*stack.Node]*process.Injector{}}
	for _, n := range l.Stack.Nodes {
		c.servers[n] = process.New(n)
	}
	c.ctx, c.stop = context.WithCancel(context.Background())
	return c
}

// Close ends what goes on, commands too, and takes no more. Faults go with the lab.
func (c *Console) Close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.stop()
	c.going.Wait()
}

// A command is one that a person can give.
type command struct {
	name, args, doc string
	run             func(c *Console, ctx context.Context, args []string, out io.Writer) error
}

func commands() []command {
	return []command{
		{"failover", "PLAN [scale=0.1] [TIME=5s]...", "carry a failover out; plans lists them", (*Console).runFailover},
		{"plans", "", "list the failover plans with their times and where these come from", (*Console).runPlans},
		{"fault", "LINK|NODE KIND [NAME=VALUE]... [for 10s]", "put a fault in force on a link or a server; faults lists the kinds", (*Console).runFault},
		{"faults", "", "list the kinds of fault", (*Console).runFaults},
		{"heal", "[LINK|NODE]", "take all faults away, or those of one place", (*Console).runHeal},
		{"kill", "NODE", "end a server by SIGKILL", (*Console).runKill},
		{"stop", "NODE", "stop a server by SIGSTOP", (*Console).runStop},
		{"continue", "NODE", "let a stopped server go on", (*Console).runContinue},
		{"restart", "NODE [empty]", "start a server again, with or without its data", (*Console).runRestart},
		{"flush", "NODE", "delete all keys (FLUSHALL)", (*Console).runFlush},
		{"status", "", "the links, what passes them, the servers behind them and the faults in force", (*Console).runStatus},
		{"urls", "", "where clients find what is here", (*Console).runURLs},
		{"help", "", "this list", (*Console).runHelp},
		{"quit", "", "end the lab", func(*Console, context.Context, []string, io.Writer) error { return ErrQuit }},
	}
}

// Do carries one line out and writes what there is to say to out. An empty line
// does nothing. The error says what was wrong with it, and what would be right.
func (c *Console) Do(ctx context.Context, line string, out io.Writer) error {
	words := strings.Fields(line)
	if len(words) == 0 {
		return nil
	}
	all := c.commands()
	i := slices.IndexFunc(all, func(cmd command) bool { return cmd.name == words[0] })
	if i < 0 {
		return fmt.Errorf("unknown command %q; help lists them", words[0])
	}
	if all[i].changes() {
		if err := c.free(); err != nil {
			return err
		}
	}
	if !c.enter() {
		return errors.New("the lab ends")
	}
	defer c.going.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)()
	started := time.Now()
	err := all[i].run(c, ctx, words[1:], out)
	if errors.Is(err, ErrQuit) {
		return err
	}
	if all[i].changes() {
		c.journal.Note(Entry{Did: line, Took: time.Since(started), Error: text(err)})
	}
	return err
}

// enter lets one more thing go on, unless the console is closed. Its end is told to
// c.going.
func (c *Console) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.going.Add(1)
	}
	return !c.closed
}

// changes reports whether the command does something to the lab.
func (cmd command) changes() bool {
	return !slices.Contains([]string{"plans", "faults", "status", "urls", "help", "quit"}, cmd.name)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func (c *Console) runHelp(_ context.Context, _ []string, out io.Writer) error {
	for _, cmd := range c.commands() {
		fmt.Fprintf(out, "%-50s %s\n", strings.TrimSpace(cmd.name+" "+cmd.args), cmd.doc)
	}
	return nil
}
