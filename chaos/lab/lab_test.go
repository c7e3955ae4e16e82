package lab

import (
	"testing"

	"brownout/chaos"
	"brownout/chaos/stack"
)

// Replicas connect from addresses of their own: a fault can be theirs alone.
func TestAFaultCanHitReplicasOnly(t *testing.T) {
	l := openLab(t, Config{Stack: stack.Config{Cache: stack.Replicated}})
	own := l.Link("cache-1")
	client := plain(t, own.Addr())
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	r, err := own.Inject(t.Context(), chaos.Fault{On: "cache-1", Kind: chaos.Reset, Whom: chaos.Replicas})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Errorf("PING of a client: %v, want it left alone", err)
	}
	ev, err := r.Revert(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if ev.Cut < 1 {
		t.Errorf("evidence = %+v, want the replica's connection cut", ev)
	}
}

func TestALabThatStandsAloneHasNoSite(t *testing.T) {
	l := openLab(t, Config{Stack: stack.Config{Cache: stack.Redis}})
	if _, err := l.Site(t.Context()); err == nil {
		t.Error("Site() of a single server gives no error")
	}
	if l.Link("nonesuch") != nil {
		t.Error("Link(nonesuch) gives a link")
	}
	if err := plain(t, l.Link("cache").Addr()).Ping(t.Context()).Err(); err != nil {
		t.Errorf("PING through the link: %v", err)
	}
}
