package defect

import (
	"bytes"
	"context"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"brownout/server"
	"brownout/server/feature"
)

func TestParse(t *testing.T) {
	for _, row := range []struct {
		name, names string
		want        []string
		wrong       string
	}{
		{name: "none", names: ""},
		{name: "one", names: "no-timeout", want: []string{"no-timeout"}},
		{name: "two, in the order in which they were named", names: "no-timeout,fallback-500", want: []string{"no-timeout", "fallback-500"}},
		{name: "one that there is not", names: "no-timeout,nonesuch", wrong: `there is no defect "nonesuch", want no-timeout, `},
		{name: "a comma too many", names: "no-timeout,", wrong: `there is no defect ""`},
	} {
		got, err := Parse(row.names)
		switch {
		case row.wrong != "":
			if err == nil || !strings.HasPrefix(err.Error(), row.wrong) {
				t.Errorf("%s: Parse(%q) = %v, want %s…", row.name, row.names, err, row.wrong)
			}
		case err != nil || !reflect.DeepEqual(nameAll(got), row.want):
			t.Errorf("%s: Parse(%q) = %v, %v, want %v", row.name, row.names, nameAll(got), err, row.want)
		}
	}
}

func TestEachDefectHasANameASentenceAndAChange(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range All() {
		if seen[d.Name] || d.Name != strings.ToLower(d.Name) || strings.ContainsAny(d.Name, " ,_") {
			t.Errorf("name %q: want one of its own, as no-timeout", d.Name)
		}
		seen[d.Name] = true
		if !strings.HasSuffix(d.Does, ".") || strings.Contains(strings.TrimSuffix(d.Does, "."), ". ") {
			t.Errorf("%s does %q, want one sentence", d.Name, d.Does)
		}
		clean := server.DefaultConfig(server.Profiles()[0])
		clean.Redis.PasswordFile = "/run/password"
		broken := clean
		d.build(&broken)
		around := broken.Around.Store != nil || broken.Around.Cache != nil || broken.Around.Handler != nil
		broken.Around, clean.Around = server.Around{}, server.Around{}
		if !around && reflect.DeepEqual(broken, clean) {
			t.Errorf("%s changes nothing", d.Name)
		}
	}
	if len(seen) < 30 {
		t.Errorf("%d defects, want 30 or more", len(seen))
	}
}

func TestWithoutDefectsNothingIsChanged(t *testing.T) {
	clean := server.DefaultConfig(server.Profiles()[0])
	if got := Build(clean, nil); !reflect.DeepEqual(got, clean) {
		t.Errorf("Build(cfg, nil) = %+v, want cfg", got)
	}
	if got := newRig(t, "", nil).ask("GET", "/livez", "").Header().Values(Header); len(got) > 0 {
		t.Errorf("the clean server answers with %s: %q", Header, got)
	}
}

func TestABrokenServerSaysSoInItsLogAndInEachAnswer(t *testing.T) {
	var log bytes.Buffer
	r := newRig(t, "no-timeout,fallback-500", func(c *server.Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	for _, path := range []string{"/livez", "/readyz", "/v1/environments/e/flags/k", "/nowhere"} {
		if got := r.ask("GET", path, "").Header().Get(Header); got != "no-timeout,fallback-500" {
			t.Errorf("GET %s: %s = %q, want both defects", path, Header, got)
		}
	}
	for _, want := range []string{"level=WARN", "BROKEN ON PURPOSE", "defect=no-timeout", "defect=fallback-500"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log is %q, want %q in it", log.String(), want)
		}
	}
}

// A cache that is wrapped goes on with its own work: without it a breaker would not
// work, and every wrapper would be a second defect.
func TestAWrappedCacheRuns(t *testing.T) {
	for _, d := range All() {
		cfg := server.DefaultConfig(server.Profiles()[0])
		d.build(&cfg)
		if cfg.Around.Cache == nil {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			c := &shelf{down: &switches{}, of: map[string][]byte{}}
			runner, runs := cfg.Around.Cache(c).(feature.Runner)
			if !runs {
				t.Fatalf("%s: the wrapped cache has no Run", d.Name)
			}
			ctx, stop := context.WithCancel(t.Context())
			var running sync.WaitGroup
			running.Go(func() { runner.Run(ctx, func(feature.CacheEvent) {}) })
			synctest.Wait()
			stop()
			running.Wait()
			if !c.runs {
				t.Errorf("%s: the cache behind the wrapper does not run", d.Name)
			}
		})
	}
}

func TestAMetronomeKnocksInStepWithTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := &switches{cacheDown: true}
		c := &shelf{down: down, of: map[string][]byte{}}
		m := newMetronome(c).(*metronome)
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		back := 0
		running.Go(func() { m.Run(ctx, func(feature.CacheEvent) { back++ }) })
		time.Sleep(metronomeBeat / 3) // out of step
		for range metronomeAfter {
			if _, err := m.Get(ctx, "e"); err == nil {
				t.Error("Get = nil, want an error")
			}
		}
		time.Sleep(10 * metronomeBeat)
		down.set(func(s *switches) { s.cacheDown = false })
		if _, err := m.Get(ctx, "e"); err != errBroken {
			t.Errorf("Get while it is open = %v, want %v", err, errBroken)
		}
		time.Sleep(2 * metronomeBeat)
		if _, err := m.Get(ctx, "e"); err != feature.ErrMiss {
			t.Errorf("Get after it closed = %v, want %v", err, feature.ErrMiss)
		}
		stop()
		running.Wait()
		if len(c.pings) != 11 || back != 1 {
			t.Errorf("%d probes, back %d times; want 11 and 1", len(c.pings), back)
		}
		for _, at := range c.pings {
			if off := at.UnixNano() % int64(metronomeBeat); off != 0 {
				t.Errorf("a probe came %v after the beat, want 0", time.Duration(off))
			}
		}
	})
}
