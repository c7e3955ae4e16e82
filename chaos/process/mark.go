package process

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"

	"brownout/chaos/stack"
)

// A mark is a key of our own, that tells whether a cache came back with its data.
// The number of keys alone does not: clients write until the server is gone, and
// as soon as it is back.
type mark struct {
	node          *stack.Node
	value         string // "": none was set
	before, after int    // keys of the clients, with the server up
}

// markKey is in the way of no client.
const markKey = "brownout:mark"

// set sets the mark. A PostgreSQL gets none: its writes are judged by what the
// target reads back. Nor does a server of a topology: it comes back to others, with
// their data, and may not be asked for any key.
func (m *mark) set(ctx context.Context) (err error) {
	if m.node.Kind == stack.Postgres || m.node.Source != "" {
		return nil
	}
	if m.before, err = number(ctx, m.node, "DBSIZE"); err != nil {
		return err
	}
	m.value = strconv.FormatUint(rand.Uint64(), 36)
	return tell(ctx, m.node, "SET", markKey, m.value)
}

// Whether a server is to come back with its data.
type fate int

const (
	anyhow fate = iota // its disk may hold none of it
	kept
	gone
)

// check looks at the mark and takes it away. It is an error when the data has not
// met its fate.
func (m *mark) check(ctx context.Context, want fate) error {
	if m.value == "" {
		return nil
	}
	got, none, err := ask(ctx, m.node, "GET", markKey)
	if err != nil {
		return err
	}
	if err := tell(ctx, m.node, "DEL", markKey); err != nil {
		return err
	}
	if m.after, err = number(ctx, m.node, "DBSIZE"); err != nil {
		return err
	}
	switch {
	case want == gone && !none:
		return fmt.Errorf("the %s has come back with data, and was to be empty (%s)", m.node.Name, m)
	case want == kept && got != m.value:
		return fmt.Errorf("the %s has come back without the data that it had (%s)", m.node.Name, m)
	}
	return nil
}

// String says how many keys there were.
func (m *mark) String() string {
	if m.value == "" {
		return ""
	}
	return fmt.Sprintf("%d keys before, %d after", m.before, m.after)
}
