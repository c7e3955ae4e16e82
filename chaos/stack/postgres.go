package stack

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

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
	extra  []string // settings of its own
}

// A postgresServer runs a PostgreSQL on a data folder.
type postgresServer struct {
	*postmaster
	data, port string
}

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
		n.TLS = clientTLS(authority)
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
// does not start on is broken: it is made again, once.
func (m *postmaster) start(ctx context.Context, n *Node, f *folder) error {
	t, err := m.template(f)
	if err != nil {
		return err
	}
	err = m.startCopy(ctx, n, t, f, "1")
	var exit *ExitError
	if errors.As(err, &exit) {
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

func (p *postgresServer) spawn(ctx context.Context) (*Process, error) {
	args := []string{"-D", p.data, "-p", p.port}
	for _, setting := range append(postgresSettings(), p.extra...) {
		args = append(args, "-c", setting)
	}
	return p.run(ctx, p.server.Path, args, p.data)
}

func (p *postgresServer) ask(ctx context.Context, n *Node) (identity, error) {
	return askPostgres(ctx, n.URL, p.data)
}

// stop shuts down fast; SIGTERM would wait for the clients.
func (p *postgresServer) stop(ctx context.Context, process *Process) error {
	return process.Stop(ctx, syscall.SIGINT)
}

// save does nothing: what was committed is in the files, and survives the process,
// if not the machine (fsync=off).
func (p *postgresServer) save(context.Context, *Node) error { return nil }

var errKeepsData = errors.New("a database cannot be restarted empty")

func (p *postgresServer) erase() error { return errKeepsData }

// run starts a program of PostgreSQL in a folder that its user may enter.
func (m *postmaster) run(ctx context.Context, path string, args []string, dir string) (*Process, error) {
	return m.config.Spawner.Start(ctx, Command{
		Name: results.LinkDatabase, Path: path, Args: args, Dir: dir,
		Env: environment(m.server.Env), User: m.user,
		Log:  filepath.Join(m.config.Logs, results.LinkDatabase+".log"),
		Base: m.config.Base, Record: m.config.Record,
	})
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
