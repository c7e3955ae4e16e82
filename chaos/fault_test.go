package chaos

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestFaultString(t *testing.T) {
	tests := []struct {
		fault Fault
		want  string
	}{
		{Fault{On: "cache", Kind: Refuse}, "refuse on cache"},
		{Fault{On: "cache", Kind: Blackhole}, "blackhole on cache"},
		{Fault{On: "cache", Kind: Blackhole, Revert: Close}, "blackhole on cache then close"},
		{Fault{On: "cache", Kind: Flap, Up: time.Second}, "flap on cache 500ms down 1s up"},
		{Fault{On: "cache", Kind: Bandwidth, Rate: 65536}, "bandwidth on cache 65536 bytes/s"},
		{Fault{On: "cache", Kind: Restart, Empty: true}, "restart on cache empty"},
		{Fault{On: "cache", Kind: Slice, Size: 16}, "slice on cache 16 bytes every 1ms"},
		{Fault{On: "cache", Kind: LimitData, Bytes: 100}, "limit_data on cache after 100 bytes"},
		{Fault{On: "cache", Kind: SlowClose, Latency: time.Second}, "slow_close on cache 1s"},
		{Fault{On: "cache", Kind: Blackhole, Direction: DirectionUp, Revert: Close, Share: 0.125, Whom: Replicas},
			"blackhole on cache then close upward for 12.5% of connections of replicas"},
		{Fault{On: "cache", Kind: Reset, Share: 1.0 / 3}, "reset on cache for 33.33% of connections"},
		{Fault{On: "database", Kind: Latency, Latency: 200 * time.Millisecond}, "latency on database 200ms"},
		{Fault{On: "cache", Kind: Latency, Latency: time.Second, Jitter: 50 * time.Millisecond}, "latency on cache 1s ± 50ms"},
	}
	for _, tt := range tests {
		if got := tt.fault.String(); got != tt.want {
			t.Errorf("%#v.String() = %q, want %q", tt.fault, got, tt.want)
		}
	}
}

