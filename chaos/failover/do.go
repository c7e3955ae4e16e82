package failover

import (
	"context"
	"errors"
)

func do(act func(Site, context.Context) error) func(context.Context, Site) error {
	return func(ctx context.Context, s Site) error { return act(s, ctx) }
}

func replace(ctx context.Context, s Site) error {
	return errors.Join(s.Replace(ctx), s.Load(ctx))
}
