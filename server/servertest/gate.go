package servertest

import (
	"context"
	"net/url"
	"sync"
	"testing"

	"brownout/chaos/link"
)

// Gate makes a link of that name to a URL. It lives as long as the test. through is the
// URL that leads through it.
func Gate(t testing.TB, name, to string) (g *link.Gate, through string) {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	g = link.New(link.Config{Name: name, Upstream: u.Host})
	if err := g.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := g.Run(ctx); err != nil {
			t.Errorf("the link %s: %v", name, err)
		}
	})
	t.Cleanup(func() { stop(); running.Wait() })
	<-g.Began()
	u.Host = g.Addr()
	return g, u.String()
}
