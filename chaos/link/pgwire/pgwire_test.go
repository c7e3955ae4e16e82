package pgwire

import (
	"testing"

	"brownout/chaos"
	"brownout/results"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgproto3"
)

func TestProtocol(t *testing.T) {
	p := Protocol()
	ask := string(encode(&pgproto3.SSLRequest{}))
	if p.Name != chaos.ProtocolPostgres || string(p.AskTLS) != ask || p.AgreeTLS != 'S' {
		t.Errorf("Protocol() = %q, asks %q, agrees %q; want %q, %q, 'S'", p.Name, p.AskTLS, p.AgreeTLS, chaos.ProtocolPostgres, ask)
	}
	var found []results.Exchange
	d := p.New(func(e results.Exchange) { found = append(found, e) })
	for _, s := range greeted(client(&pgproto3.Query{String: "select 1"}), server(tag("SELECT 1"), ready)) {
		say(t, d.(*Dialog), s, 0)
	}
	if len(found) != 1 {
		t.Errorf("exchanges = %v, want the query", found)
	}
}

// TestKindsAreTheFaults holds the names of the answers to those of the faults.
func TestKindsAreTheFaults(t *testing.T) {
	got := map[chaos.Kind]bool{AdminShutdown: true, TooManyConnections: true, SlowQuery: true}
	want := map[chaos.Kind]bool{}
	for _, k := range chaos.Kinds() {
		if k.Protocol == chaos.ProtocolPostgres {
			want[k.Kind] = true
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("kinds of PostgreSQL (-the faults +the answers):\n%s", diff)
	}
}
