package stack

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
)

// Clients counts the connections to the server. Those of a server of this machine are
// counted as its kernel knows them, also those that the server has not accepted yet,
// and the server is not asked. One in a container is asked: its connections end in
// another network.
func (n *Node) Clients() (count int, err error) {
	if n.Provider == Docker {
		ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
		defer cancel()
		count, err = n.askClients(ctx)
	} else {
		count, err = n.countClients()
	}
	if err != nil {
		return 0, fmt.Errorf("counting the clients of the %s: %w", n.Name, err)
	}
	return count, nil
}

// askClients leaves out the connection that asks.
func (n *Node) askClients(ctx context.Context) (int, error) {
	if n.Kind == Postgres {
		return askPostgresClients(ctx, n.URL)
	}
	fields, err := n.admin.Info(ctx, "clients")
	if err != nil {
		return 0, err
	}
	all, err := strconv.Atoi(fields["connected_clients"])
	return all - 1, err
}

func askPostgresClients(ctx context.Context, text string) (count int, err error) {
	conn, err := pgx.Connect(ctx, text)
	if err != nil {
		return 0, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	const query = "select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
	return count, conn.QueryRow(ctx, query).Scan(&count)
}
