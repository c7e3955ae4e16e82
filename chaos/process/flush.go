package process

import (
	"context"
	"fmt"
	"strconv"

	"brownout/chaos/stack"
	"brownout/results"
)

// A flushing is flush: it is over when it begins.
type flushing struct {
	node          *stack.Node
	before, after int // keys
	passed        chan struct{}
}

func newFlushing(n *stack.Node) *flushing { return &flushing{node: n, passed: make(chan struct{})} }

// flushScript counts and flushes in one step, so that no client comes between.
const flushScript = `local before = redis.call("DBSIZE"); redis.call("FLUSHALL"); return {before, redis.call("DBSIZE")}`

func (f *flushing) begin(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	r, err := f.node.Do(ctx, "EVAL", flushScript, "0")
	if err != nil {
		return fmt.Errorf("flushing the %s: %w", f.node.Name, err)
	}
	for i, count := range []*int{&f.before, &f.after} {
		if len(r.List) != 2 {
			return fmt.Errorf("flushing the %s: it answered %+v", f.node.Name, r)
		}
		if *count, err = strconv.Atoi(r.List[i].Text); err != nil {
			return fmt.Errorf("flushing the %s: %w", f.node.Name, err)
		}
	}
	close(f.passed)
	return nil
}

func (f *flushing) over() <-chan struct{} { return f.passed }

// end has nothing to take away: the clients fill the server again.
func (f *flushing) end(context.Context) (results.Evidence, error) {
	return results.Evidence{
		Occasion: "keys", Chances: f.before, Bites: f.before - f.after,
		Seen: fmt.Sprintf("%d keys before, %d after", f.before, f.after),
	}, nil
}
