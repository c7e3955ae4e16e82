package lab

import (
	"context"
	"errors"

	"brownout/chaos"
	"brownout/chaos/stack"
)

// A host is what a node runs on, as others see it: at the node's own link.
type host struct {
	lab  *Lab
	node *stack.Node
	lost []chaos.Reverter
}

// vanish takes the host away: connections fall silent, SYNs vanish and the process
// is killed, last, because its kernel would tell clients.
func (h *host) vanish(ctx context.Context) error {
	own := h.lab.Link(h.node.Name)
	for _, f := range []chaos.Fault{
		{On: own.Name, Kind: chaos.Drop},
		{On: own.Name, Kind: chaos.Blackhole, Revert: chaos.Close},
	} {
		r, err := own.Inject(ctx, f)
		if err != nil {
			return err
		}
		h.lost = append(h.lost, r)
	}
	return h.node.Kill(ctx)
}

// appear lets others reach the host again. Connections of before are closed.
func (h *host) appear(ctx context.Context) error {
	var errs []error
	for _, r := range h.lost {
		_, err := r.Revert(ctx)
		errs = append(errs, err)
	}
	h.lost = nil
	return errors.Join(errs...)
}
