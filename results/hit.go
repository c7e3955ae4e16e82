package results

import "time"

// Op says what a hit asked of the target.
type Op string

// The operations of a run. Only reads and writes are load: a seed write comes
// before it, a readback after all faults are gone. What was skipped was meant to be
// load, and never sent.
const (
	OpRead     Op = "read"
	OpWrite    Op = "write"
	OpSeed     Op = "seed"
	OpReadback Op = "readback"
	OpSkipped  Op = "skipped"
)

// ErrorClass says how a hit failed, whatever the words of the error.
type ErrorClass string

// The classes of error. A hit without an error has ErrorNone.
const (
	ErrorNone    ErrorClass = ""
	ErrorTimeout ErrorClass = "timeout" // no answer within the request timeout
	ErrorRefused ErrorClass = "refused" // connection refused
	ErrorReset   ErrorClass = "reset"   // connection reset, or closed before the answer ended
	ErrorStatus  ErrorClass = "status"  // an answer with a status code outside 2xx
	ErrorAnswer  ErrorClass = "answer"  // an answer with 2xx that the target file could not read
	ErrorOther   ErrorClass = "other"
)

// Source says where an answer came from, in the words of RFC 9211: "hit",
// "stale", or the reason it was forwarded ("miss", "bypass", …). Empty: the
// target does not say.
type Source string

// The sources that expectations name.
const (
	SourceHit    Source = "hit"    // the cache answered
	SourceStale  Source = "stale"  // the cache answered with something it knew to be old
	SourceMiss   Source = "miss"   // the cache was asked and had nothing: the database answered
	SourceBypass Source = "bypass" // the cache was not asked or could not answer: the database answered
)

// A Hit is one scheduled request and what became of it. Times are offsets from
// the start of the run.
type Hit struct {
	Seq  uint64        `json:"seq"` // position in the schedule, from 0
	Op   Op            `json:"op"`
	Due  time.Duration `json:"due"`  // when the schedule wanted it sent
	Sent time.Duration `json:"sent"` // when it was handed to the HTTP client
	Done time.Duration `json:"done"` // when the answer had been read, or the error came

	Instance    int    `json:"instance,omitempty"` // of the target, from 0
	Environment string `json:"env"`
	Key         string `json:"key"`
	// Token is the value that was written or read. Every write of a run carries a
	// token of its own (see loadtest.Token), so that an answer names the write it
	// stems from. Empty: the answer had none, or the target file does not say where.
	Token   string `json:"token,omitempty"`
	Version uint64 `json:"version,omitempty"` // version in the answer; 0: not known

	Code   int        `json:"code,omitempty"` // HTTP status; 0: no answer
	Error  ErrorClass `json:"error,omitempty"`
	Detail string     `json:"detail,omitempty"` // the error in words
	Source Source     `json:"source,omitempty"`
}

// OK reports whether the target answered as it should.
func (h Hit) OK() bool { return h.Error == ErrorNone }

// Latency is what a caller felt: from due to done.
func (h Hit) Latency() time.Duration { return h.Done - h.Due }

// ServiceTime is from sent to done. It hides the generator's own queueing.
func (h Hit) ServiceTime() time.Duration { return h.Done - h.Sent }

// Lateness is from due to sent: how far the generator was behind its schedule.
func (h Hit) Lateness() time.Duration { return h.Sent - h.Due }
