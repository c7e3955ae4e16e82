package scenarios

import (
	"strings"
	"testing"
	"time"

	"brownout/chaos"

	"github.com/google/go-cmp/cmp"
)

const good = `name: outage
proves: It browns out.
tags: [bench]
stack: {cache: redis, database: postgres}
server: {profile: seed}
data: {environments: 2, flags: 10}
load: {rate: 100/s, reads: 90%}
phases:
  - name: steady
    for: 2s
    expect: {errors: 0, p99: 25ms}
  - name: climb
    for: 3s
    rate: 100/s to 300/s
    faults:
      - {on: cache, kind: latency, latency: 200ms, jitter: 20ms}
    require:
      p50{op=write}: ">= 90ms"
always: {wrong_answers: 0}
`

func TestAScenarioSaysWhetherTheGeneratorCatchesUp(t *testing.T) {
	for text, want := range map[string]bool{"reads: 90%": false, "reads: 90%, after_stall: catch-up": false, "reads: 90%, after_stall: skip": true} {
		s, err := Parse("good.yaml", []byte(strings.Replace(good, "reads: 90%", text, 1)))
		if err != nil || s.Load.Skips != want {
			t.Errorf("%s: Parse = skips %t, %v, want %t", text, s != nil && s.Load.Skips, err, want)
		}
	}
}

func TestParseReadsEveryPart(t *testing.T) {
	s, err := Parse("good.yaml", []byte(good))
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	if s.Name != "outage" || s.Proves != "It browns out." || s.Server["profile"] != "seed" || s.Target != "brownout" {
		t.Errorf("Parse = %+v", s)
	}
	wantLoad := Load{Rate: Rate{100, 100}, Keys: "zipf", Reads: 0.9, Timeout: defaultTimeout}
	if diff := cmp.Diff(wantLoad, s.Load); diff != "" {
		t.Errorf("load (-want +got):\n%s", diff)
	}
	climb := s.Phases[1]
	if climb.For != 3*time.Second || climb.Rate != (Rate{100, 300}) {
		t.Errorf("phase climb = %+v", climb)
	}
	want := []chaos.Fault{{On: "cache", Kind: chaos.Latency, Latency: 200 * time.Millisecond, Jitter: 20 * time.Millisecond}}
	if diff := cmp.Diff(want, climb.Faults); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	if got := s.Phases[0].Expect; len(got) != 2 || got[0].Figure != "errors" || got[1].Figure != "p99" || got[1].Bound != 0.025 {
		t.Errorf("expectations of steady = %+v", got)
	}
	if got := climb.Require[0]; got.Where["op"] != "write" || got.Op != ">=" || got.At != "good.yaml:18:22" {
		t.Errorf("requirement of climb = %+v", got)
	}
	if got := s.Duration(); got != 5*time.Second {
		t.Errorf("Duration() = %v, want 5s", got)
	}
}

