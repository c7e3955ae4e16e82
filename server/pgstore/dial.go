package pgstore

import (
	"context"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// boundCleanUp makes pgx give up a connection that does not answer sooner than
// after its own 15 s. After a statement was given up pgx asks the server on a
// second connection to cancel it, and reads the first one to its end; the place in
// the pool stays taken until both are over (pgconn, asyncClose). With a database
// that is silent all places would be taken, and stay so after it is back.
func boundCleanUp(pool *pgxpool.Config, connect, operation time.Duration) {
	dial := pool.ConnConfig.DialFunc
	pool.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		// A connection that has only a cancellation to bring keeps this deadline.
		return clamped{c, operation}, c.SetDeadline(time.Now().Add(connect))
	}
	pool.AfterConnect = func(_ context.Context, c *pgx.Conn) error {
		return c.PgConn().Conn().SetDeadline(time.Time{})
	}
}

// A clamped connection takes no deadline that is further away than limit.
type clamped struct {
	net.Conn
	limit time.Duration
}

func (c clamped) SetDeadline(t time.Time) error {
	if last := time.Now().Add(c.limit); t.After(last) {
		t = last
	}
	return c.Conn.SetDeadline(t)
}
