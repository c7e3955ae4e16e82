package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"brownout/results/judge"
)

// A redialer keeps connections to a Redis, each by itself, and dials anew what it has
// lost. Clients are not that plain: their pools dial for callers, too.
type redialer struct {
	address        string
	connections    int
	pause, longest time.Duration // the first pause after a dial in vain, and any
	factor         float64       // from pause to pause
	random         bool          // a pause is drawn from nothing to that
}

// newRedialer reads the settings from the environment.
func newRedialer() (redialer, error) {
	r := redialer{address: net.JoinHostPort(os.Getenv("APP_CACHE_HOST"), os.Getenv("APP_CACHE_PORT"))}
	var wrong [5]error
	r.connections, wrong[0] = strconv.Atoi(os.Getenv("APP_CONNECTIONS"))
	r.pause, wrong[1] = time.ParseDuration(os.Getenv("APP_PAUSE"))
	r.longest, wrong[2] = time.ParseDuration(os.Getenv("APP_LONGEST"))
	r.factor, wrong[3] = strconv.ParseFloat(os.Getenv("APP_FACTOR"), 64)
	r.random, wrong[4] = strconv.ParseBool(os.Getenv("APP_RANDOM"))
	return r, errors.Join(wrong[:]...)
}

// serveRedialApp answers everything, and keeps its connections meanwhile.
func serveRedialApp(ctx context.Context) error {
	r, err := newRedialer()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer stop()
	for range r.connections {
		all.Go(func() { r.keep(ctx) })
	}
	return serveApp(ctx, func(*http.Request) string { return "unknown" })
}

// keep has one connection, again and again.
func (r redialer) keep(ctx context.Context) {
	for pause := r.pause; ctx.Err() == nil; {
		if r.connect(ctx) {
			pause = r.pause
			continue
		}
		wait := pause
		if r.random {
			wait = rand.N(pause)
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		pause = min(time.Duration(float64(pause)*r.factor), r.longest)
	}
}

// connect dials, and reports whether there was an answer. Then it returns when the
// connection has ended.
func (r redialer) connect(ctx context.Context) (answered bool) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", r.address)
	if err != nil {
		return false
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	if _, err := c.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	answer := make([]byte, len("+PONG\r\n"))
	for {
		if _, err := c.Read(answer); err != nil {
			return answered
		}
		answered = true
	}
}

// A redial is a rule of dialling anew, and what has to be found wrong with it.
type redial struct {
	name         string
	set          []string
	kept, missed []string // "phase figure"
}

func redials() []redial {
	const (
		base, factor, limit = "outage backoff_base{link=cache}", "outage backoff_factor{link=cache}", "outage backoff_cap{link=cache}"
		together            = "recovery reconnect_synchrony{link=cache}"
	)
	return []redial{
		{name: "pauses that grow, up to a limit", kept: []string{base, factor, limit}},
		{name: "a short pause that stays", set: []string{"server.pause=15ms", "server.factor=1"}, kept: []string{limit}, missed: []string{base, factor}},
		{name: "pauses that grow without end", set: []string{"server.longest=1h"}, kept: []string{base, factor}, missed: []string{limit}},
		{name: "connections that dial at random", set: []string{"server.connections=20", "server.pause=1s", "server.factor=1", "server.longest=1s", "server.random=true"}, kept: []string{together}},
		{name: "connections that dial in step", set: []string{"server.connections=20", "server.factor=1"}, missed: []string{together}},
	}
}

func TestTheRuleOfDiallingAnewIsFound(t *testing.T) {
	for _, r := range redials() {
		t.Run(r.name, func(t *testing.T) {
			args := []string{"testdata/redial-scenario.yaml", "--target", "testdata/redial-target.yaml", "--again", "4"}
			for _, set := range r.set {
				args = append(args, "--set", set)
			}
			o := brownoutRun(t, args...)
			got := map[string]judge.Verdict{}
			for _, f := range o.judged.Findings {
				got[cmp.Or(f.Phase, "run")+" "+f.Figure] = f.Verdict
			}
			for _, named := range slices.Concat(r.kept, r.missed) {
				want := judge.Pass
				if slices.Contains(r.missed, named) {
					want = judge.Fail
				}
				if verdict, judged := got[named]; !judged || verdict != want {
					t.Errorf("%s: %s is %s, want %s", r.name, named, fmt.Sprint(verdict), want)
				}
			}
		})
	}
}
