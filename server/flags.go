package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"brownout/server/feature"

	"golang.org/x/sync/singleflight"
)

// flags reads and writes flags: the cache first, the store when the cache has
// nothing or cannot say. Cache errors never reach the caller.
type flags struct {
	store   feature.Store
	cache   feature.Cache
	near    feature.Peeker // cache, if it has entries in this process; or nil
	profile Profile
	// settle is how long after a write with an unknown outcome the store may still
	// carry it out.
	settle time.Duration
	idle   time.Duration // an environment is in use for so long after somebody asked for it
	log    *slog.Logger

	floors   floors
	kept     snapshots
	absent   absences
	outage   outage
	stale    *invalidations
	loads    singleflight.Group
	decodes  singleflight.Group
	checks   singleflight.Group
	cacheLog *condition
	storeLog *condition

	backwards hush // lines about a database that has lost writes
}

func newFlags(c Config, store feature.Store, cache feature.Cache) *flags {
	f := &flags{
		store: newQueue(store, c.DatabasePoolSize, c.Profile.DatabaseQueue, c.DatabaseTimeout), cache: cache, profile: c.Profile, settle: 2 * c.DatabaseTimeout, log: c.Log,
		idle:     c.CacheTTL,
		kept:     snapshots{limit: c.Profile.KeepLimit},
		cacheLog: &condition{what: "cache", log: c.Log}, storeLog: &condition{what: "database", log: c.Log},
	}
	f.near, _ = cache.(feature.Peeker)
	f.stale = newInvalidations(c.Log, f.forget, f.learn)
	return f
}

// read returns an environment and where it came from; the source is right also
// when there is an error.
func (f *flags) read(ctx context.Context, environment string) (*feature.Document, source, error) {
	// The floor is read before anything else: what this read finds must be as new
	// as all writes that were answered before it began.
	r := reading{environment: environment, began: time.Now()}
	r.floor, r.watched = f.floors.use(environment, r.began, f.idle)
	d, from, err := f.find(ctx, r)
	if !r.watched && err == nil {
		f.floors.watch(environment, r.began)
	}
	return d, from, err
}

// find is read without making the environment one that is in use.
func (f *flags) find(ctx context.Context, r reading) (*feature.Document, source, error) {
	if r.floor == 0 && f.absent.has(r.environment) {
		nothing := feature.NewDocument(feature.NewSnapshot(r.environment, 0, nil))
		return nothing, source{backend: backendAbsent, hit: true}, nil
	}
	found, from := f.lookup(ctx, r)
	if from.hit {
		return found, from, nil
	}
	r.fill = from.askedInVain()
	return f.ask(ctx, r, from)
}

// A reading is one read of an environment.
type reading struct {
	environment string
	began       time.Time
	floor       uint64 // what is below is too old
	watched     bool   // the floor is kept up to date
	fill        bool   // put what the store says into the cache
}

// loaded is what came from the store.
type loaded struct {
	document *feature.Document
	stored   bool // it is in the cache now
}

// load asks the store, and fills the cache if r says so.
func (f *flags) load(ctx context.Context, r reading) (loaded, error) {
	if !f.profile.Coalesce {
		return f.loadAlone(ctx, r)
	}
	// A read shares only loads that began at the same floor: one that began before a
	// write was answered may not have seen it.
	key := r.environment + " " + strconv.FormatUint(r.floor, 10) + " " + strconv.FormatBool(r.fill)
	// The first caller may go away while others wait for its load. The store bounds
	// the load by itself, so nobody waits for ever.
	shared := context.WithoutCancel(ctx)
	got, err, _ := f.loads.Do(key, func() (any, error) {
		// One that comes here when a load has ended that was under way when it began
		// could as well have joined that load.
		if d := f.kept.since(r.environment, r.began); d != nil && d.Revision >= r.floor {
			return loaded{document: d}, nil
		}
		return f.loadAlone(shared, r)
	})
	return got.(loaded), err
}

func (f *flags) loadAlone(ctx context.Context, r reading) (loaded, error) {
	snapshot, err := f.store.Snapshot(ctx, r.environment)
	if ctx.Err() == nil {
		f.storeLog.observe(err)
		f.outage.observe(err)
	}
	if err != nil {
		return loaded{}, err
	}
	f.wentBack(ctx, r.environment, r.floor, snapshot.Revision)
	got := loaded{document: feature.NewDocument(snapshot)}
	if snapshot.Revision == 0 { // anybody can ask for names that nobody ever wrote
		if f.cache.Name() != BackendNone {
			f.absent.add(r.environment, f.profile.NegativeTTL)
		}
		return got, nil
	}
	f.floors.raise(r.environment, snapshot.Revision) // what one caller has seen is not taken back from the next
	f.kept.keep(got.document)
	if r.fill {
		got.stored = f.fill(ctx, got.document)
	}
	f.kept.ended(got.document)
	return got, nil
}

