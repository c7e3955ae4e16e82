package resp

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"brownout/chaos/stack"
)

var update = flag.Bool("update", false, "write commands.txt from the running server")

// flags are those that the table keeps.
var flags = []string{"write", "denyoom", "loading", "stale", "no_auth", "movablekeys"}

// startRedis runs a real Redis until the test ends.
func startRedis(t testing.TB) *stack.Node {
	t.Helper()
	s, err := stack.Start(t.Context(), stack.Config{Cache: stack.Redis})
	if err != nil {
		t.Fatalf("starting Redis: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Errorf("stopping Redis: %v", err)
		}
	})
	return s.Cache
}

func TestTheTableIsWhatRedisSays(t *testing.T) {
	node := startRedis(t)
	c := redis.NewClient(&redis.Options{Addr: node.Addr, Protocol: 2})
	defer c.Close()
	reply, err := c.Do(t.Context(), "COMMAND").Slice()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, one := range reply {
		lines = append(lines, describe(one.([]any))...)
	}
	slices.Sort(lines)
	got := strings.Join(lines, "")
	if *update {
		if err := os.WriteFile("commands.txt", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if node.Kind != stack.Redis || node.Version != "7.0.15" {
		t.Skipf("the table is that of Redis 7.0.15, this is %s %s", node.Kind, node.Version)
	}
	if got != commandTable {
		t.Error("commands.txt is not what Redis says: run the test with -update and look at the difference")
	}
}

// describe is the line of a command, and those of its parts.
func describe(c []any) []string {
	var kept []string
	for _, f := range c[2].([]any) {
		if slices.Contains(flags, f.(string)) {
			kept = append(kept, f.(string))
		}
	}
	if len(kept) == 0 {
		kept = []string{"-"}
	}
	slices.Sort(kept)
	lines := []string{fmt.Sprintf("%s %s %d\n", c[0], strings.Join(kept, ","), c[3])}
	for _, part := range c[9].([]any) {
		lines = append(lines, describe(part.([]any))...)
	}
	return lines
}
