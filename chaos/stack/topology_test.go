//go:build linux

package stack

import (
	"testing"
	"time"
)

func TestX(t *testing.T) {
	place(t)
	for _, topo := range []string{Redis, Replicated, Sentinel, Cluster} {
		t.Run(topo, func(t *testing.T) {
			begin := time.Now()
			s := startStack(t, Config{Cache: topo, Logs: "/tmp/wtopo-x"})
			t.Logf("%s ready after %v", topo, time.Since(begin))
			begin = time.Now()
			if err := s.Await(t.Context()); err != nil {
				t.Error(err)
			}
			t.Logf("Await %v", time.Since(begin))
			begin = time.Now()
			closeStack(t, s)
			t.Logf("closed after %v", time.Since(begin))
		})
	}
}
