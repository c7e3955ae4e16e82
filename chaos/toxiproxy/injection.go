package toxiproxy

import (
	"context"
	"errors"
	"fmt"
	"slices"

	client "github.com/Shopify/toxiproxy/v2/client"

	"brownout/chaos"
	"brownout/results"
)

// An injection is a fault in force. It implements chaos.Reverter.
type injection struct {
	injector *Injector
	fault    chaos.Fault
	proxy    *client.Proxy
	toxics   []string // in force, by name
	disabled bool
	prober   *prober
	reverted bool
}

// put puts the fault in force, wholly or not at all.
func (i *injection) put(ctx context.Context, toxics []client.Toxic) error {
	var err error
	if len(toxics) == 0 {
		err = i.injector.call(ctx, i.proxy.Disable, i.proxy.Enable)
		i.disabled = err == nil
	}
	for _, t := range toxics {
		if err = i.add(ctx, t); err != nil {
			break
		}
	}
	if err == nil {
		return nil
	}
	cctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), i.injector.cfg.Timeout)
	defer cancel()
	return errors.Join(fmt.Errorf("putting %s in force on proxy %s: %w", i.fault.Kind, i.proxy.Name, err), i.takeAway(cctx))
}

func (i *injection) add(ctx context.Context, t client.Toxic) error {
	remove := func() error { return i.proxy.RemoveToxic(t.Name) }
	err := i.injector.call(ctx, func() error {
		_, err := i.proxy.AddToxic(t.Name, t.Type, t.Stream, t.Toxicity, t.Attributes)
		return err
	}, remove)
	switch {
	case err == nil:
		i.toxics = append(i.toxics, t.Name)
	case ctx.Err() == nil && !denied(err): // who knows whether it was added
		_ = i.injector.call(ctx, remove, nil)
	}
	return err
}

// Revert implements chaos.Reverter. It takes the fault away also when ctx is done,
// within the injector's timeout; otherwise it comes to an end when ctx is done.
func (i *injection) Revert(ctx context.Context) (results.Evidence, error) {
	if i.reverted {
		return results.Evidence{}, fmt.Errorf("%s has already been reverted", i.fault)
	}
	i.reverted = true
	ev := i.prober.finish()
	if ctx.Err() != nil {
		ctx = context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, i.injector.cfg.Timeout)
	defer cancel()
	return ev, i.takeAway(ctx)
}

// takeAway takes away what is in force, the last first. All of it is tried.
func (i *injection) takeAway(ctx context.Context) error {
	var errs []error
	for _, name := range slices.Backward(i.toxics) {
		if err := i.injector.call(ctx, func() error { return i.proxy.RemoveToxic(name) }, nil); err != nil {
			errs = append(errs, fmt.Errorf("toxic %s may still be on proxy %s: %w", name, i.proxy.Name, err))
		}
	}
	if i.disabled {
		if err := i.injector.call(ctx, i.proxy.Enable, nil); err != nil {
			errs = append(errs, fmt.Errorf("proxy %s may still be disabled: %w", i.proxy.Name, err))
		}
	}
	return errors.Join(errs...)
}
