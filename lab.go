package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"brownout/chaos/ca"
	"brownout/chaos/lab"
	"brownout/chaos/lab/console"
	"brownout/chaos/stack"
	"brownout/scenarios"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// labFlags are the flags of brownout lab.
type labFlags struct {
	name, password, journal string
	attach                  string
	tls, acl, env, json     bool
	database                bool
	replicas                int
	engine                  string
	listen                  map[string]string
	dns                     bool
	ttl                     time.Duration
}

// topologies are what a lab can be. An elasticache is a replicated cache with what
// ElastiCache forbids forbidden.
func topologies() []string {
	return []string{"elasticache", stack.Redis, stack.Valkey, stack.Replicated, stack.Sentinel, stack.Cluster}
}

func labCommand() *cobra.Command {
	var f labFlags
	cmd := &cobra.Command{
		Use:   "lab [TOPOLOGY]",
		Short: "Start a cache, print where it is, hold it, and injure it on command",
		Long: fmt.Sprintf(`Start a cache, print the URLs at which any app finds it, hold it, and carry out commands:
failovers, faults, and what else the command help lists. Topologies: %s.

With --dns endpoints are names of a DNS server of the lab, otherwise addresses that lead elsewhere
after a failover. On a terminal a table of the links stands above the prompt.

Commands are read from standard input, and taken from other shells by 'brownout lab do'.
The lab ends with quit, Ctrl-D or Ctrl-C, and leaves nothing.`, strings.Join(topologies(), ", ")),
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: topologies(),
		RunE: func(cmd *cobra.Command, args []string) error {
			topology := "elasticache"
			if len(args) == 1 {
				topology = args[0]
			}
			return holdLab(cmd, f, topology)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.password, "password", "", "password that clients must give (AUTH)")
	flags.BoolVar(&f.tls, "tls", false, "clients must speak TLS; CA_FILE is printed")
	flags.BoolVar(&f.acl, "acl", false, "forbid what ElastiCache forbids; needs --password")
	flags.StringVar(&f.engine, "engine", stack.Redis, "what the servers of elasticache, replicated, sentinel and cluster are: redis or valkey")
	flags.IntVar(&f.replicas, "replicas", 1, "replicas of a replicated cache, 1 to 5")
	flags.BoolVar(&f.database, "database", false, "start PostgreSQL too")
	flags.StringToStringVar(&f.listen, "listen", nil, "fixed address of a link: primary=127.0.0.1:6379")
	flags.BoolVar(&f.dns, "dns", false, "clients find servers by names that move, not by addresses that do")
	flags.DurationVar(&f.ttl, "ttl", 0, "how long clients may keep the answer to a name, with --dns; at least 1s (default 5s)")
	flags.StringVar(&f.journal, "journal", "", "file to which everything that is done is appended, as JSON lines")
	flags.StringVar(&f.attach, "attach", "", "name or file of the `target` that the command run is for, an app that runs already for example")
	flags.BoolVar(&f.env, "env", false, "print the addresses as export lines")
	flags.BoolVar(&f.json, "json", false, "print the addresses as one JSON object")
	cmd.PersistentFlags().StringVar(&f.name, "name", "lab", "name of the lab, where several run")
	cmd.AddCommand(labDoCommand(&f))
	return cmd
}

func labDoCommand(f *labFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "do COMMAND...",
		Short: "Give a command to a lab that is running",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			err := console.Send(cmd.Context(), f.name, strings.Join(args, " "), cmd.OutOrStdout())
			if err != nil {
				return &exitError{exitFail, err}
			}
			return nil
		},
	}
}

// config is what the flags ask for.
func (f labFlags) config(topology string) (lab.Config, error) {
	c := lab.Config{Listen: f.listen, DNS: f.dns, TTL: f.ttl, Stack: stack.Config{Cache: topology, Engine: f.engine, Password: f.password, ACL: f.acl, Replicas: f.replicas}}
	if topology == "elasticache" {
		c.Stack.Cache = stack.Replicated
	}
	if c.Stack.Cache != stack.Replicated {
		c.Stack.Replicas = 0
	}
	if f.engine != stack.Redis && (topology == stack.Redis || topology == stack.Valkey) {
		return c, fmt.Errorf("--engine is for topologies of several servers; a single one is 'brownout lab %s'", stack.Valkey)
	}
	if f.acl && f.password == "" {
		return c, errors.New("--acl needs a --password")
	}
	if f.database {
		c.Stack.Database = stack.Postgres
	}
	if f.tls {
		authority, err := ca.New()
		if err != nil {
			return c, err
		}
		c.Stack.TLS = authority
	}
	return c, nil
}

