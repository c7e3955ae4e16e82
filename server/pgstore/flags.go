package pgstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"brownout/server/feature"

	"github.com/jackc/pgx/v5"
)

// An environment without flags has one row of nulls here.
const selectSnapshot = `
SELECT e.revision, f.key, f.enabled, f.value, f.variants, f.description, f.version, f.updated_at
FROM environments e LEFT JOIN flags f ON f.environment = e.name AND NOT f.deleted
WHERE e.name = $1 ORDER BY f.key`

// There are never more flags than there were writes, so they are counted only where
// there were more writes than flags may be, and only for a flag that is new. Writes at
// the same moment do not see each other's flags; each connection can add one too many.
const upsertFlag = `
WITH e AS (
	INSERT INTO environments (name, revision) VALUES ($1, 1)
	ON CONFLICT (name) DO UPDATE SET revision = environments.revision + 1
	RETURNING revision
)
INSERT INTO flags AS f (environment, key, enabled, value, variants, description, version, created_version, updated_at)
SELECT $1, $2, $3::boolean, $4, $5, $6, 1, 1, clock_timestamp() FROM e
WHERE CASE
	WHEN e.revision <= $7 THEN true
	WHEN EXISTS (SELECT FROM flags WHERE environment = $1 AND key = $2 AND NOT deleted) THEN true
	ELSE (SELECT count(*) FROM flags WHERE environment = $1 AND NOT deleted) < $7
END
ON CONFLICT (environment, key) DO UPDATE SET
	enabled = excluded.enabled, value = excluded.value, variants = excluded.variants,
	description = excluded.description, updated_at = excluded.updated_at, deleted = false,
	version = f.version + 1,
	created_version = CASE WHEN f.deleted THEN f.version + 1 ELSE f.created_version END
RETURNING f.version, f.created_version = f.version, f.updated_at, (SELECT revision FROM e)`

// A revision that no flag was written with does no harm.
const deleteFlag = `
WITH e AS (UPDATE environments SET revision = revision + 1 WHERE name = $1 RETURNING revision)
UPDATE flags SET deleted = true, version = version + 1, updated_at = clock_timestamp()
FROM e WHERE environment = $1 AND key = $2 AND NOT deleted
RETURNING e.revision`

// Snapshot reads an environment in one statement, so at one revision.
func (s *Store) Snapshot(ctx context.Context, environment string) (feature.Snapshot, error) {
	var revision uint64
	var flags []feature.Flag
	err := s.query(ctx, selectSnapshot, func(rows pgx.Rows) error {
		var key, value, description *string
		var variants []byte
		var enabled *bool
		var version *uint64
		var updated *time.Time
		if err := rows.Scan(&revision, &key, &enabled, &value, &variants, &description, &version, &updated); err != nil || key == nil {
			return err
		}
		f := feature.Flag{Key: *key, Version: *version, UpdatedAt: updated.UTC()}
		f.Enabled, f.Value, f.Description = *enabled, json.RawMessage(*value), *description
		flags = append(flags, f)
		return decodeVariants(variants, &flags[len(flags)-1])
	}, environment)
	if err != nil {
		return feature.Snapshot{}, fmt.Errorf("reading the flags of %s: %w", environment, err)
	}
	return feature.NewSnapshot(environment, revision, flags), nil
}

// Revisions reads the rows of the environments, and none of their flags.
func (s *Store) Revisions(ctx context.Context, environments []string) (map[string]uint64, error) {
	revisions := make(map[string]uint64, len(environments))
	err := s.query(ctx, "SELECT name, revision FROM environments WHERE name = ANY($1)", func(rows pgx.Rows) error {
		var name string
		var revision uint64
		err := rows.Scan(&name, &revision)
		revisions[name] = revision
		return err
	}, environments)
	if err != nil {
		return nil, fmt.Errorf("reading the revisions of %d environments: %w", len(environments), err)
	}
	return revisions, nil
}

func decodeVariants(data []byte, f *feature.Flag) error {
	if data == nil {
		return nil
	}
	if err := json.Unmarshal(data, &f.Variants); err != nil {
		return fmt.Errorf("decoding the variants of %s: %w", f.Key, err)
	}
	return nil
}

// Put writes a flag.
func (s *Store) Put(ctx context.Context, environment, key string, d feature.Draft) (feature.Receipt, error) {
	if d.Value == nil {
		d.Value = json.RawMessage("null")
	}
	var variants *string
	if d.Variants != nil {
		data, err := json.Marshal(d.Variants)
		if err != nil {
			return feature.Receipt{}, fmt.Errorf("encoding the variants of %s: %w", key, err)
		}
		variants = new(string(data))
	}
	r := feature.Receipt{Flag: feature.Flag{Key: key, Draft: d}}
	err := s.queryOne(ctx, upsertFlag, []any{environment, key, d.Enabled, string(d.Value), variants, d.Description, s.cfg.FlagLimit},
		&r.Flag.Version, &r.Created, &r.Flag.UpdatedAt, &r.Revision)
	if errors.Is(err, feature.ErrNotFound) { // no row: nothing was written
		err = feature.ErrFull
	}
	if err != nil {
		return feature.Receipt{}, fmt.Errorf("writing flag %s of %s: %w", key, environment, writeError(err))
	}
	r.Flag.UpdatedAt = r.Flag.UpdatedAt.UTC()
	return r, nil
}

// Delete leaves a tombstone.
func (s *Store) Delete(ctx context.Context, environment, key string) (revision uint64, err error) {
	if err := s.queryOne(ctx, deleteFlag, []any{environment, key}, &revision); err != nil {
		return 0, fmt.Errorf("deleting flag %s of %s: %w", key, environment, writeError(err))
	}
	return revision, nil
}

// Ready asks the database for the schema.
func (s *Store) Ready(ctx context.Context) error {
	ignore := func(pgx.Rows) error { return nil }
	if err := s.query(ctx, "SELECT 1 FROM environments, flags LIMIT 0", ignore); err != nil {
		return fmt.Errorf("asking for the schema: %w", err)
	}
	return nil
}
