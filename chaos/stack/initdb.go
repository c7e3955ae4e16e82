package stack

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"syscall"

	"brownout/results"

	"github.com/jackc/pgx/v5"
)

// initialise makes a data folder with the empty database, and no server on it.
func (t *template) initialise(ctx context.Context, data string) error {
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	if err := give(data, t.m.user); err != nil {
		return err
	}
	quiet := *t.m
	quiet.config.Record, quiet.extra = nil, nil // these servers are no part of the run
	if err := quiet.initdb(ctx, data); err != nil {
		return err
	}
	n, err := localNode(results.LinkDatabase, RolePrimary, t.m.server, nil)
	if err != nil {
		return err
	}
	n.URL = databaseURL(n.Addr, "postgres", url.Values{"sslmode": {"disable"}})
	quiet.place(n, data)
	if err = n.start(ctx); err == nil {
		err = createDatabase(ctx, n.URL)
	}
	cctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	return errors.Join(err, n.close(cctx))
}

// initdb runs initdb on an empty folder.
func (m *postmaster) initdb(ctx context.Context, data string) error {
	args := []string{
		"-D", data, "-U", databaseUser, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync",
	}
	p, err := m.run(ctx, initdbOf(m.server.Path), args, data)
	if err != nil {
		return err
	}
	if err := p.Wait(ctx); p.Exited() {
		return initdbError(err)
	}
	cctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	// Asked to end, it would remove the file that names its shared memory, and its
	// server be killed before that removes the memory itself.
	return errors.Join(ctx.Err(), p.Stop(cctx, syscall.SIGKILL))
}

// initdbError is nil for the one process that is meant to end by itself.
func initdbError(err error) error {
	var exit *ExitError
	if errors.As(err, &exit) {
		if exit.How == "exit status 0" {
			return nil
		}
		return fmt.Errorf("initdb failed (%s): %s", exit.How, exit.Tail)
	}
	return err
}

func createDatabase(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("creating the database: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "create database "+databaseName); err != nil {
		return fmt.Errorf("creating the database: %w", err)
	}
	return nil
}