// holdLab brings a lab up and holds it until somebody ends it.
func holdLab(cmd *cobra.Command, f labFlags, topology string) (err error) {
	cfg, err := f.config(topology)
	if err == nil && f.attach != "" {
		_, err = scenarios.FindTarget(f.attach)
	}
	if err != nil {
		return &exitError{exitUsage, err}
	}
	journal, closeJournal, err := openJournal(f.journal)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	defer func() { err = errors.Join(err, closeJournal()) }()
	door, err := console.Listen(f.name)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	defer door.Close()
	if _, err := stack.Sweep(cmd.Context()); err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "brownout: sweeping what killed labs left: %v\n", err)
	}
	l, err := lab.Open(cmd.Context(), cfg)
	defer func() { err = errors.Join(err, l.Close(cmd.Context())) }()
	if cmd.Context().Err() != nil {
		return interrupted(cmd.Context())
	}
	if err != nil {
		return &exitError{exitInvalid, err}
	}
	c := console.New(l, journal, f.runInLab(l))
	defer c.Close()
	if err := f.tell(cmd.OutOrStdout(), l); err != nil {
		return err
	}
	ctx, quit := context.WithCancel(cmd.Context())
	defer quit()
	var serving sync.WaitGroup
	defer serving.Wait()
	defer quit()
	serving.Go(func() {
		if err := c.Serve(ctx, door, quit); err != nil {
			fmt.Fprintf(cmd.ErrOrStderr(), "brownout: %v\n", err)
		}
	})
	return converse(ctx, cmd, c)
}

func openJournal(path string) (*console.Journal, func() error, error) {
	if path == "" {
		return console.NewJournal(nil), func() error { return nil }, nil
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the journal: %w", err)
	}
	j := console.NewJournal(file)
	return j, func() error { return errors.Join(j.Err(), file.Close()) }, nil
}

// tell prints the addresses.
func (f labFlags) tell(out io.Writer, l *lab.Lab) error {
	all := l.Addresses()
	if f.json {
		object := map[string]string{}
		for _, a := range all {
			object[a.Name] = a.Value
		}
		return json.NewEncoder(out).Encode(object)
	}
	for _, a := range all {
		line := fmt.Sprintf("%-20s %s", a.Name, a.Value)
		if f.env {
			line = fmt.Sprintf("export %s='%s'", a.Name, strings.ReplaceAll(a.Value, "'", `'\''`))
		}
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
	}
	if r, ok := l.Resolver(); ok {
		return tellResolver(out, r)
	}
	return nil
}

// tellResolver says how an app finds the names, as a comment where lines are read
// by a shell.
func tellResolver(out io.Writer, r lab.Resolver) error {
	text := fmt.Sprintf("# set your app's resolver to %s: nobody may answer on port 53 here (%v)\n", r.Addr, r.NoFile)
	if r.File != "" {
		text = fmt.Sprintf("# an app finds the names when it is run so:\n# %s APP...\n", shellLine(r.Command()))
	}
	_, err := io.WriteString(out, text)
	return err
}

// shellLine writes words so that a shell reads the same.
func shellLine(words []string) string {
	for i, w := range words {
		if strings.ContainsAny(w, " $\"&'") {
			words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

// converse reads commands until somebody ends the lab. The end of an input that is
// no terminal ends nothing: others may still send commands.
func converse(ctx context.Context, cmd *cobra.Command, c *console.Console) error {
	if cmd.InOrStdin() == os.Stdin && cmd.OutOrStdout() == os.Stdout &&
		term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stdout.Fd())) {
		return converseOnTerminal(ctx, cmd.Context(), c)
	}
	ended := make(chan error, 1)
	// Reading cannot be interrupted: it ends with the process.
	go func() { ended <- c.Lines(ctx, console.Scan(cmd.InOrStdin()), cmd.OutOrStdout()) }()
	select {
	case <-ctx.Done():
		return interrupted(cmd.Context())
	case err := <-ended:
		if errors.Is(err, console.ErrQuit) {
			return nil
		}
		if !errors.Is(err, io.EOF) {
			return err
		}
	}
	<-ctx.Done()
	return interrupted(cmd.Context())
}

// interrupted tells Ctrl-C from a quit over the socket.
func interrupted(ctx context.Context) error {
	if ctx.Err() != nil {
		return &exitError{exitInterrupted, nil}
	}
	return nil
}