func TestParseNamesPlaceAndRemedy(t *testing.T) {
	tests := []struct {
		name, old, new string
		want           []string // place, then words
	}{
		{"an unknown key names the near one", "tags: [bench]", "tag: [bench]", []string{"x.yaml:3:1", `unknown field "tag"`, `did you mean "tags"`}},
		{"an unknown key in a phase", "    for: 2s", "    lasts: 2s", []string{"x.yaml:10:5", `unknown field "lasts"`}},
		{"a key that stands twice", "tags: [bench]", "name: again", []string{"x.yaml:3:1", "already defined at"}},
		{"a time without a unit", "for: 2s", "for: 2", []string{"x.yaml:10:10", `"2" is not a time`, "5s"}},
		{"a rate in the wrong unit", "rate: 100/s,", "rate: 100/min,", []string{"x.yaml:7:14", `"100/min" is not a rate`, "300/s"}},
		{"a rate beyond reason", "rate: 100/s,", "rate: 1000000/s,", []string{"x.yaml:7:14", "is not a rate", "100000/s"}},
		{"a share without percent", "reads: 90%", "reads: 0.9", []string{"x.yaml:7:28", `"0.9" is not a share`, "98%"}},
		{"shares that do not add up", "reads: 90%", "reads: 90%, writes: 20%", []string{"x.yaml:7:41", "add up to 110%"}},
		{"a way out of a stall that there is not", "reads: 90%", "reads: 90%, after_stall: wait", []string{"x.yaml:7:46", `"wait" is not`, "catch-up", "skip"}},
		{"an unknown fault", "kind: latency", "kind: lag", []string{"x.yaml:16:27", `unknown fault "lag"`, "blackhole"}},
		{"a parameter of flap with latency", "jitter: 20ms", "up: 1s", []string{"x.yaml:16:56", "latency takes no up"}},
		{"a rate of a fault that is no number of bytes", "jitter: 20ms", "rate: 64k", []string{"x.yaml:16:58", "whole number from 1"}},
		{"a parameter of another fault", "jitter: 20ms", "revert: close", []string{"x.yaml:16:60", "latency takes no revert"}},
		{"a fault on some, one way", "jitter: 20ms", "share: 12.5%, whom: clients, direction: up", nil},
		{"a share of a fault without percent", "jitter: 20ms", "share: 0.5", []string{"x.yaml:16:59", `"0.5" is not a share`, "50%"}},
		{"a share of nothing", "jitter: 20ms", "share: 0%", []string{"x.yaml:16:59", `"0%" is not a share above 0%`}},
		{"a fault on the port that is to spare some", "kind: latency, latency: 200ms, jitter: 20ms", "kind: refuse, share: 50%", []string{"x.yaml:16:42", "refuse takes no share: it works below connections"}},
		{"a fault on somebody who is not there", "jitter: 20ms", "whom: replicas", []string{"x.yaml:16:58", "nobody of replicas uses the link cache"}},
		{"a fault on somebody unknown", "jitter: 20ms", "whom: proxies", []string{"x.yaml:16:58", `"proxies" is not known here; there are all, clients, replicas, sentinels`}},
		{"a limit without bytes", "kind: latency, latency: 200ms, jitter: 20ms", "kind: limit_data", []string{"x.yaml:16:27", "limit_data needs bytes above 0"}},
		{"a limit with bytes", "kind: latency, latency: 200ms, jitter: 20ms", "kind: limit_data, bytes: 100, direction: both", nil},
		{"a slow close", "kind: latency, latency: 200ms, jitter: 20ms", "kind: slow_close, latency: 3s", nil},
		{"a fault that delays nothing", "latency: 200ms, jitter: 20ms", "jitter: 20ms", []string{"x.yaml:16:27", "latency needs a delay"}},
		{"a fault on a link that is not there", "on: cache", "on: cash", []string{"x.yaml:16:14", `no link "cash"`, "cache, database"}},
		{"an answer on a link that does not speak it", "kind: latency, latency: 200ms, jitter: 20ms", "kind: too_many_connections", []string{"x.yaml:16:27", "too_many_connections needs a link that speaks postgres; cache speaks redis"}},
		{"an answer on a link that speaks it", "kind: latency, latency: 200ms, jitter: 20ms", "kind: readonly", nil},
		{"a restart that empties a cache", "kind: latency, latency: 200ms, jitter: 20ms", "kind: restart, empty: true", nil},
		{"a database without its data", "on: cache, kind: latency, latency: 200ms, jitter: 20ms", "on: database, kind: restart, empty: true", []string{"x.yaml:16:46", "a database cannot be started without its data"}},
		{"emptiness that is no word", "kind: latency, latency: 200ms, jitter: 20ms", "kind: restart, empty: maybe", []string{"x.yaml:16:43", `"maybe" is neither true nor false`}},
		{"a flush of a database", "on: cache, kind: latency, latency: 200ms, jitter: 20ms", "on: database, kind: flush", []string{"x.yaml:16:30", "flush needs a link that speaks redis; database speaks postgres"}},
		{"two faults on one server", "jitter: 20ms}", "jitter: 20ms}\n      - {on: cache, kind: kill}\n      - {on: cache, kind: flush}", []string{"x.yaml:18:27", "kill and flush are both put on the server of cache"}},
		{"faults on two servers, and on a link", "jitter: 20ms}", "jitter: 20ms}\n      - {on: cache, kind: kill}\n      - {on: database, kind: kill}", nil},
		{"a fault on a stack without that link", "database: postgres", "database: none", nil},
		{"an unknown figure", "p99: 25ms", "p98: 25ms", []string{"x.yaml:11:30", "p98"}},
		{"a bound in the wrong unit", "p99: 25ms", "p99: 25%", []string{"x.yaml:11:30", "25%"}},
		{"a figure of the run in a phase", "p99: 25ms", "lost_writes: 0", []string{"x.yaml:11:38", "lost_writes"}},
		{"a phase without a length", "    for: 2s\n", "", []string{"x.yaml:9:11", "for (how long the phase lasts) is missing"}},
		{"a phase name twice", "name: climb", "name: steady", []string{"x.yaml:12:11", `"steady" stands above already`}},
		{"no phases", good[strings.Index(good, "phases:"):strings.Index(good, "always:")], "phases: []\n", []string{"x.yaml:1:7", "phases is missing"}},
		{"a name that cannot be a folder", "name: outage", "name: ../outage", []string{"x.yaml:1:7", "is not a name"}},
		{"an unknown cache", "cache: redis", "cache: memcached", []string{"x.yaml:4:16", `"memcached" is not known`, "redis, valkey, elasticache, replicated, sentinel, cluster, none"}},
		{"a failover of a cache that has no replica", "    rate: 100/s to 300/s", "    failover: {plan: unplanned}", []string{"x.yaml:14:22", "the plan unplanned needs a cache of kind replicated"}},
		{"a failover without a plan", "    rate: 100/s to 300/s", "    failover: {scale: 0.1}", []string{"x.yaml:12:11", "failover needs a plan", "test-failover"}},
		{"an unknown plan", "    rate: 100/s to 300/s", "    failover: {plan: failsafe}", []string{"x.yaml:14:22", "failover needs a plan", "test-failover"}},
		{"TLS without a cache", "cache: redis", "cache: none, tls: yes", []string{"x.yaml:4:27", "there is no cache that could ask for it"}},
		{"an ACL without a password", "cache: redis", "cache: redis, acl: yes", []string{"x.yaml:4:28", "acl needs password: yes"}},
		{"a password and TLS", "cache: redis", "cache: redis, tls: yes, password: true", nil},
		{"a password that is no word", "cache: redis", "cache: redis, password: s3cret", []string{"x.yaml:4:33", `"s3cret" is neither yes nor no`}},
		{"an engine of a cache that is one", "cache: redis", "cache: redis, engine: valkey", []string{"x.yaml:4:31", "write cache: valkey"}},
		{"an engine that nobody knows", "cache: redis", "cache: cluster, engine: memcached", []string{"x.yaml:4:33", "there are redis, valkey"}},
		{"replicas of a cache that has none", "cache: redis", "cache: redis, replicas: 2", []string{"x.yaml:4:33", "only a replicated cache"}},
		{"a fault on a node that is not there", "cache: redis", "cache: sentinel", []string{"x.yaml:16:14", `no link "cache"`, "cache-1, cache-2, cache-3, sentinel-1, sentinel-2, sentinel-3, database"}},
		{"too many flags", "flags: 10}", "flags: 100000000}", []string{"x.yaml:6:32", "whole number from 1 to"}},
		{"a list where a value belongs", "proves: It browns out.", "proves: [a, b]", []string{"x.yaml:2:9", "a single value is expected"}},
		{"broken YAML", "tags: [bench]", "tags: [bench", []string{"x.yaml:"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if !strings.Contains(good, test.old) {
				t.Fatalf("the good file has no %q", test.old)
			}
			_, err := Parse("x.yaml", []byte(strings.Replace(good, test.old, test.new, 1)))
			if test.want == nil {
				if err != nil {
					t.Fatalf("Parse: %v", err)
				}
				return
			}
			if err == nil {
				t.Fatalf("Parse gives no error, want %q", test.want)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("Parse = %q, want it to contain %q", err, want)
				}
			}
		})
	}
}

