package pgwire

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

var record = flag.Bool("record", false, "record traffic into testdata, the seeds of the fuzzer")

// TestRecordTraffic checks that each mode of pgx has its recorded traffic, which the
// dialog follows. With -record it makes them anew.
func TestRecordTraffic(t *testing.T) {
	for _, m := range modes {
		name := filepath.Join("testdata", "traffic", strings.ReplaceAll(m.mode.String(), " ", "-")+".script")
		if *record {
			recordTraffic(t, name, m.mode)
		}
		script, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		d := New((&recorder{}).report)
		for _, s := range readScript(script) {
			say(t, d, s, 0)
		}
		if why := d.Aside(); why != "" || d.waiting.front() != nil {
			t.Errorf("%s: stepped aside: %q, left waiting: %v; want all of it to be understood", name, why, d.waiting.items)
		}
	}
}

func recordTraffic(t *testing.T, name string, mode pgx.QueryExecMode) {
	t.Helper()
	n := shared.get(t)
	p := startProxy(t, n.addr)
	var mu sync.Mutex
	var turns []turn
	p.recorded = func(s turn) { mu.Lock(); defer mu.Unlock(); turns = append(turns, s) }
	makeTraffic(t, n.through(p), mode, 3)
	p.stop()
	n.exec(t, "drop table t")
	if err := os.WriteFile(name, writeScript(turns), 0o644); err != nil {
		t.Fatal(err)
	}
}