func TestValidate(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name      string
		fault     Fault
		parameter string // of the error; empty: valid
		words     string
	}{
		{"refuse takes no parameter", Fault{Kind: Refuse}, "", ""},
		{"reset takes no parameter", Fault{Kind: Reset}, "", ""},
		{"drop takes no parameter", Fault{Kind: Drop}, "", ""},
		{"flap needs no parameter", Fault{Kind: Flap}, "", ""},
		{"flap with both times", Fault{Kind: Flap, Up: ms, Down: 2 * ms}, "", ""},
		{"flap that is up for less than nothing", Fault{Kind: Flap, Up: -ms}, "up", "above 0"},
		{"flap that is down for less than nothing", Fault{Kind: Flap, Down: -ms}, "down", "above 0"},
		{"bandwidth with a rate", Fault{Kind: Bandwidth, Rate: 1}, "", ""},
		{"bandwidth without a rate", Fault{Kind: Bandwidth}, "rate", "above 0"},
		{"bandwidth of less than nothing", Fault{Kind: Bandwidth, Rate: -1}, "rate", "above 0"},
		{"slice with a size", Fault{Kind: Slice, Size: 1}, "", ""},
		{"slice without a size", Fault{Kind: Slice, Gap: ms}, "size", "above 0"},
		{"limit_data with bytes", Fault{Kind: LimitData, Bytes: 1}, "", ""},
		{"limit_data without bytes", Fault{Kind: LimitData}, "bytes", "above 0"},
		{"limit_data of less than nothing", Fault{Kind: LimitData, Bytes: -1}, "bytes", "above 0"},
		{"slow_close with a delay", Fault{Kind: SlowClose, Latency: ms}, "", ""},
		{"slow_close without a delay", Fault{Kind: SlowClose}, "latency", "slow_close needs a delay above 0"},
		{"slow_close with jitter", Fault{Kind: SlowClose, Latency: ms, Jitter: ms}, "jitter", "takes no jitter"},
		{"a share of all", Fault{Kind: Reset, Share: 1}, "", ""},
		{"a share of less than nothing", Fault{Kind: Reset, Share: -0.1}, "share", "between 0% and 100%"},
		{"a share of more than all", Fault{Kind: Reset, Share: 1.1}, "share", "between 0% and 100%"},
		{"an answer to a share of replicas", Fault{Kind: Loading, Share: 0.5, Whom: Replicas}, "", ""},
		{"a share of what hits the port", Fault{Kind: Refuse, Share: 0.5}, "share", "refuse takes no share: it works below connections, and hits everyone"},
		{"somebody of what hits the port", Fault{Kind: Drop, Whom: Clients}, "whom", "drop takes no whom: it works below connections, and hits everyone"},
		{"everybody of what hits the port", Fault{Kind: Flap, Whom: Everyone}, "whom", "hits everyone"},
		{"an unknown somebody", Fault{Kind: Latency, Latency: ms, Whom: "proxies"}, "whom", "all, clients, replicas, sentinels"},
		{"an unknown direction", Fault{Kind: Latency, Latency: ms, Direction: "sideways"}, "direction", "down, up, both"},
		{"a direction of what has none", Fault{Kind: Reset, Direction: DirectionUp}, "direction", "reset takes no direction"},
		{"a way with live connections that is none", Fault{Kind: MaxClients, Live: "kill"}, "live", "keep, close"},
		{"live connections of another kind", Fault{Kind: Readonly, Live: Keep}, "live", "takes no live"},
		{"slow_query without a delay", Fault{Kind: SlowQuery}, "latency", "above 0"},
		{"slice with a gap of less than nothing", Fault{Kind: Slice, Size: 1, Gap: -ms}, "gap", "above 0"},
		{"a restart may be empty", Fault{Kind: Restart, Empty: true}, "", ""},
		{"a kill may not", Fault{Kind: Kill, Empty: true}, "empty", "kill takes no empty"},
		{"refuse with a rate", Fault{Kind: Refuse, Rate: 1}, "rate", "refuse takes no rate"},
		{"a blackhole needs none", Fault{Kind: Blackhole}, "", ""},
		{"a blackhole can resume", Fault{Kind: Blackhole, Revert: Resume}, "", ""},
		{"a blackhole can close", Fault{Kind: Blackhole, Revert: Close}, "", ""},
		{"latency alone", Fault{Kind: Latency, Latency: ms}, "", ""},
		{"jitter may be as large as the latency", Fault{Kind: Latency, Latency: ms, Jitter: ms}, "", ""},

		{"no kind", Fault{}, "kind", "refuse, reset, drop, flap, blackhole, latency, bandwidth, slice"},
		{"an unknown kind names those there are", Fault{Kind: "flood"}, "kind", "refuse, reset, drop, flap, blackhole, latency, bandwidth, slice"},
		{"refuse with a latency", Fault{Kind: Refuse, Latency: ms}, "latency", "refuse takes no latency"},
		{"reset with a latency", Fault{Kind: Reset, Latency: ms}, "latency", "reset takes no latency"},
		{"refuse with a way to revert", Fault{Kind: Refuse, Revert: Close}, "revert", "refuse takes no revert"},
		{"a blackhole with a latency", Fault{Kind: Blackhole, Latency: ms}, "latency", "blackhole takes no latency"},
		{"a blackhole with jitter", Fault{Kind: Blackhole, Jitter: ms}, "jitter", "blackhole takes no jitter"},
		{"latency with a way to revert", Fault{Kind: Latency, Latency: ms, Revert: Resume}, "revert", "latency takes no revert"},
		{"latency of nothing", Fault{Kind: Latency}, "latency", "above 0"},
		{"latency of nothing but jitter", Fault{Kind: Latency, Jitter: ms}, "latency", "above 0"},
		{"a negative latency", Fault{Kind: Latency, Latency: -ms}, "latency", "above 0"},
		{"a negative latency where none belongs", Fault{Kind: Refuse, Latency: -ms}, "latency", "takes no"},
		{"negative jitter", Fault{Kind: Latency, Latency: ms, Jitter: -ms}, "jitter", "between 0 and the latency"},
		{"jitter beyond the latency", Fault{Kind: Latency, Latency: ms, Jitter: 2 * ms}, "jitter", "between 0 and the latency"},
		{"an unknown way to revert", Fault{Kind: Blackhole, Revert: "explode"}, "revert", "resume, close"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.fault.Validate()
			if tt.parameter == "" {
				if err != nil {
					t.Errorf("Validate() = %v, want nil", err)
				}
				return
			}
			var perr *ParameterError
			if !errors.As(err, &perr) || perr.Parameter != tt.parameter || !strings.Contains(perr.Problem, tt.words) {
				t.Errorf("Validate() = %v, want a ParameterError on %s with %q", err, tt.parameter, tt.words)
			}
		})
	}
}

