package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"brownout/server"
	"brownout/server/cache"
	"brownout/server/pgstore"
)

// serveBroken is the reference server with the defects that DEFECTS names, joined
// by commas. Each is something that a service could well do, and that a scenario
// of the catalogue has to find.
func serveBroken(ctx context.Context) error {
	cfg, err := server.FromEnviron(os.LookupEnv)
	if err != nil {
		return err
	}
	store, err := pgstore.New(pgstore.Config{
		URL: cfg.DatabaseURL, Timeout: cfg.DatabaseTimeout,
		ConnectTimeout: cfg.DatabaseConnectTimeout, PoolSize: cfg.DatabasePoolSize,
	})
	if err != nil {
		return err
	}
	redis, err := cache.NewRedis(cfg.CacheSettings())
	if err != nil {
		return err
	}
	cfg.Store, cfg.Cache = store, redis
	for name := range strings.SplitSeq(os.Getenv("DEFECTS"), ",") {
		if err := breakIn(&cfg, name); err != nil {
			return err
		}
	}
	s, err := server.New(cfg)
	if err != nil {
		return err
	}
	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	var open sync.WaitGroup
	var storeErr error
	open.Go(func() { storeErr = store.Run(inner) })
	err = s.Run(ctx)
	stop()
	open.Wait()
	return errors.Join(err, storeErr)
}

// breakIn puts one defect into the server.
func breakIn(cfg *server.Config, name string) error {
	switch name {
	case "acks":
		cfg.Store = acks{cfg.Store}
	case "makes-up":
		cfg.Store = makesUp{cfg.Store}
	case "asks-first":
		cfg.Cache = asksFirst{cfg.Cache, cfg.Store}
	case "insists":
		cfg.Cache = insists{cfg.Cache}
	case "trusts-misses":
		cfg.Cache = &trustsMisses{Cache: cfg.Cache, filled: map[string]bool{}}
	case "sulks":
		cfg.Store = &sulkingStore{Store: cfg.Store}
		cfg.Cache = &sulkingCache{Cache: cfg.Cache}
	default:
		return fmt.Errorf("DEFECTS: there is no defect %q, want acks, makes-up, asks-first, insists, trusts-misses or sulks", name)
	}
	return nil
}
