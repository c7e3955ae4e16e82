package pgstore_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
)

// What it costs to ask for the revisions of so many environments, in queries of so
// many, one after the other. The environments come in the order in which a server met
// them, which is not that of their names.
func BenchmarkRevisions(b *testing.B) {
	for _, environments := range []int{10, 1_000, 100_000} {
		url := newDatabase(b)
		s := newStore(b, url)
		run(b, s)
		waitReady(b, s)
		execute(b, url, fmt.Sprintf("INSERT INTO environments SELECT md5(n::text), n FROM generate_series(1, %d) n", environments))
		execute(b, url, "ANALYZE environments")
		names := namesOf(b, url)
		for _, batch := range []int{100, 1_000, 10_000, 100_000} {
			if batch > 10*environments {
				continue
			}
			b.Run(fmt.Sprintf("environments=%d/batch=%d", environments, batch), func(b *testing.B) {
				for b.Loop() {
					for some := range slices.Chunk(names, batch) {
						if got, err := s.Revisions(b.Context(), some); err != nil || len(got) != len(some) {
							b.Fatalf("Revisions(%d environments) = %d, %v", len(some), len(got), err)
						}
					}
				}
			})
		}
	}
}

// namesOf are the environments in the order in which they were written.
func namesOf(b *testing.B, url string) []string {
	b.Helper()
	conn, err := pgx.Connect(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(b.Context())
	rows, err := conn.Query(b.Context(), "SELECT name FROM environments ORDER BY revision")
	if err != nil {
		b.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		b.Fatal(err)
	}
	return names
}
