package lab

import (
	"strings"
	"testing"

	"brownout/chaos"
	"brownout/chaos/failover"
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

func TestALabThatStandsAloneHasNoFailover(t *testing.T) {
	l := openLab(t, Config{Stack: stack.Config{Cache: stack.Redis}})
	site, err := l.Site(t.Context())
	if err != nil {
		t.Fatalf("Site: %v", err)
	}
	for plan, want := range map[string]string{
		"unplanned":     "the plan unplanned needs a cache of kind replicated",
		"auth-rotation": "there is no password to rotate; start a local cache with password: yes",
	} {
		p, _ := failover.Find(plan)
		err := failover.Run(t.Context(), p.Steps(failover.Times{}, 1), site, func(failover.Done) {})
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s = %v, want %q", plan, err, want)
		}
	}
	if l.Link("nonesuch") != nil {
		t.Error("Link(nonesuch) gives a link")
	}
	if err := plain(t, l.Link("cache").Addr()).Ping(t.Context()).Err(); err != nil {
		t.Errorf("PING through the link: %v", err)
	}
}
