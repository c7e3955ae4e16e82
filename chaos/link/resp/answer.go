package resp

import (
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"brownout/chaos/link/wire"
)

// maxClients is the one answer that is given to a connection, not to a request.
const maxClients = "max_clients"

// The words of Redis 7.0 (server.c, networking.c, script.c).
const (
	readonlyText   = "READONLY You can't write against a read only replica."
	loadingText    = "LOADING Redis is loading the dataset in memory"
	masterDownText = "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."
	oomText        = "OOM command not allowed when used memory > 'maxmemory'."
	noAuthText     = "NOAUTH Authentication required."
	noHelloText    = "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time"
	clusterText    = "CLUSTERDOWN The cluster is down"
	abortText      = "EXECABORT Transaction discarded because of previous errors."
	abortWriteText = "EXECABORT Transaction discarded because of: " + readonlyText
)

// A verdict is what becomes of a request.
type verdict struct {
	reply   []byte // nil: it is forwarded
	hangUp  bool
	instead bool // the server is sent DISCARD, and its reply swallowed
}

// decide says what becomes of request c.
func (d *Dialog) decide(c command, r *request) verdict {
	for _, a := range d.answers {
		v, ok := d.apply(a, c, r)
		if !ok {
			continue
		}
		a.Chance()
		a.Bite()
		if d.multi.open && c.name != "EXEC" {
			d.multi.spoilt = true
		}
		return v
	}
	if c.name == "EXEC" && d.multi.open && d.multi.spoilt {
		return verdict{reply: failure(abortText), instead: true}
	}
	return verdict{}
}

// apply says what a does to c, if it does anything.
func (d *Dialog) apply(a *wire.Answer, c command, r *request) (verdict, bool) {
	text := ""
	switch a.Kind {
	case "readonly", "readonly_close", "err_readonly":
		return d.readonly(a.Kind, c, r)
	case "loading":
		if !c.loading {
			text = loadingText
		}
	case "masterdown":
		if !c.stale {
			text = masterDownText
		}
	case "oom":
		if c.denyoom {
			text = oomText
		}
	case "clusterdown":
		if c.keyed {
			text = clusterText
		}
	case "noauth":
		text = noAuth(c, r)
	case "garbage":
		d.noises++
		return verdict{reply: noise(a.Seed, d.noises)}, true
	}
	return verdict{reply: failure(text)}, text != ""
}

func (d *Dialog) readonly(kind string, c command, r *request) (verdict, bool) {
	text := readonlyText
	if kind == "err_readonly" {
		text = "ERR " + text
	}
	switch {
	case c.write:
		return verdict{reply: failure(text), hangUp: kind == "readonly_close"}, true
	case c.script:
		return verdict{reply: failure(fmt.Sprintf("%s script: %s, on @user_script:1.", text, scriptName(c, r)))}, true
	case c.name == "EXEC" && d.multi.open && d.multi.writes && !d.multi.spoilt:
		return verdict{reply: failure(abortWriteText), instead: true}, true
	}
	return verdict{}, false
}

// scriptName is the SHA-1 that Redis names scripts by. Of a script of more bytes
// than are kept it is that of its beginning.
func scriptName(c command, r *request) string {
	if c.name == "EVAL" {
		return fmt.Sprintf("%x", sha1.Sum(r.word(1)))
	}
	return string(r.word(1))
}

func noAuth(c command, r *request) string {
	switch {
	case c.name == "HELLO" && r.argc <= 2:
		return noHelloText
	case c.noAuth:
		return ""
	}
	return noAuthText
}

// failure is an error reply, nil without a text.
func failure(text string) []byte {
	if text == "" {
		return nil
	}
	return []byte("-" + text + "\r\n")
}

// noise is a line that no type of RESP begins. The same seed gives the same noise.
func noise(seed, n uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, n))
	b := binary.BigEndian.AppendUint64([]byte{'@'}, rng.Uint64())
	for i, c := range b {
		if c == '\r' || c == '\n' {
			b[i] = '@'
		}
	}
	return append(b, '\r', '\n')
}

// A transaction is what is known of a MULTI that has not ended.
type transaction struct {
	open   bool
	writes bool // a command that writes was queued
	spoilt bool // a command was answered with an error
}

// follow takes note of a request that is forwarded or answered.
func (t *transaction) follow(c command) {
	switch c.name {
	case "MULTI":
		*t = transaction{open: true}
	case "EXEC", "DISCARD", "RESET":
		*t = transaction{}
	default:
		t.writes = t.writes || t.open && c.write
	}
}
