// Package server is the reference flag server: flags of environments over HTTP,
// kept in PostgreSQL, with a cache before it. The harness tests it as it tests any
// other service; it knows nothing of the harness.
//
// The one idea: the cache may be slow, gone or wrong, and that costs time and
// database queries but no error and no old answer. A Profile says how far this is
// carried: "seed" is a service as it was before anybody asked what happens when
// Redis is silent, "resilient" is the answer.
//
// What makes an answer right although a cache is not: every write raises the
// environment's revision in the database, this server remembers the newest revision
// that it has written or read there, and a cached snapshot below it is refused (see
// floors and feature.Snapshot). Invalidations that fail are kept and retried (invalidations).
//
// A cache that does not answer costs no request more than its budget, and soon none
// at all: package cache stops asking it and finds out by itself when it is back.
//
// None of that reaches beyond one instance: another one that shares the cache does not
// know this one's floors and debts. So each instance also reads the revisions of the
// environments in use from the database once in a while (flags.recheck), and that of
// another one before it believes an entry of it: that bounds how long it can believe an
// entry that should have gone, whoever lost the deletion.
//
// What is not done here: while the database does not answer there is no such bound. An
// answer of the cache is then as old as its entry.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"

	"brownout/server/metrics"
	"brownout/server/pgstore"
)

// maxHeader bounds the head of a request, in bytes; net/http allows 4096 more.
const maxHeader = 16 << 10

// A Server is a flag server. Make one with New and start it with Run or Serve,
// once.
type Server struct {
	cfg      Config
	log      *slog.Logger
	flags    *flags
	database *pgstore.Store // nil: the store has no life of its own

	metrics *metrics.Metrics
	scrape  http.Handler // shows metrics
	tally   tally

	ids      *idSource
	failures hush // of requests, in the log

	requests                  requests
	databaseProbe, cacheProbe probe
}

// New checks the settings and builds the server. It starts nothing.
func New(cfg Config) (*Server, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("making the server: %w", err)
	}
	store, database, err := cfg.store()
	if err != nil {
		return nil, fmt.Errorf("making the server: %w", err)
	}
	cache, err := cfg.cache()
	if err != nil {
		return nil, fmt.Errorf("making the server: %w", err)
	}
	store, cache = cfg.Around.store(store), cfg.Around.cache(cache)
	counted := &countedStore{Store: store}
	s := &Server{cfg: cfg, log: cfg.Log, flags: newFlags(cfg, counted, cache), database: database, metrics: metrics.New(), ids: newIDSource()}
	s.databaseProbe.check, s.cacheProbe.check = counted.Ready, cache.Ping
	s.scrape = s.metrics.Handler()
	s.measure(s.metrics, counted)
	return s, nil
}

// Run listens on the configured address and serves as Serve does.
func (s *Server) Run(ctx context.Context) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.cfg.ListenAddr)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	return s.Serve(ctx, l)
}

// Serve answers requests on l from now on, while it connects to what it needs in
// the background. When ctx ends it lets the requests in flight finish, within the
// shutdown timeout, and returns nil when nothing of it is left. It closes l.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var owed, database sync.WaitGroup
	inner, stopDatabase := context.WithCancel(context.WithoutCancel(ctx))
	defer stopDatabase()
	database.Go(func() { s.runDatabase(inner) })
	owed.Go(func() { s.flags.stale.run(background) })
	owed.Go(func() { s.flags.recheck(background) })
	cache := s.flags.runCache(background, s.cfg.Warm)

	err := s.serveHTTP(ctx, l)

	// From the outside in: nobody uses any more what is taken away.
	stop()
	owed.Wait()
	err = errors.Join(err, s.flags.cache.Close()) // ends a wait for a silent cache
	cache.Wait()
	s.requests.wait()
	s.databaseProbe.working.Wait()
	s.cacheProbe.working.Wait()
	stopDatabase()
	database.Wait()
	s.log.Info("stopped")
	return err
}

func (s *Server) runDatabase(ctx context.Context) {
	if s.database == nil {
		return
	}
	if err := s.database.Run(ctx); err != nil {
		s.log.Error("database", "error", err)
	}
}

// serveHTTP returns when no request comes in any more. Those in flight may still
// be there if they took longer than the shutdown timeout.
func (s *Server) serveHTTP(ctx context.Context, l net.Listener) error {
	h := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: s.cfg.HeaderTimeout,
		ReadTimeout:       s.cfg.HeaderTimeout + s.cfg.BodyTimeout,
		IdleTimeout:       s.cfg.IdleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		// No WriteTimeout: it would also count the wait for the cache or the database, and
		// how long that takes is the profile's business. See exchange.begin.
	}
	s.log.Info("listening", "address", l.Addr().String(), "profile", s.cfg.Profile.Name, "cache", s.flags.cache.Name())
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(l) }()
	select {
	case err := <-ended:
		return errors.Join(fmt.Errorf("serving: %w", err), h.Close())
	case <-ctx.Done():
	}
	s.log.Info("stopping")
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.ShutdownTimeout)
	defer cancel()
	err := h.Shutdown(limited)
	<-ended // it returns when Shutdown begins
	if err != nil {
		return errors.Join(fmt.Errorf("stopping: requests still in flight after %v: %w", s.cfg.ShutdownTimeout, err), h.Close())
	}
	return nil
}
