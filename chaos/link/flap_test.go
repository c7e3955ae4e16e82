package link

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

func TestFlapGoesDownAndUp(t *testing.T) {
	g, _, _ := startGate(t, startEcho(t).addr())
	c := dialGate(t, g)
	send(t, c, "before")
	expect(t, c, "before")
	r := inject(t, g, flapFault)
	expectEnd(t, c, errReset)
	const turns = 3
	for range turns {
		waitFor(t, "the port is up", func() bool {
			var err error
			if c, err = net.DialTCP("tcp", nil, g.port.addr); err != nil && !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, errReset) {
				t.Fatalf("Dial = %v, want connection refused, reset or none", err)
			}
			return err == nil
		})
		c.SetDeadline(time.Now().Add(guardTime))
		if _, err := io.Copy(io.Discard, c); !errors.Is(err, errReset) {
			t.Errorf("what was opened while up ended with %v, want %v", err, errReset)
		}
		c.Close()
	}
	ev := revert(t, r)
	if ev.Cut < 1 || ev.Refused < 2*turns || ev.Bites != ev.Cut+ev.Refused || ev.Chances != ev.Bites {
		t.Errorf("evidence = %+v, want at least 1 cut, %d refused, and a bite for each chance", ev, 2*turns)
	}
	c = dialGate(t, g)
	send(t, c, "after")
	expect(t, c, "after")
	time.Sleep(4 * flapFault.Down) // if it flapped on, it would be felt
	send(t, c, "still")
	expect(t, c, "still")
}

func TestFlapAsARedisClientSeesIt(t *testing.T) {
	srv := miniredis.RunT(t)
	g, _, _ := startGate(t, srv.Addr())
	client := redis.NewClient(&redis.Options{Addr: g.Addr(), MaxRetries: -1, DialerRetries: 1, DisableIdentity: true, Protocol: 2})
	defer client.Close()
	ctx := context.Background()
	if err := client.Set(ctx, "flag", "on", 0).Err(); err != nil {
		t.Fatal(err)
	}
	r := inject(t, g, flapFault)
	for range 2 {
		waitFor(t, "a GET that is refused", func() bool { return errors.Is(client.Get(ctx, "flag").Err(), syscall.ECONNREFUSED) })
		waitFor(t, "a GET that succeeds", func() bool { return client.Get(ctx, "flag").Err() == nil })
	}
	revert(t, r)
	waitFor(t, "the client is well again", func() bool {
		v, err := client.Get(ctx, "flag").Result()
		return err == nil && v == "on"
	})
}
