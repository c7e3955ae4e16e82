package failover

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// errUnfit says that a site is not of the kind that a step is for.
var errUnfit = errors.New("the cache is of another kind")

// do is what a step does on a site that can do it.
func do[S Site](act func(S, context.Context) error) func(context.Context, Site) error {
	return func(ctx context.Context, s Site) error {
		fit, ok := s.(S)
		if !ok {
			return errUnfit
		}
		return act(fit, ctx)
	}
}

// fits names the caches that the plan can be carried out on, where act met another.
func (p Plan) fits(act func(context.Context, Site) error) func(context.Context, Site) error {
	return func(ctx context.Context, s Site) error {
		err := act(ctx, s)
		if errors.Is(err, errUnfit) {
			return fmt.Errorf("the plan %s needs a cache of kind %s", p.Name, strings.Join(p.Needs, " or "))
		}
		return err
	}
}

// A replacer can put an empty node in a lost one's place.
type replacer interface {
	Site
	Replace(ctx context.Context) error
	Load(ctx context.Context) error
}

func replace(s replacer, ctx context.Context) error {
	return errors.Join(s.Replace(ctx), s.Load(ctx))
}
