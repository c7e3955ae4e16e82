package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/redis/go-redis/v9"
)

// servePlainApp is an app that is not ours: it tells neither versions nor
// sources, has no database, and takes host and port of its Redis in variables of
// its own. A counter that cannot be read counts as unknown.
func servePlainApp(ctx context.Context) error {
	client := redis.NewClient(&redis.Options{
		Addr:        net.JoinHostPort(os.Getenv("APP_CACHE_HOST"), os.Getenv("APP_CACHE_PORT")),
		DialTimeout: 50 * time.Millisecond, ReadTimeout: 50 * time.Millisecond, PoolTimeout: 50 * time.Millisecond,
		DialerRetries: 1, MaxRetries: -1,
	})
	defer client.Close()
	return serveApp(ctx, func(r *http.Request) string {
		n, err := client.Incr(r.Context(), r.PathValue("key")).Result()
		if err != nil {
			return "unknown"
		}
		return fmt.Sprint(n)
	})
}

// serveApp answers with what count says, until ctx ends.
func serveApp(ctx context.Context, count func(*http.Request) string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /counter/{key}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, count(r)) })
	server := &http.Server{Addr: os.Getenv("APP_LISTEN"), Handler: mux, ReadHeaderTimeout: time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.ListenAndServe() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	err := server.Shutdown(context.WithoutCancel(ctx))
	<-ended
	return err
}
