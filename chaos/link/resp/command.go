package resp

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// commands.txt is what Redis 7.0.15 says of its commands: name, flags, position of
// the first key. TestTheTableIsWhatRedisSays compares it with a running server, and
// writes it with -update.
//
//go:embed commands.txt
var commandTable string

// A command is what has to be known of one to answer it.
type command struct {
	name string // "GET", "CLIENT|SETINFO", as INFO commandstats names it, in upper case
	key  int    // position of the first key; 0: none, or not at a fixed place
	subs bool   // the next word is part of the name

	write, denyoom, loading, stale, noAuth, keyed, script bool
}

var commands = sync.OnceValue(readCommands) // made once, never changed

func readCommands() map[string]*command {
	all := map[string]*command{}
	for line := range strings.Lines(commandTable) {
		c, err := readCommand(line)
		if err != nil {
			panic(fmt.Sprintf("commands.txt: %v", err)) // it is part of the program
		}
		all[strings.ToLower(c.name)] = c
		if container, _, ok := strings.Cut(c.name, "|"); ok {
			all[strings.ToLower(container)].subs = true // it stands before its parts
		}
	}
	return all
}

func readCommand(line string) (*command, error) {
	words := strings.Fields(line)
	if len(words) != 3 {
		return nil, fmt.Errorf("%q has %d words, want 3", line, len(words))
	}
	key, err := strconv.Atoi(words[2])
	if err != nil {
		return nil, fmt.Errorf("%q: %w", line, err)
	}
	c := &command{name: strings.ToUpper(words[0]), key: key, keyed: key > 0}
	for flag := range strings.SplitSeq(words[1], ",") {
		switch flag {
		case "write":
			c.write = true
		case "denyoom":
			c.denyoom = true
		case "loading":
			c.loading = true
		case "stale":
			c.stale = true
		case "no_auth":
			c.noAuth = true
		case "movablekeys":
			c.keyed = true
		}
	}
	switch c.name {
	case "EVAL", "EVALSHA", "FCALL":
		c.script = true
	}
	return c, nil
}

// command says which one r is. One that is not in the table is the server's own
// business: it is answered by none but garbage.
func (d *Dialog) command(r *request) command {
	var lower [2*keptBytes + 1]byte
	name := appendLower(lower[:0], r.word(0))
	c, ok := commands()[string(name)]
	if !ok {
		return command{name: strings.ToUpper(d.names.get(name)), loading: true, stale: true, noAuth: true}
	}
	if !c.subs {
		return *c
	}
	if part, ok := commands()[string(appendLower(append(name, '|'), r.word(1)))]; ok {
		return *part
	}
	return command{name: c.name, loading: true, stale: true}
}

func appendLower(to, b []byte) []byte {
	for _, c := range b {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		to = append(to, c)
	}
	return to
}

// patternOf is the pattern of the first key of r, empty if it has none.
func (d *Dialog) patternOf(c command, r *request) string {
	if c.key <= 0 || c.key >= keptArgs || r.lens[c.key] == 0 {
		return ""
	}
	return d.patterns.pattern(r.word(c.key))
}
