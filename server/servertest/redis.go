package servertest

import (
	"context"
	"testing"
	"time"

	"brownout/chaos/stack"
)

// stopRedis bounds how long a test's Redis may take to end.
const stopRedis = 10 * time.Second

// Redis starts a real Redis that lives as long as the test, and returns its URL.
// Servers are found where the harness finds them; see stack.Find.
func Redis(t testing.TB) (url string) {
	t.Helper()
	s, err := stack.Start(t.Context(), stack.Config{Cache: stack.Redis})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopRedis)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return s.Cache.URL
}
