package stack

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"brownout/results"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// The database of a local PostgreSQL. It trusts everybody who can reach loopback;
// the password is there for clients that insist on one.
const (
	databaseName     = "brownout"
	databaseUser     = "brownout"
	databasePassword = "brownout"
)

// postgresSettings make a server that is fast and keeps nothing beyond its run.
// Shared memory is mapped, because a killed postmaster leaves System V and POSIX
// segments behind; one small System V segment is always there (see segment). The
// JIT compiler may not have been fetched, and adds noise.
func postgresSettings() []string {
	return []string{
		"fsync=off", "synchronous_commit=off", "full_page_writes=off",
		"shared_memory_type=mmap", "dynamic_shared_memory_type=mmap", "huge_pages=off",
		"listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200",
		"wal_level=minimal", "max_wal_senders=0", "jit=off",
		"logging_collector=off", "log_destination=stderr",
	}
}

// A postmaster is what is needed to run a local PostgreSQL.
type postmaster struct {
	server Server
	user   *User // nil: the user of the harness
	config Config
}

// startPostgres starts a PostgreSQL on a copy of the template. A template that the
// server does not start on is broken: it is made again, once.
func startPostgres(ctx context.Context, c Config, f *folder) (*Node, error) {
	server, err := findLocal(ctx, Postgres)
	if err != nil {
		return nil, err
	}
	m := &postmaster{server: server, user: serverUser(), config: c}
	t, err := m.template(f)
	if err != nil {
		return nil, err
	}
	n, err := m.startCopy(ctx, t, f, "1")
	var exit *ExitError
	if errors.As(err, &exit) {
		if err := t.discard(ctx); err != nil {
			return nil, err
		}
		n, err = m.startCopy(ctx, t, f, "2")
	}
	return n, err
}

// startCopy starts a server on a new copy of the template. The name of its folder
// is one of this run alone, which spread needs.
func (m *postmaster) startCopy(ctx context.Context, t *template, f *folder, try string) (*Node, error) {
	parent := filepath.Join(f.path, results.LinkDatabase)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return nil, fmt.Errorf("making the folder of postgres: %w", err)
	}
	spread(parent)
	data := filepath.Join(parent, filepath.Base(f.path)+"-"+try)
	if err := t.copyTo(ctx, data); err != nil {
		return nil, err
	}
	return m.run(ctx, data, databaseName)
}

// run starts a server on data and returns when a query on database answers.
func (m *postmaster) run(ctx context.Context, data, database string) (*Node, error) {
	return onFreePort(func(port int) (*Node, error) { return m.runAt(ctx, data, database, port) })
}

func (m *postmaster) runAt(ctx context.Context, data, database string, port int) (*Node, error) {
	args := []string{"-D", data, "-p", strconv.Itoa(port)}
	for _, setting := range postgresSettings() {
		args = append(args, "-c", setting)
	}
	p, err := m.spawn(ctx, m.server.Path, args, data)
	if err != nil {
		return nil, err
	}
	n := localNode(results.LinkDatabase, m.server, p, port)
	u := url.URL{
		Scheme: "postgres", Host: n.Addr, Path: "/" + database,
		User: url.UserPassword(databaseUser, databasePassword), RawQuery: "sslmode=disable",
	}
	n.URL = u.String()
	err = await(ctx, p, func(ctx context.Context) error {
		version, err := askPostgres(ctx, n.URL, data)
		if err == nil {
			n.Version = version
		}
		return err
	})
	return ready(ctx, n, err)
}

// spawn starts a program of PostgreSQL in a folder that its user may enter.
func (m *postmaster) spawn(ctx context.Context, path string, args []string, dir string) (*Process, error) {
	return m.config.Spawner.Start(ctx, Command{
		Name: results.LinkDatabase, Path: path, Args: args, Dir: dir,
		Env: environment(m.server.Env), User: m.user,
		Log:  filepath.Join(m.config.Logs, results.LinkDatabase+".log"),
		Base: m.config.Base, Record: m.config.Record,
	})
}

// askPostgres asks the server at text for its version by a query. With data, the
// server must also be the one on that folder: another run's may have got the port.
func askPostgres(ctx context.Context, text, data string) (version string, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, text)
	if err != nil {
		return "", judgePostgres(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	query := "select current_setting('server_version'), ''"
	if data != "" {
		query = "select current_setting('server_version'), current_setting('data_directory')"
	}
	var at string
	if err := conn.QueryRow(ctx, query).Scan(&version, &at); err != nil {
		return "", judgePostgres(err)
	}
	if at != data {
		return "", errStranger
	}
	version, _, _ = strings.Cut(version, " ") // "15.18 (Debian 15.18-0+deb12u1)"
	return version, nil
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

// externalPostgres asks the server behind a URL of the user.
func externalPostgres(ctx context.Context, text string) (*Node, error) {
	u, err := parseURL(text, "5432", "postgres", "postgresql")
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	n := &Node{Name: results.LinkDatabase, Kind: Postgres, Provider: External, Addr: u.Host, URL: u.String()}
	if _, err := pgx.ParseConfig(n.URL); err != nil {
		return nil, fmt.Errorf("database: reading the settings of %s failed", u.Redacted())
	}
	ctx, cancel := context.WithTimeout(ctx, externalTimeout)
	defer cancel()
	err = await(ctx, nil, func(ctx context.Context) error {
		n.Version, err = askPostgres(ctx, n.URL, "")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("database: asking %s: %w", u.Redacted(), err)
	}
	return n, nil
}
