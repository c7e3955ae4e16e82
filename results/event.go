package results

import "time"

// EventKind says what happened.
type EventKind string

// The kinds of event.
const (
	EventPhase     EventKind = "phase"     // a phase began (On: its name)
	EventEnd       EventKind = "end"       // the load ended
	EventInject    EventKind = "inject"    // a fault is in force (On: the link)
	EventRevert    EventKind = "revert"    // a fault has been taken away (Injection is set)
	EventConnect   EventKind = "connect"   // a connection through a link was accepted (Conn is set)
	EventClose     EventKind = "close"     // it ended (Conn is set)
	EventStart     EventKind = "start"     // a process was started
	EventReady     EventKind = "ready"     // a process answered
	EventExit      EventKind = "exit"      // a process ended
	EventInterrupt EventKind = "interrupt" // the run was cancelled
	EventStep      EventKind = "step"      // a failover took a step (Step is set; On: the failover)
)

// An Event is something that happened at one moment of the run.
type Event struct {
	At        time.Duration `json:"at"`
	Kind      EventKind     `json:"kind"`
	On        string        `json:"on,omitempty"`   // phase, link or process
	Text      string        `json:"text,omitempty"` // for people
	Conn      *Conn         `json:"conn,omitempty"`
	Asked     bool          `json:"asked,omitempty"` // exit: we had told the process to end
	Injection *Injection    `json:"injection,omitempty"`
	Step      *Step         `json:"step,omitempty"`
}

// A Step is a step of a failover as it was taken. Times are offsets from the
// beginning of the failover.
type Step struct {
	Name  string        `json:"name"`
	Due   time.Duration `json:"due"`
	Began time.Duration `json:"began"`
	Ended time.Duration `json:"ended"`
	Error string        `json:"error,omitempty"`
}

// Closer says who ended a connection first.
type Closer string

// Who ended a connection, and how.
const (
	ClosedByClient      Closer = "client"       // FIN from the client
	ClosedByClientReset Closer = "client-reset" // RST from the client
	ClosedByServer      Closer = "server"       // FIN from the dependency
	ClosedByServerReset Closer = "server-reset" // RST from the dependency
	ClosedByGate        Closer = "gate"         // the link itself: a fault, or its end
	ClosedByDial        Closer = "dial"         // the dependency could not be reached
)

// A Conn is one connection through a link, as the link saw it.
type Conn struct {
	ID     uint64        `json:"id"` // from 1, per link
	Client string        `json:"client"`
	To     string        `json:"to,omitempty"` // address of the dependency
	Opened time.Duration `json:"opened"`
	Closed time.Duration `json:"closed,omitempty"` // 0: still open
	By     Closer        `json:"by,omitempty"`
	Up     int64         `json:"up"`   // bytes from client to dependency
	Down   int64         `json:"down"` // bytes from dependency to client
	// Silence is the longest time for which the client had sent something and not
	// one byte came back.
	Silence time.Duration `json:"silence,omitempty"`
	// Aside says why the link stopped following what the two sides said to each
	// other: what came later is in no exchange.
	Aside string `json:"aside,omitempty"`
}

// An Injection is a fault and the interval in which it was in force, with the
// evidence that it bit.
type Injection struct {
	Kind     string        `json:"kind"`  // kind of fault, as in the scenario; KindFailover
	On       string        `json:"on"`    // the link
	Fault    string        `json:"fault"` // the whole fault in words: kind and parameters
	Start    time.Duration `json:"start"`
	End      time.Duration `json:"end"`
	Passes   bool          `json:"passes,omitempty"` // it ended by itself, not because its time was over
	Evidence Evidence      `json:"evidence"`
	Error    string        `json:"error,omitempty"` // putting it in force or reverting it failed
}

// KindFailover is the kind of an injection that is a failover: from its beginning
// until clients can go on.
const KindFailover = "failover"

// Evidence is what a link, or a server, showed of a fault while it was in force.
type Evidence struct {
	// Chances counts the occasions on which the fault could have bitten, Bites
	// those on which it did. What an occasion is depends on the kind of fault and
	// is named in Occasion ("connections that sent", "chunks", …).
	Occasion string `json:"occasion"`
	Chances  int    `json:"chances"`
	Bites    int    `json:"bites"`
	// DelayAsked and DelayMeasured are set by faults that delay: the smallest delay
	// that the fault promises on average, and the median delay that the link added
	// to what came through. It is 0 when nothing did, because every client gave up
	// before; Bites counts what was held until then.
	DelayAsked    time.Duration `json:"delay_asked,omitempty"`
	DelayMeasured time.Duration `json:"delay_measured,omitempty"`
	// Silence is the longest time for which a connection that had sent something
	// was kept without an answer by the fault, SilentAtEnd how many connections
	// were so when the fault was taken away.
	Silence     time.Duration `json:"silence,omitempty"`
	SilentAtEnd int           `json:"silent_at_end,omitempty"`
	Refused     int           `json:"refused,omitempty"` // dials seen refused
	Cut         int           `json:"cut,omitempty"`     // live connections closed by the fault
	// Offered counts the connections that the fault was meant for: of those it is for,
	// the ones that were live when it came in force and the ones accepted while it was.
	// Hit counts those of them that it was put on. Both are 0 for a fault that does not
	// work on connections.
	Offered int `json:"offered,omitempty"`
	Hit     int `json:"hit,omitempty"`
	// ShareAsked is the share of Offered that was to be hit, from 0 to 1, Whom whose
	// connections, as in the scenario. They are set where the fault says so.
	ShareAsked float64 `json:"share_asked,omitempty"`
	Whom       string  `json:"whom,omitempty"`
	// Seen says in words what was seen of a fault on a server: processes, keys.
	Seen string `json:"seen,omitempty"`
}