// wentBack notices a database that has lost writes, as one restored from an older
// state: it is the truth all the same. floor was read before it was asked.
func (f *flags) wentBack(ctx context.Context, environment string, floor, revision uint64) {
	if f.profile.CheckRevision && f.floors.lower(environment, floor, revision) {
		f.kept.forget(environment)
		if held, ok := f.backwards.pass(); ok { // a database that is restored has lost some everywhere
			f.log.Error("the database has lost writes", "environment", environment, "revision", revision, "was", floor, "others", held)
		}
		f.invalidate(ctx, environment)
	}
}

// fill puts a snapshot into the cache and reports whether it is there. A snapshot
// that a write has overtaken is dropped, or taken out again.
func (f *flags) fill(ctx context.Context, d *feature.Document) bool {
	if d.Revision == 0 || f.overtaken(d) || f.stale.distrusts(d.Environment) {
		return false // revision 0: anybody can ask for names that nobody ever wrote
	}
	data, err := d.Encode()
	if err != nil {
		f.log.Error("filling the cache", "error", err)
		return false
	}
	bounded, cancel := f.bounded(ctx)
	defer cancel()
	err = f.cache.Set(bounded, d.Environment, data)
	f.cacheLog.observe(err)
	if f.overtaken(d) { // this instance would refuse it, others would not
		f.invalidate(ctx, d.Environment)
		return false
	}
	return err == nil
}

func (f *flags) overtaken(d *feature.Document) bool {
	return f.profile.CheckRevision && d.Revision < f.floors.floor(d.Environment)
}

// put writes a flag. A caller who goes away does not undo it.
func (f *flags) put(ctx context.Context, environment, key string, d feature.Draft) (feature.Receipt, error) {
	ctx = context.WithoutCancel(ctx)
	r, err := f.store.Put(ctx, environment, key, d)
	f.written(ctx, environment, r.Revision, err, func(s feature.Snapshot) feature.Snapshot { return s.With(r.Flag) })
	return r, err
}

func (f *flags) delete(ctx context.Context, environment, key string) error {
	ctx = context.WithoutCancel(ctx)
	revision, err := f.store.Delete(ctx, environment, key)
	f.written(ctx, environment, revision, err, func(s feature.Snapshot) feature.Snapshot { return s.Without(key) })
	return err
}

// written makes later reads see a write, before it is answered. change is what it did.
func (f *flags) written(ctx context.Context, environment string, revision uint64, err error, change func(feature.Snapshot) feature.Snapshot) {
	f.outage.observe(err)
	switch {
	case err == nil:
		f.storeLog.observe(nil)
		f.kept.change(environment, revision, change)
		f.floors.raise(environment, revision)
		f.invalidate(ctx, environment)
	case errors.Is(err, feature.ErrNotFound), errors.Is(err, feature.ErrFull):
		f.storeLog.observe(nil) // it answered, and nothing was written
	default:
		f.storeLog.observe(err)
		if errors.Is(err, feature.ErrUnknownOutcome) && f.profile.RetryInvalidation {
			f.stale.doubt(environment, f.settle)
		}
	}
}

// invalidate deletes the environment's entry, or sees to it that it will be.
func (f *flags) invalidate(ctx context.Context, environment string) {
	if f.stale.distrusts(environment) {
		f.stale.owe(environment) // the cache was not to be reached a moment ago
		return
	}
	if f.forget(ctx, environment) != nil && f.profile.RetryInvalidation {
		f.stale.owe(environment)
	}
}

// forget deletes the environment's entry once.
func (f *flags) forget(ctx context.Context, environment string) error {
	ctx, cancel := f.bounded(ctx)
	defer cancel()
	err := f.cache.Delete(ctx, environment)
	f.cacheLog.observe(err)
	return err
}

// learn asks the store for the environment's revision.
func (f *flags) learn(ctx context.Context, environment string) error {
	revisions, err := f.store.Revisions(ctx, []string{environment})
	if err != nil {
		return fmt.Errorf("learning the revision of %s: %w", environment, err)
	}
	f.floors.raise(environment, revisions[environment])
	return nil
}
