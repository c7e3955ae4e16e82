package resp

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// commandsText is what COMMAND of a real Redis says, as far as it is needed here;
// its first line says of which version. TestTheTableIsWhatRedisSays compares it
// with the server of this machine, and makes it anew with -update.
//
//go:embed commands.txt
var commandsText string

// A flags says what Redis asks of the state that it is in before it runs a command.
type flags uint8

const (
	write   flags = 1 << iota // changes data: not on a replica
	denyOOM                   // may need memory: not when it is full
	loading                   // is served while the data is read from disk
	stale                     // is served by a replica that has lost its primary
	noAuth                    // is served before the client has given a password
)

// flagNames are the names of the flags in COMMAND, in the order of the bits.
var flagNames = [...]string{"write", "denyoom", "loading", "stale", "no_auth"}

func (f flags) has(g flags) bool { return f&g != 0 }

// A keyPlace says where the first key of a command stands.
type keyPlace struct {
	at      int64  // index of the argument, the name being 0; 0: the command has no key
	counted bool   // at is the number of keys, and the first stands behind it if there is one
	word    string // the first key stands behind this word, which is looked for from at on
}

// A command is a command, or a subcommand of a container, as the server knows it.
type command struct {
	kind  string // "GET", "CLIENT|SETINFO"
	arity int64  // number of arguments with the name; -n: at least n; 0: any
	flags flags
	key   keyPlace
	role  role
	known bool
	subs  map[string]*command // of a container
	other *command            // of a container: stands for subcommands that are not known
}

// accepts reports whether the server takes the command with argc arguments.
func (c *command) accepts(argc int64) bool {
	if c.arity < 0 {
		return argc >= -c.arity
	}
	return c.arity == 0 || argc == c.arity
}

// commands reads the table once. It panics when the table is broken, which a test
// would find first.
var commands = sync.OnceValue(func() map[string]*command {
	all := map[string]*command{}
	for line := range strings.Lines(commandsText) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		c, err := parseCommand(line)
		if err != nil {
			panic(fmt.Sprintf("commands.txt: %q: %v", line, err))
		}
		add(all, c)
	}
	return all
})

// parseCommand reads a line: kind, arity, place of the key, flags.
func parseCommand(line string) (*command, error) {
	f := strings.Fields(line)
	if len(f) != 4 {
		return nil, fmt.Errorf("%d fields, want 4", len(f))
	}
	c := &command{kind: f[0], role: roleOf(f[0]), known: true}
	var err error
	if c.arity, err = strconv.ParseInt(f[1], 10, 64); err != nil {
		return nil, err
	}
	if c.key, err = parseKeyPlace(f[2]); err != nil {
		return nil, err
	}
	c.flags, err = parseFlags(f[3])
	return c, err
}

// parseKeyPlace reads "-", "1", "#1" (counted) or "STREAMS@1".
func parseKeyPlace(text string) (p keyPlace, err error) {
	if text == "-" {
		return p, nil
	}
	if word, at, found := strings.Cut(text, "@"); found {
		p.word, text = word, at
	}
	text, p.counted = strings.CutPrefix(text, "#")
	p.at, err = strconv.ParseInt(text, 10, 64)
	return p, err
}

func parseFlags(text string) (f flags, err error) {
	if text == "-" {
		return 0, nil
	}
	for name := range strings.SplitSeq(text, ",") {
		bit := flagOf(name)
		if bit == 0 {
			return 0, fmt.Errorf("unknown flag %q", name)
		}
		f |= bit
	}
	return f, nil
}

func flagOf(name string) flags {
	for i, known := range flagNames {
		if name == known {
			return 1 << i
		}
	}
	return 0
}

// add puts c into all. Containers stand before their subcommands. What is not
// known of a subcommand is taken to be what all its siblings have in common.
func add(all map[string]*command, c *command) {
	name, sub, isSub := strings.Cut(c.kind, "|")
	if !isSub {
		all[c.kind] = c
		return
	}
	parent := all[name]
	if parent.subs == nil {
		parent.subs = map[string]*command{}
		parent.other = &command{flags: c.flags}
	}
	parent.subs[sub] = c
	parent.other.flags &= c.flags
}