func TestALentServerIsNotInjured(t *testing.T) {
	for _, row := range []struct{ name, kind, url, want string }{
		{"a fault on its link", "latency, latency: 200ms", "redis://lent", ""},
		{"a fault on a server of ours", "kill", "", ""},
		{"a fault on the server itself", "kill", "redis://lent", "x.yaml: phase climb: kill on cache needs a server that brownout starts itself; leave --cache-url out"},
		{"its data", "flush", "redis://lent", "x.yaml: phase climb: flush on cache needs a server"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, err := Parse("x.yaml", []byte(strings.Replace(good, "latency, latency: 200ms, jitter: 20ms", row.kind, 1)))
			if err != nil {
				t.Fatalf("Parse: %v", err)
			}
			err = s.CheckLent(map[string]string{"cache": row.url, "database": "postgres://lent"})
			if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("CheckLent = %v, want %q", err, row.want)
			}
		})
	}
}

func TestParseNamesAllProblemsAtOnce(t *testing.T) {
	bad := strings.NewReplacer("for: 2s", "for: 2", "kind: latency", "kind: lag", "flags: 10", "flags: no").Replace(good)
	_, err := Parse("x.yaml", []byte(bad))
	if err == nil {
		t.Fatal("Parse gives no error")
	}
	if got := len(strings.Split(err.Error(), "\n")); got != 3 {
		t.Errorf("Parse names %d problems, want 3:\n%v", got, err)
	}
}

// A parameter that cannot be read is not taken for one that is missing.
func TestParseNamesABadParameterOnce(t *testing.T) {
	_, err := Parse("x.yaml", []byte(strings.Replace(good, "latency: 200ms", "latency: 200", 1)))
	if want := `x.yaml:16:45: "200" is not a time; write for example 250ms, 5s or 1m30s`; err == nil || err.Error() != want {
		t.Errorf("Parse = %v, want %s", err, want)
	}
}

