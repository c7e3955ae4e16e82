package stack

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"syscall"

	"brownout/chaos/stack/docker"
)

// A boxedPostgresServer runs a PostgreSQL in a container. The image's entry point
// makes the data folder, with a server that only its own socket reaches, and then
// starts the one that answers.
type boxedPostgresServer struct{ contained }

func newBoxedPostgres(engine *docker.Engine, s Server) *boxedPostgresServer {
	return &boxedPostgresServer{contained{
		engine: engine, ending: syscall.SIGINT, // SIGTERM would wait for the clients
		spec: docker.Spec{
			Image: s.Image, Port: 5432, Cmd: append([]string{"postgres"}, boxedPostgresSettings()...),
			Env: map[string]string{
				"POSTGRES_USER": databaseUser, "POSTGRES_PASSWORD": databasePassword, "POSTGRES_DB": databaseName,
				"POSTGRES_HOST_AUTH_METHOD": "trust", "POSTGRES_INITDB_ARGS": "--locale=C --encoding=UTF8 --no-sync",
			},
		},
	}}
}

// boxedPostgresSettings are those of any other, but for where it listens.
func boxedPostgresSettings() []string {
	var args []string
	for _, setting := range slices.Concat(postgresSettings(), []string{"listen_addresses=*"}) {
		if !strings.HasPrefix(setting, "unix_socket_directories=") { // the entry point uses the socket
			args = append(args, "-c", setting)
		}
	}
	return args
}

func (p *boxedPostgresServer) fill(c Config, n *Node, f *folder) error {
	if c.TLS != nil {
		return errors.New("database: a PostgreSQL in a container cannot speak TLS here; want one of this machine ('make servers')")
	}
	p.occupy(c, n, f)
	n.URL = databaseURL(n.Addr, databaseName, url.Values{"sslmode": {"disable"}})
	return nil
}

func (p *boxedPostgresServer) ask(ctx context.Context, n *Node) (identity, error) {
	return askPostgres(ctx, n.URL, "")
}
