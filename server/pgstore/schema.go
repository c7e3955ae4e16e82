package pgstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// schemaLock is the advisory lock that one instance holds while it sets up the
// schema. CREATE TABLE IF NOT EXISTS alone fails when two run it at once. The
// number is "brownout" in ASCII.
const schemaLock = 0x62726f776e6f7574

// Keys compare by bytes, so that SQL and Go sort alike.
const schema = `
CREATE TABLE IF NOT EXISTS environments (
	name     text COLLATE "C" PRIMARY KEY,
	revision bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS flags (
	environment     text COLLATE "C" NOT NULL,
	key             text COLLATE "C" NOT NULL,
	enabled         boolean NOT NULL,
	value           text NOT NULL, -- JSON
	variants        text,          -- a JSON object; null: none
	description     text NOT NULL,
	version         bigint NOT NULL,
	created_version bigint NOT NULL, -- the version with which the flag was made, the last time
	updated_at      timestamptz NOT NULL,
	deleted         boolean NOT NULL DEFAULT false, -- a tombstone: it keeps the version
	PRIMARY KEY (environment, key)
)`

// createSchema makes what is missing. Several instances may do so at once.
func (s *Store) createSchema(ctx context.Context, pool *pgxpool.Pool) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.ConnectTimeout+s.cfg.Timeout)
	defer cancel()
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(schemaLock)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, schema)
		return err
	})
	if err != nil {
		return fmt.Errorf("setting up the schema: %w", err)
	}
	return nil
}
