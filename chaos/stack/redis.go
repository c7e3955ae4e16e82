package stack

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"brownout/results"
)

// startRedis starts a Redis or Valkey that keeps nothing.
func startRedis(ctx context.Context, c Config, f *folder) (*Node, error) {
	server, err := findLocal(ctx, c.Cache)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(f.path, results.LinkCache)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of %s: %w", server.Kind, err)
	}
	return onFreePort(func(port int) (*Node, error) { return runRedis(ctx, c, server, dir, port) })
}

func findLocal(ctx context.Context, kind string) (Server, error) {
	if !canLocal {
		return Server{}, errNeedsLinux
	}
	return Find(ctx, kind)
}

func runRedis(ctx context.Context, c Config, server Server, dir string, port int) (*Node, error) {
	p, err := c.Spawner.Start(ctx, Command{
		Name: results.LinkCache, Path: server.Path, Args: redisArgs(dir, port),
		Env: environment(server.Env), Dir: dir,
		Log:  filepath.Join(c.Logs, results.LinkCache+".log"),
		Base: c.Base, Record: c.Record,
	})
	if err != nil {
		return nil, err
	}
	n := localNode(results.LinkCache, server, p, port)
	u := &url.URL{Scheme: "redis", Host: n.Addr}
	n.URL = u.String()
	err = await(ctx, p, func(ctx context.Context) error {
		info, err := askRedis(ctx, u)
		if err != nil {
			return err
		}
		if info.pid != p.PID() {
			return errStranger
		}
		n.Kind, n.Version = info.kind, info.version
		return nil
	})
	return ready(ctx, n, err)
}

func redisArgs(dir string, port int) []string {
	return []string{
		"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", dir,
		"--save", "", "--appendonly", "no", "--daemonize", "no", "--logfile", "",
	}
}

// externalRedis asks the server behind a URL of the user.
func externalRedis(ctx context.Context, text string) (*Node, error) {
	u, err := parseURL(text, "6379", "redis", "rediss")
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	n := &Node{Name: results.LinkCache, Provider: External, Addr: u.Host, URL: u.String()}
	ctx, cancel := context.WithTimeout(ctx, externalTimeout)
	defer cancel()
	err = await(ctx, nil, func(ctx context.Context) error {
		info, err := askRedis(ctx, u)
		n.Kind, n.Version = info.kind, info.version
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cache: asking %s: %w", u.Redacted(), err)
	}
	return n, nil
}
