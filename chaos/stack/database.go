package stack

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"brownout/results"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// newDatabase makes the node of the database. It is found at its link, so that
// comes before.
func (m *postmaster) newDatabase(n *Node, f *folder) error {
	query := url.Values{"sslmode": {"disable"}}
	if authority := m.config.TLS; authority != nil {
		dir, err := m.databaseFolder(f)
		if err != nil {
			return err
		}
		if err := certify(authority, dir, n.Link, m.user); err != nil {
			return err
		}
		if err := m.requireTLS(dir); err != nil {
			return err
		}
		query = url.Values{"sslmode": {"verify-full"}, "sslrootcert": {filepath.Join(f.path, caFile)}}
	}
	n.URL = databaseURL(n.Addr, databaseName, query)
	return nil
}

func databaseURL(addr, database string, query url.Values) string {
	u := url.URL{
		Scheme: "postgres", Host: addr, Path: "/" + database,
		User: url.UserPassword(databaseUser, databasePassword), RawQuery: query.Encode(),
	}
	return u.String()
}

// requireTLS makes the server speak TLS, and refuse who does not.
func (m *postmaster) requireTLS(dir string) error {
	hba := filepath.Join(dir, "pg_hba.conf")
	if err := os.WriteFile(hba, []byte("hostssl all all 127.0.0.1/32 trust\n"), 0o644); err != nil {
		return fmt.Errorf("writing who may connect: %w", err)
	}
	m.extra = []string{
		"ssl=on", "ssl_cert_file=" + filepath.Join(dir, certFile),
		"ssl_key_file=" + filepath.Join(dir, keyFile), "hba_file=" + hba,
	}
	return nil
}

// databaseFolder makes the folder in which the data folders are.
func (m *postmaster) databaseFolder(f *folder) (string, error) {
	dir := filepath.Join(f.path, results.LinkDatabase)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("making the folder of postgres: %w", err)
	}
	spread(dir)
	return dir, nil
}

// start starts the database on a copy of the template. A template that the server
// does not start on is broken, unless its port was taken: it is made again, once.
func (m *postmaster) start(ctx context.Context, n *Node, f *folder) error {
	t, err := m.template(f)
	if err != nil {
		return err
	}
	err = m.startCopy(ctx, n, t, f, "1")
	var exit *ExitError
	if errors.As(err, &exit) && !exit.portTaken() {
		if err := t.discard(ctx); err != nil {
			return err
		}
		err = m.startCopy(ctx, n, t, f, "2")
	}
	return err
}

// startCopy starts a server on a new copy of the template. The name of its folder
// is one of this run alone, which spread needs.
func (m *postmaster) startCopy(ctx context.Context, n *Node, t *template, f *folder, try string) error {
	dir, err := m.databaseFolder(f)
	if err != nil {
		return err
	}
	data := filepath.Join(dir, filepath.Base(f.path)+"-"+try)
	if err := t.copyTo(ctx, data); err != nil {
		return err
	}
	m.place(n, data)
	return n.start(ctx)
}

// place makes n run on data.
func (m *postmaster) place(n *Node, data string) {
	_, port := splitAddr(n.Addr)
	n.program = &postgresServer{postmaster: m, data: data, port: port}
}

// askPostgres asks the server at text for its version by a query. With data, the
// server must also be the one on that folder: another run's may have got the port.
func askPostgres(ctx context.Context, text, data string) (identity, error) {
	conn, err := pgx.Connect(ctx, text)
	if err != nil {
		return identity{}, judgePostgres(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	query := "select current_setting('server_version'), ''"
	if data != "" {
		query = "select current_setting('server_version'), current_setting('data_directory')"
	}
	var version, at string
	if err := conn.QueryRow(ctx, query).Scan(&version, &at); err != nil {
		return identity{}, judgePostgres(err)
	}
	if at != data {
		return identity{}, errStranger
	}
	version, _, _ = strings.Cut(version, " ") // "15.18 (Debian 15.18-0+deb12u1)"
	return identity{kind: Postgres, version: version}, nil
}

// judgePostgres makes a refusal of what the server itself answered, except that it
// is starting or full (classes 57 and 53, see appendix A of PostgreSQL's manual).
func judgePostgres(err error) error {
	var answer *pgconn.PgError
	if errors.As(err, &answer) && !strings.HasPrefix(answer.Code, "57") && !strings.HasPrefix(answer.Code, "53") {
		return refusal{fmt.Errorf("it answered %q (SQLSTATE %s)", answer.Message, answer.Code)}
	}
	return err
}
