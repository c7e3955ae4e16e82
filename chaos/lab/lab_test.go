package lab

import (
	"testing"

	"brownout/chaos/stack"
)

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
