package server_test

import (
	"fmt"
	"testing"
	"time"

	"brownout/chaos/stack"
	"brownout/server/servertest"
)

// How long after its process was started a server answers from Redis for the first
// time, with somebody asking all the time: whether Redis has the entry already, and
// whether the server connects before it is asked.
func BenchmarkFirstCacheHit(b *testing.B) {
	pg, err := servertest.NewPostgres()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := pg.Close(); err != nil {
			b.Error(err)
		}
	})
	if err := pg.Start(); err != nil {
		b.Fatal(err)
	}
	redis := servertest.Caches(b, stack.Config{Cache: stack.Redis})
	settings := []string{"CACHE=redis", "REDIS_URL=" + redis.Cache.URL, "DATABASE_URL=" + pg.URL()}
	writer := startMeasured(b, roleServer, settings...)
	const path = "/v1/environments/e/flags/f"
	firstly(b, func() bool {
		a, _ := try("PUT", writer.url+path, `{"enabled":true,"value":1}`)
		return a.code == 201
	})
	for _, full := range []bool{true, false} {
		for _, early := range []bool{true, false} {
			b.Run(fmt.Sprintf("entry=%t/connect_at_start=%t", full, early), func(b *testing.B) {
				for b.Loop() {
					if !full {
						if _, err := redis.Cache.Do(b.Context(), "FLUSHALL"); err != nil {
							b.Fatal(err)
						}
					}
					s := startMeasured(b, roleServer, append(settings, fmt.Sprint("CACHE_CONNECT_AT_START=", early))...)
					firstly(b, func() bool {
						a, err := try("GET", s.url+path, "")
						return err == nil && a.source() == "redis;hit"
					})
				}
			})
		}
	}
}

// firstly waits for the first time that it is so.
func firstly(b *testing.B, so func() bool) {
	b.Helper()
	for limit := time.Now().Add(guard); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			b.Fatal("it is still not so")
		}
	}
}
