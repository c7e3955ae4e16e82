package pgstore

import (
	"context"
	"errors"
	"fmt"

	"brownout/server/feature"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// query runs sql and calls each for every row, all within the timeout.
func (s *Store) query(ctx context.Context, sql string, each func(pgx.Rows) error, args ...any) error {
	pool, err := s.connections()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("%w: connecting: %w", feature.ErrUnavailable, err)
	}
	defer conn.Release()
	rows, err := conn.Query(ctx, sql, args...)
	if err != nil {
		return mapped(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return mapped(rows.Err())
}

// queryOne runs sql, which returns one row or none, into targets. None is
// feature.ErrNotFound.
func (s *Store) queryOne(ctx context.Context, sql string, args []any, targets ...any) error {
	found := false
	err := s.query(ctx, sql, func(rows pgx.Rows) error {
		found = true
		return rows.Scan(targets...)
	}, args...)
	if err == nil && !found {
		return feature.ErrNotFound
	}
	return err
}

// errSent marks an error that came after the statement may have been sent.
var errSent = errors.New("the statement was sent")

// mapped tells errors of the way to the database, which pass, from errors of what
// was asked, which do not.
func mapped(err error) error {
	var answer *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &answer):
		if passes(answer.Code) {
			return fmt.Errorf("%w: %w", feature.ErrUnavailable, err)
		}
		return err
	case pgconn.SafeToRetry(err):
		return fmt.Errorf("%w: %w", feature.ErrUnavailable, err)
	}
	return fmt.Errorf("%w: %w: %w", feature.ErrUnavailable, errSent, err)
}

// passes reports whether an answer of the database speaks of its state and not of
// the statement. The codes are those of PostgreSQL's Appendix A.
func passes(code string) bool {
	switch code {
	case "25006", "42P01": // read-only (a standby); no such table (an empty database)
		return true
	}
	switch code[:min(2, len(code))] {
	case "08", "40", "53", "57", "58": // connection, rollback, resources, intervention, system
		return true
	}
	return false
}

// writeError says of a write whose answer was lost that nobody knows its outcome.
// An error that the database answered means that nothing was written.
func writeError(err error) error {
	if errors.Is(err, errSent) {
		return fmt.Errorf("%w: %w", feature.ErrUnknownOutcome, err)
	}
	return err
}
