package pgwire

import (
	"bytes"
	"testing"

	"brownout/results"

	"github.com/jackc/pgx/v5/pgproto3"
)

// warm is a dialog that has prepared a statement s.
func warm(tb testing.TB) *Dialog {
	tb.Helper()
	d := New(func(results.Exchange) {})
	for _, s := range greeted(client(parse("s", "select v from flags where k = $1"), synced), server(parsed, ready)) {
		play(tb, d, s, 0)
	}
	return d
}

// extendedTrip is what pgx and PostgreSQL say for a query that is prepared.
func extendedTrip() (up, down []byte) {
	up = encode(&pgproto3.Bind{PreparedStatement: "s", Parameters: [][]byte{[]byte("checkout")}},
		&pgproto3.Describe{ObjectType: 'P'}, exec(""), synced)
	return up, encode(bound, &pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("v")}}},
		row, tag("SELECT 1"), ready)
}

func simpleTrip() (up, down []byte) {
	return encode(ask("select v from flags where k = 'checkout'")), encode(row, tag("SELECT 1"), ready)
}

// bigTrip has a reply of 64 KiB in rows of 100 bytes.
func bigTrip() (up, down []byte) {
	rows := encode(&pgproto3.DataRow{Values: [][]byte{bytes.Repeat([]byte("x"), 93)}})
	return encode(ask("select 1")), append(bytes.Repeat(rows, 64<<10/len(rows)), encode(tag("SELECT 1"), ready)...)
}

func BenchmarkRoundTrip(b *testing.B) {
	for _, row := range []struct {
		name string
		trip func() (up, down []byte)
	}{
		{"protocol=extended", extendedTrip}, {"protocol=simple", simpleTrip}, {"protocol=big", bigTrip},
	} {
		b.Run(row.name, func(b *testing.B) {
			up, down := row.trip()
			d := warm(b)
			b.ReportAllocs()
			b.SetBytes(int64(len(up) + len(down)))
			for b.Loop() {
				d.Up(up, 0)
				d.Down(down, 0)
			}
			if why := d.Aside(); why != "" {
				b.Fatalf("the dialog stepped aside: %s", why)
			}
		})
	}
}

func TestARoundTripAllocatesLittle(t *testing.T) {
	for name, row := range map[string]struct {
		trip func() (up, down []byte)
		most float64
	}{
		"extended": {extendedTrip, 0},
		"simple":   {simpleTrip, 1}, // the pattern
		"big":      {bigTrip, 1},
	} {
		up, down := row.trip()
		d := warm(t)
		if got := testing.AllocsPerRun(100, func() { d.Up(up, 0); d.Down(down, 0) }); got > row.most {
			t.Errorf("a round trip of the %s protocol allocates %v times, want at most %v", name, got, row.most)
		}
	}
}
