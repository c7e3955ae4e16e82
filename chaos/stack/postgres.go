package stack

import (
	"context"
	"path/filepath"
	"syscall"

	"brownout/results"
)

// The database of a local PostgreSQL. It trusts everybody who can reach loopback;
// the password is there for clients that insist on one.
const (
	databaseName     = "brownout"
	databaseUser     = "brownout"
	databasePassword = "brownout"
)

// postgresSettings make a server that is fast and keeps nothing beyond its run. What
// was committed survives a kill of the server, not of the machine: a commit is
// written, and the disk not waited for.
// Shared memory is mapped, because a killed postmaster leaves System V and POSIX
// segments behind; one small System V segment is always there (see segment). The
// JIT compiler may not have been fetched, and adds noise.
func postgresSettings() []string {
	return []string{
		"fsync=off", "full_page_writes=off",
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

// spawn waits for the servers of a postmaster that was killed: another does not start
// while they live.
func (p *postgresServer) spawn(ctx context.Context) (*Process, error) {
	if err := removeSegment(ctx, filepath.Join(p.data, "postmaster.pid")); err != nil {
		return nil, err
	}
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

// run starts a program of PostgreSQL in a folder that its user may enter.
func (m *postmaster) run(ctx context.Context, path string, args []string, dir string) (*Process, error) {
	return m.config.Spawner.Start(ctx, Command{
		Name: results.LinkDatabase, Path: path, Args: args, Dir: dir,
		Env: environment(m.server.Env), User: m.user,
		Log:  filepath.Join(m.config.Logs, results.LinkDatabase+".log"),
		Base: m.config.Base, Record: m.config.Record,
	})
}
