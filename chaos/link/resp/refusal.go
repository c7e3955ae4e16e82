package resp

import (
	"math/rand/v2"

	"brownout/chaos"
	"brownout/chaos/link/wire"
)

// What Redis 7.0 says, word for word.
const (
	readonlyText   = "READONLY You can't write against a read only replica."
	loadingText    = "LOADING Redis is loading the dataset in memory"
	clusterText    = "CLUSTERDOWN The cluster is down"
	masterText     = "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."
	oomText        = "OOM command not allowed when used memory > 'maxmemory'."
	noAuthText     = "NOAUTH Authentication required."
	helloText      = "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time"
	wrongPassText  = "WRONGPASS invalid username-password pair or user is disabled."
	maxClientsText = "ERR max number of clients reached"
	abortText      = "EXECABORT Transaction discarded because of: "
	dirtyText      = "EXECABORT Transaction discarded because of previous errors."
)

func errorReply(text string) []byte { return []byte("-" + text + "\r\n") }

// A refusal is an answer that is in force.
type refusal struct {
	*wire.Answer
	kind  chaos.Kind
	noise *rand.Rand // garbage
}

func newRefusal(a *wire.Answer) *refusal {
	return &refusal{a, chaos.Kind(a.Kind), rand.New(rand.NewPCG(a.Seed, 0))}
}

// concerns reports whether the refusal is about a request.
func (f *refusal) concerns(q question) bool {
	if f.kind == chaos.Garbage {
		return true
	}
	if q.malformed { // the dependency says so before all else
		return false
	}
	switch f.kind {
	case chaos.Readonly, chaos.ReadonlyClose, chaos.ErrReadonly:
		return q.flags.has(write)
	case chaos.OOM:
		return q.flags.has(denyOOM) || q.queued
	case chaos.Loading:
		return !q.flags.has(loading)
	case chaos.MasterDown:
		return !q.flags.has(stale)
	case chaos.ClusterDown:
		return q.keyed
	case chaos.NoAuth:
		return !q.flags.has(noAuth) || q.role == auth || q.role == hello
	}
	return false
}

// reply returns what the client is told.
func (f *refusal) reply(q question) []byte {
	text := f.text(q)
	switch {
	case f.kind == chaos.Garbage:
		return noise(f.noise)
	case q.role == exec && f.kind != chaos.ClusterDown:
		return errorReply(abortText + text)
	}
	return errorReply(text)
}

func (f *refusal) text(q question) string {
	switch f.kind {
	case chaos.ErrReadonly:
		return "ERR " + readonlyText + q.where()
	case chaos.OOM:
		return oomText + q.where()
	case chaos.Loading:
		return loadingText
	case chaos.MasterDown:
		return masterText
	case chaos.ClusterDown:
		return clusterText
	case chaos.NoAuth:
		return noAuthReply(q)
	}
	return readonlyText + q.where()
}

// where says where the error of a script comes from. Its line is not known; most
// have one.
func (q question) where() string {
	if q.inScript == "" {
		return ""
	}
	return " script: " + q.inScript + ", on @user_script:1."
}

// closes reports whether the connection is closed behind the reply: a replica does
// so before it runs a command, and a script is refused when it is running.
func (f *refusal) closes(q question) bool {
	return f.kind == chaos.ReadonlyClose && q.inScript == ""
}

// noAuthReply returns what a server says whose password has changed.
func noAuthReply(q question) string {
	switch {
	case q.role == auth, q.role == hello && q.password:
		return wrongPassText
	case q.role == hello:
		return helloText
	}
	return noAuthText
}