// Each parameter is a field of its own, which some kind takes and some kind does not.
func TestEveryParameterIsReadSaidAndTaken(t *testing.T) {
	texts := map[Form]string{FormDuration: "3ms", FormCount: "7", FormShare: "25%", FormYes: "true"}
	all := Parameters()
	for _, p := range all {
		if p.Doc == "" {
			t.Errorf("%s has no doc", p.Name)
		}
		text := texts[p.Form]
		if p.Form == FormWord {
			text = p.Words[len(p.Words)-1]
		}
		var f Fault
		if err := f.Set(p.Name, text); err != nil {
			t.Errorf("Set(%s, %s): %v", p.Name, text, err)
		}
		for _, other := range all {
			if got, want := other.given(f), other.Name == p.Name; got != want {
				t.Errorf("after Set(%s, %s): %s given = %v, want %v", p.Name, text, other.Name, got, want)
			}
		}
		takers := 0
		for _, k := range Kinds() {
			var perr *ParameterError
			f.Kind = k.Kind
			takes := slices.Contains(k.Parameters, p.Name)
			if refused := errors.As(f.Validate(), &perr) && strings.Contains(perr.Problem, "takes no "+p.Name); refused == takes {
				t.Errorf("%s takes %s: %v, but Validate() = %v", k.Kind, p.Name, takes, perr)
			}
			if takes {
				takers++
			}
			if said := f.String() != (Fault{Kind: k.Kind}).String(); said != takes {
				t.Errorf("%s with %s %s: %q, want it to be said: %v", k.Kind, p.Name, text, f, takes)
			}
		}
		if takers == 0 || takers == len(Kinds()) {
			t.Errorf("%d of %d kinds take %s, want some", takers, len(Kinds()), p.Name)
		}
	}
}

func TestSetNamesTheRemedy(t *testing.T) {
	tests := []struct{ name, parameter, text, want string }{
		{"a time without a unit", "latency", "200", `latency: "200" is not a time; write for example 250ms, 5s or 1m30s`},
		{"a time of nothing", "gap", "0s", `gap: "0s" is not a time; write for example 250ms, 5s or 1m30s`},
		{"a count with a unit", "rate", "64k", `rate: "64k" is not a whole number from 1 to 1073741824`},
		{"a count of nothing", "size", "0", `size: "0" is not a whole number from 1 to 1073741824`},
		{"a count beyond reason", "rate", "1073741825", `rate: "1073741825" is not a whole number from 1 to 1073741824`},
		{"an unknown word", "revert", "explode", `revert: "explode" is not known here; there are resume, close`},
		{"a share without percent", "share", "0.5", `share: "0.5" is not a share above 0%; write for example 50%`},
		{"a share of nothing", "share", "0%", `share: "0%" is not a share above 0%; write for example 50%`},
		{"a share of more than all", "share", "101%", `share: "101%" is not a share above 0%; write for example 50%`},
		{"a share that is no number", "share", "NaN%", `share: "NaN%" is not a share above 0%; write for example 50%`},
		{"an unknown parameter", "size_of_it", "1", `size_of_it: there is no such parameter of a fault`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, was := Fault{Latency: 1, Gap: 1, Rate: 1, Size: 1}, Fault{Latency: 1, Gap: 1, Rate: 1, Size: 1}
			err := f.Set(tt.parameter, tt.text)
			if err == nil || err.Error() != tt.want {
				t.Errorf("Set(%s, %s) = %v, want %s", tt.parameter, tt.text, err, tt.want)
			}
			if f != was {
				t.Errorf("Set(%s, %s) left %#v, want it unchanged", tt.parameter, tt.text, f)
			}
		})
	}
}

func TestEveryKindHasADoc(t *testing.T) {
	for _, k := range Kinds() {
		if k.Doc == "" {
			t.Errorf("%s has no doc", k.Kind)
		}
	}
}

func TestDefaultsOfReach(t *testing.T) {
	tests := []struct {
		name  string
		fault Fault
		way   Direction
		share float64
		hits  string // of clients, replicas, sentinels
	}{
		{"a blackhole cuts both ways", Fault{Kind: Blackhole}, DirectionBoth, 1, "clients replicas sentinels"},
		{"a blackhole of one way", Fault{Kind: Blackhole, Direction: DirectionUp}, DirectionUp, 1, "clients replicas sentinels"},
		{"latency delays answers", Fault{Kind: Latency}, DirectionDown, 1, "clients replicas sentinels"},
		{"latency both ways", Fault{Kind: Latency, Direction: DirectionBoth}, DirectionBoth, 1, "clients replicas sentinels"},
		{"all are all", Fault{Whom: Everyone, Share: 0.25}, DirectionDown, 0.25, "clients replicas sentinels"},
		{"clients only", Fault{Whom: Clients}, DirectionDown, 1, "clients"},
		{"sentinels only", Fault{Whom: Sentinels}, DirectionDown, 1, "sentinels"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var hits []string
			for _, who := range []Whom{Clients, Replicas, Sentinels} {
				if tt.fault.Hits(who) {
					hits = append(hits, string(who))
				}
			}
			if way, share, hits := tt.fault.Way(), tt.fault.ShareAsked(), strings.Join(hits, " "); way != tt.way || share != tt.share || hits != tt.hits {
				t.Errorf("%v: %s, %v of %s, want %s, %v of %s", tt.fault, way, share, hits, tt.way, tt.share, tt.hits)
			}
		})
	}
}
