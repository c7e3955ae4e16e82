package failover

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A ghost is a site where nothing happens but what is written down.
type ghost struct {
	start time.Time
	acts  []string
	moved bool
	slow  map[string]time.Duration
	fails string
}

func (g *ghost) act(name string) error {
	g.acts = append(g.acts, name+" "+time.Since(g.start).String())
	time.Sleep(g.slow[name])
	if name == "promote" {
		g.moved = true
	}
	if name == g.fails {
		return errors.New("no")
	}
	return nil
}

func (g *ghost) Vanish(context.Context) error       { return g.act("vanish") }
func (g *ghost) HangUp(context.Context) error       { return g.act("hang-up") }
func (g *ghost) Promote(context.Context) error      { return g.act("promote") }
func (g *ghost) Demote(context.Context) error       { return g.act("demote") }
func (g *ghost) CloseOnWrite(context.Context) error { return g.act("close-on-write") }
func (g *ghost) Move(context.Context) error         { return g.act("move") }
func (g *ghost) Replace(context.Context) error      { return g.act("replace") }
func (g *ghost) Load(context.Context) error         { return g.act("load") }
func (g *ghost) Loaded(context.Context) error       { return g.act("loaded") }
func (g *ghost) Delete(context.Context) error       { return g.act("delete") }
func (g *ghost) Rotate(context.Context) error       { return g.act("rotate") }
func (g *ghost) HandOver(context.Context) error     { return g.act("hand-over") }
func (g *ghost) Set(context.Context) error          { return g.act("set") }
func (g *ghost) Elected(context.Context) error      { g.moved = true; return g.act("elected") }
func (g *ghost) Leave(context.Context) error        { return g.act("leave") }
func (g *ghost) Return(context.Context) error       { return g.act("return") }
func (g *ghost) Order(context.Context) error        { return g.act("order") }
func (g *ghost) Promoted(context.Context) error     { g.moved = true; return g.act("promoted") }
func (g *ghost) Switched(context.Context) error     { return g.act("switched") }
func (g *ghost) Demoted(context.Context) error      { return g.act("demoted") }
func (g *ghost) Slow(context.Context) error         { return g.act("slow") }
func (g *ghost) Cut(context.Context) error          { return g.act("cut") }
func (g *ghost) Quick(context.Context) error        { return g.act("quick") }
func (g *ghost) Names() (string, string) {
	if g.moved {
		return "cache-1", "cache-2"
	}
	return "cache-1", "cache-1"
}

func run(t *testing.T, plan string, changed Times, scale float64, g *ghost) ([]Done, error) {
	t.Helper()
	p, ok := Find(plan)
	if !ok {
		t.Fatalf("there is no plan %q", plan)
	}
	times, err := p.Times(changed)
	if err != nil {
		t.Fatal(err)
	}
	g.start = time.Now()
	var told []Done
	err = Run(t.Context(), p.Steps(times, scale), g, func(d Done) { told = append(told, d) })
	return told, err
}

func TestPlansAreCarriedOutAtTheirTimes(t *testing.T) {
	for _, row := range []struct {
		plan    string
		changed Times
		scale   float64
		want    []string
	}{
		{"unplanned", nil, 1, []string{"vanish 0s", "promote 12s", "move 48s", "replace 1m0s", "load 1m0s", "loaded 1m15s"}},
		{"test-failover", nil, 0.1, []string{"hang-up 0s", "promote 2s", "move 4.8s", "replace 6s", "load 6s", "loaded 7.5s"}},
		{"test-failover", Times{"promoted": 50 * time.Second}, 1, []string{"hang-up 0s", "move 48s", "promote 50s", "replace 1m0s", "load 1m0s", "loaded 1m15s"}},
		{"planned", nil, 1, []string{"promote 0s", "demote 0s", "close-on-write 0s", "move 2m1s", "delete 7m35s"}},
		{"undemoted", nil, 0.5, []string{"promote 0s", "move 18s", "delete 48s"}},
		{"sentinel-failover", nil, 1, []string{"order 0s", "promoted 0s", "switched 0s", "demoted 0s"}},
		{"shard", nil, 0.1, []string{"vanish 0s", "elected 0s", "replace 6s", "load 6s", "loaded 7.5s", "leave 30s", "return 1m3s"}},
		{"auth-rotation", nil, 0.5, []string{"rotate 0s", "hand-over 30s", "set 1m0s"}},
		{"az-power", nil, 1, []string{"vanish 0s", "promote 12s", "move 48s", "replace 10m0s", "load 10m0s", "loaded 10m15s"}},
		{"serverless", nil, 1, []string{"slow 0s", "cut 500ms", "quick 2s"}},
		{"planned-keep", nil, 0.01, []string{"promote 0s", "demote 0s", "move 1.21s", "delete 4.55s"}},
	} {
		t.Run(row.plan, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &ghost{}
				told, err := run(t, row.plan, row.changed, row.scale, g)
				if err != nil {
					t.Fatalf("Run: %v", err)
				}
				if diff := cmp.Diff(row.want, g.acts); diff != "" {
					t.Errorf("acts (-want +got):\n%s", diff)
				}
				for _, d := range told {
					if d.Late() || d.Began != d.Due {
						t.Errorf("%s began at %v, due %v, late %v", d.Step, d.Began, d.Due, d.Late())
					}
					if strings.Contains(d.Text, "{") {
						t.Errorf("%s tells %q, want names in it", d.Step, d.Text)
					}
				}
			})
		})
	}
}

func TestASlowStepMakesTheNextOneLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &ghost{slow: map[string]time.Duration{"promote": 40 * time.Second}}
		told, err := run(t, "test-failover", nil, 1, g)
		if err != nil {
			t.Fatal(err)
		}
		var late []string
		for _, d := range told {
			if d.Late() {
				late = append(late, d.Step)
			}
		}
		if diff := cmp.Diff([]string{"move"}, late); diff != "" {
			t.Errorf("late steps (-want +got):\n%s", diff)
		}
		if got, want := told[1].Text, "Failover from primary node cache-1 to replica node cache-2 completed"; got != want {
			t.Errorf("promote tells %q, want %q", got, want)
		}
	})
}

// An election takes as long as it takes, and nothing is late because of it.
func TestAnOutcomeIsWaitedForAndNeverLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &ghost{slow: map[string]time.Duration{"vanish": time.Second, "elected": 69 * time.Second}}
		told, err := run(t, "shard", nil, 1, g)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range told {
			if d.Late() {
				t.Errorf("%s is late: due %v, began %v", d.Step, d.Due, d.Began)
			}
		}
		if got, want := told[1].Text, "cache-2 is primary of the shard, 1m10s after its host began to go"; got != want {
			t.Errorf("elected tells %q, want %q", got, want)
		}
		if got := told[2]; got.Began != 70*time.Second || got.Due != got.Began {
			t.Errorf("replace was due at %v and began at %v, want 1m10s: when the election was over", got.Due, got.Began)
		}
		if got := told[3].Began; got != 75*time.Second {
			t.Errorf("loaded began at %v, want its own time, 1m15s", got)
		}
	})
}

func TestAnErrorEndsThePlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &ghost{fails: "promote"}
		told, err := run(t, "unplanned", nil, 1, g)
		if err == nil || !strings.Contains(err.Error(), "promote: no") {
			t.Errorf("Run = %v, want the error of promote", err)
		}
		if len(told) != 2 || told[1].Error != "no" {
			t.Errorf("told %+v, want vanish and promote with its error", told)
		}
	})
}

func TestACancelledPlanEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(5*time.Second, cancel)
		g := &ghost{start: time.Now()}
		p := unplanned()
		times, _ := p.Times(nil)
		if err := Run(ctx, p.Steps(times, 1), g, func(Done) {}); !errors.Is(err, context.Canceled) {
			t.Errorf("Run = %v, want canceled", err)
		}
		if got := time.Since(g.start); got != 5*time.Second {
			t.Errorf("Run took %v, want 5s", got)
		}
	})
}

func TestTimesNamesWhatIsWrong(t *testing.T) {
	p := unplanned()
	if _, err := p.Times(Times{"promted": 1}); err == nil || !strings.Contains(err.Error(), "it has promoted, moved") {
		t.Errorf("Times(promted) = %v, want the names that there are", err)
	}
	if _, err := p.Times(Times{"moved": -1}); err == nil {
		t.Error("Times(moved: -1) gives no error")
	}
}

func TestEveryTimeHasASource(t *testing.T) {
	for _, p := range Plans() {
		times, err := p.Times(nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, param := range p.Parameters {
			if param.Source == "" || param.Doc == "" || param.Default <= 0 {
				t.Errorf("%s: %+v is not filled in", p.Name, param)
			}
			// Each is the time of a step: changing it changes the timetable.
			changed, _ := p.Times(Times{param.Name: times[param.Name] + time.Hour})
			before, after := p.Steps(times, 1), p.Steps(changed, 1)
			if before[len(before)-1].At == after[len(after)-1].At {
				t.Errorf("%s: no step is at %s", p.Name, param.Name)
			}
		}
	}
}