func TestOverride(t *testing.T) {
	tests := []struct {
		set  string
		want string // "" or the error
	}{
		{"server.profile=resilient", ""},
		{"server.cache=none", ""},
		{"load.rate=500/s", ""},
		{"phases.climb.for=1s", ""},
		{"phases.steady.expect.p99=1s", ""},
		{"phases.steady.expect.p99{op=read}=1s", ""},
		{"phases.steady.expect.goodput=>= 1/s", ""},
		{"phases.climb.faults.latency.jitter=0.1ms", ""},
		{"phases.outage.for=1s", `--set phases.outage.for: there is no "outage" here; there are climb, steady`},
		{"load.pace=1", `--set load.pace: there is no "pace" here; there are after_stall, keys, rate`},
		{"load=1", "--set load: names a group of values"},
		{"load.rate=fast", `--set load.rate: "fast" is not a rate`},
		{"name.x=1", `--set name.x: there is no "x" here`},
	}
	for _, test := range tests {
		t.Run(test.set, func(t *testing.T) {
			o, err := ParseOverride(test.set)
			if err != nil {
				t.Fatalf("ParseOverride: %v", err)
			}
			s, err := Parse("x.yaml", []byte(good), o)
			if test.want == "" {
				if err != nil {
					t.Fatalf("Parse: %v", err)
				}
				plain, _ := Parse("x.yaml", []byte(good))
				s.Source, plain.Source = nil, nil
				if cmp.Equal(s, plain) {
					t.Errorf("Parse with %s gives the same scenario as without", test.set)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Parse = %v, want it to contain %q", err, test.want)
			}
		})
	}
	if _, err := ParseOverride("server.profile"); err == nil {
		t.Error("ParseOverride(without =) gives no error")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	for _, name := range names("catalog") {
		data, err := embedded.ReadFile("catalog/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse("x.yaml", data)
		if (s == nil) == (err == nil) {
			t.Errorf("Parse = %v, %v: want either a scenario or an error", s, err)
		}
	})
}

const failingOver = `name: failover
proves: It browns out.
stack: {cache: elasticache}
phases:
  - name: outage
    for: 5s
    failover: {plan: test-failover, scale: 0.1}
  - name: recovery
    for: 5s
`

func TestParseReadsAFailover(t *testing.T) {
	s, err := Parse("x.yaml", []byte(strings.Replace(failingOver, "scale: 0.1", "scale: 0.1, moved: 45s", 1)))
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	f := s.Phases[0].Failover
	if got, want := f.String(), "failover test-failover scale=0.1 moved=45s"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	var got []string
	for _, step := range f.Steps() {
		got = append(got, step.Name+" "+step.At.String())
	}
	want := []string{"hang-up 0s", "promote 2s", "move 4.5s", "replace 6s", "loaded 7.5s"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Steps() (-want +got):\n%s", diff)
	}
}

func TestParseRejectsAFailoverThatDoesNotFit(t *testing.T) {
	for _, row := range []struct {
		name, old, new string
		want           []string
	}{
		{"a phase that is over before clients can go on", "for: 5s\n    failover", "for: 4s\n    failover", []string{"x.yaml:7:22", "before the failover's step move at 4.8s"}},
		{"one that fits", "failover: {", "failover: {", nil},
		{"a load that is over", "name: recovery\n    for: 5s", "name: recovery\n    for: 2s", []string{"x.yaml:7:22", "last step, loaded, comes at 7.5s, and the load ends 7s after"}},
		{"a second one too soon", "name: recovery\n    for: 5s", "name: recovery\n    for: 9s\n    failover: {plan: unplanned, scale: 0.05}", []string{"x.yaml:10:22", "is not over yet"}},
		{"a scale that is none", "scale: 0.1", "scale: 10", []string{"x.yaml:7:44", `"10" is not a scale`}},
		{"a time that the plan has not", "scale: 0.1", "deleted: 3s", []string{"x.yaml:7:46", "no time \"deleted\"", "promoted"}},
		{"a time that is none", "scale: 0.1", "scale: 0.1, moved: soon", []string{"x.yaml:7:56", `"soon" is not a time`}},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Parse("x.yaml", []byte(strings.Replace(failingOver, row.old, row.new, 1)))
			if row.want == nil {
				if err != nil {
					t.Errorf("Parse: %v", err)
				}
				return
			}
			for _, want := range row.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("Parse = %v, want it to contain %q", err, want)
				}
			}
		})
	}
}

func TestBounds(t *testing.T) {
	s, err := Parse("good.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	for figure, want := range map[string]bool{"p99": true, "p50": true, "wrong_answers": true, "p95": false, "goroutines_growth": false} {
		if got := s.Bounds(figure); got != want {
			t.Errorf("Bounds(%s) = %t, want %t (expected, required, always, or nowhere)", figure, got, want)
		}
	}
}
