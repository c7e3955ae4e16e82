package resp

import (
	"bytes"
	"crypto/sha1" // it names scripts
	"fmt"
	"strings"
)

// A question is a request as far as refusals ask about it.
type question struct {
	role      role
	flags     flags
	keyed     bool
	queued    bool // the dependency would queue it in a transaction
	malformed bool // the dependency would not take it, whatever its state
	password  bool // it has one

	// inScript names, as Redis does, a script that does not say what it does: it is
	// refused when it is running.
	inScript string
}

// question returns what the current request asks. raw is the whole of it; nil: it is
// too large for that.
func (d *Dialog) question(raw []byte) question {
	c := d.request.cmd
	q := question{role: c.role, flags: c.flags, keyed: d.request.keyed}
	q.malformed = c.known && !c.accepts(d.request.argc)
	switch c.role {
	case exec:
		q.askTransaction(&d.tx)
	case script, readScript:
		q.askScript(c.kind, arguments(raw))
	case hello:
		q.askHello(arguments(raw))
	}
	q.queued = d.tx.open && !d.tx.ends(c.role) && c.role != quit
	return q
}

// askTransaction asks about what EXEC would run. As in Redis it is refused for
// what is queued.
func (q *question) askTransaction(t *transaction) {
	if !t.open {
		return
	}
	q.flags |= t.any & (write | denyOOM)
	q.flags &^= ^t.every & (loading | stale)
	q.keyed = t.keyed
}

// scriptFlags returns f, and for a script what it is taken to do: its name does not
// say it.
func (r role) scriptFlags(f flags) flags {
	switch r {
	case script:
		return f&^stale | write | denyOOM
	case readScript:
		return f &^ stale
	}
	return f
}

// askScript asks about a script. In Redis 7 it may say by its first line what it
// does not do (scriptFlagsToCmdFlags), and then is refused before it is run.
func (q *question) askScript(kind string, args [][]byte) {
	q.flags = q.role.scriptFlags(q.flags)
	if len(args) < 2 || kind == "FCALL" || kind == "FCALL_RO" {
		return // what a function says is known to the dependency only
	}
	if kind == "EVALSHA" || kind == "EVALSHA_RO" {
		q.inScript = strings.ToLower(string(args[1]))
		return
	}
	said, ok := shebangFlags(args[1])
	if !ok {
		q.inScript = fmt.Sprintf("%x", sha1.Sum(args[1]))
		return
	}
	q.flags |= write | denyOOM
	if strings.Contains(said, ",no-writes,") {
		q.flags &^= write | denyOOM
	}
	if strings.Contains(said, ",allow-oom,") {
		q.flags &^= denyOOM
	}
	if strings.Contains(said, ",allow-stale,") {
		q.flags |= stale
	}
}

// shebangFlags returns the flags of "#!lua flags=no-writes,allow-stale" with a
// comma before and behind each.
func shebangFlags(body []byte) (string, bool) {
	if !bytes.HasPrefix(body, []byte("#!")) {
		return "", false
	}
	line, _, _ := bytes.Cut(body, []byte("\n"))
	for _, word := range strings.Fields(string(line)) {
		if list, found := strings.CutPrefix(word, "flags="); found {
			return "," + list + ",", true
		}
	}
	return "", true
}

// askHello asks about HELLO [version [AUTH user password] …].
func (q *question) askHello(args [][]byte) {
	if len(args) > 1 {
		version := string(args[1])
		q.malformed = q.malformed || version != "2" && version != "3"
	}
	for i := 2; i < len(args); i++ {
		q.password = q.password || equalFold(args[i], "AUTH")
	}
}
