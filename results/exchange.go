package results

import "time"

// The replies of an Exchange that no dependency names itself.
const (
	ReplyOK   = "ok"   // an answer that is no error
	ReplyNil  = "nil"  // RESP: there is nothing under the key
	ReplyNone = "none" // the connection ended before the answer was whole
	// ReplyGarbage is an answer that the protocol does not know.
	ReplyGarbage = "garbage"
)

// An Exchange is one command or query and its reply, as they passed a link on the
// dependency's side of its faults: what a fault holds back is no exchange yet.
// Times are offsets from the start of the run.
type Exchange struct {
	On      string        `json:"on"`                // the link
	Conn    uint64        `json:"conn"`              // ID of the connection
	Sent    time.Duration `json:"sent"`              // when the last byte of the request passed
	Done    time.Duration `json:"done"`              // when the last byte of the reply passed, or the connection ended
	Kind    string        `json:"kind"`              // "GET", "SELECT", …
	Pattern string        `json:"pattern,omitempty"` // the key or statement without what varies: "feature_flags:*"
	Up      int64         `json:"up"`                // bytes of the request
	Down    int64         `json:"down"`              // bytes of the reply
	// Reply is the class of the reply: ReplyOK, ReplyNil, ReplyNone, the first word
	// of a RESP error ("READONLY") or the SQLSTATE of a PostgreSQL error ("57P01").
	Reply string `json:"reply"`
	// Injected says that the link answered in the dependency's name.
	Injected bool `json:"injected,omitempty"`
}
