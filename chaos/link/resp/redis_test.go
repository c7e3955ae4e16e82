package resp

import (
	"context"
	"testing"
	"time"

	"brownout/chaos/stack"

	"github.com/redis/go-redis/v9"
)

// hang guards against what never ends. No test passes or fails by its length.
const hang = 60 * time.Second

// startRedis starts a real Redis that lives as long as the test.
func startRedis(t *testing.T) *stack.Node {
	t.Helper()
	s, err := stack.Start(t.Context(), stack.Config{Cache: stack.Redis})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), hang)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return s.Cache
}

// client returns a client that asks the server at addr and nothing else of it.
func client(t *testing.T, addr string) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: addr, Protocol: 2, DisableIdentity: true, MaxRetries: -1})
	t.Cleanup(func() { c.Close() })
	return c
}
