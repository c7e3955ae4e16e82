package process

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"brownout/chaos/stack"
	"brownout/chaos/stack/admin"
	"brownout/results"
)

// The server is filled with a key of fillSize and its limit drawn below, so that
// what clients delete makes no room for what they write.
const (
	fillKey  = "brownout:fill"
	fillSize = 32 << 20
	headroom = 8 << 20 // of the limit above what was used before
	probeKey = "brownout:probe"
)

// A filling is fill: the server is full until it is reverted.
type filling struct {
	node    *stack.Node
	clients int
	limit   string // maxmemory before
	policy  string // maxmemory-policy before
	used    int    // bytes before
	prober  prober
}

func (f *filling) begin(ctx context.Context) (err error) {
	if f.clients, err = f.node.Clients(); err != nil {
		return err
	}
	if err := f.look(ctx); err != nil {
		return err
	}
	if err := f.fill(ctx); err != nil {
		return errors.Join(fmt.Errorf("filling: %w", err), f.free(context.WithoutCancel(ctx)))
	}
	f.prober = prober{felt: f.full}
	f.prober.start()
	return nil
}

// look remembers how the server was.
func (f *filling) look(ctx context.Context) (err error) {
	if f.limit, err = setting(ctx, f.node, "maxmemory"); err != nil {
		return err
	}
	if f.policy, err = setting(ctx, f.node, "maxmemory-policy"); err != nil {
		return err
	}
	text, _, err := ask(ctx, f.node, "INFO", "memory")
	if err != nil {
		return err
	}
	for line := range strings.Lines(text) {
		if value, found := strings.CutPrefix(strings.TrimSpace(line), "used_memory:"); found {
			f.used, err = strconv.Atoi(value)
			return err
		}
	}
	return fmt.Errorf("asking the %s: INFO memory says no used_memory", f.node.Name)
}

func (f *filling) fill(ctx context.Context) error {
	return f.all(ctx,
		[]string{"CONFIG", "SET", "maxmemory-policy", "noeviction"},
		[]string{"CONFIG", "SET", "maxmemory", "0"},
		[]string{"SETRANGE", fillKey, strconv.Itoa(fillSize - 1), "x"},
		[]string{"CONFIG", "SET", "maxmemory", strconv.Itoa(f.used + headroom)},
	)
}

func (f *filling) free(ctx context.Context) error {
	return f.all(ctx,
		[]string{"DEL", fillKey, probeKey},
		[]string{"CONFIG", "SET", "maxmemory", f.limit},
		[]string{"CONFIG", "SET", "maxmemory-policy", f.policy},
	)
}

// full reports whether the server refuses a write for want of memory.
func (f *filling) full() bool {
	var answer *admin.Error
	err := f.write(context.Background())
	return errors.As(err, &answer) && strings.HasPrefix(answer.Text, "OOM ")
}

func (f *filling) write(ctx context.Context) error { return tell(ctx, f.node, "SET", probeKey, "x") }

func (f *filling) end(ctx context.Context) (results.Evidence, error) {
	f.prober.finish(ctx)
	ev := results.Evidence{
		Occasion: "writes of our own to a server that had clients",
		Seen:     said(clientsSaid(f.clients), fmt.Sprintf("%d bytes before, limit %d, %d added", f.used, f.used+headroom, fillSize)),
	}
	if f.clients > 0 {
		ev.Chances, ev.Bites = f.prober.made, f.prober.hits
	}
	var died error
	if f.node.Process().Exited() { // what fills it may be in its data
		died = revive(ctx, f.node)
	}
	err := f.free(ctx)
	if err == nil {
		err = errors.Join(f.write(ctx), tell(ctx, f.node, "DEL", probeKey))
	}
	if err != nil {
		err = fmt.Errorf("making room: %w", err)
	}
	return ev, errors.Join(died, err)
}

func (f *filling) all(ctx context.Context, commands ...[]string) error {
	for _, words := range commands {
		if err := tell(ctx, f.node, words...); err != nil {
			return err
		}
	}
	return nil
}
