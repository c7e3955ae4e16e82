package stack

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/url"

	"brownout/chaos/stack/admin"
	"brownout/results"

	"github.com/jackc/pgx/v5"
)

// externalCache is the node behind a URL of the user.
func externalCache(c Config) (*Node, error) {
	u, err := parseURL(c.CacheURL, "6379", "redis", "rediss")
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	n := &Node{Name: results.LinkCache, Kind: c.Engine, Provider: External, Role: RolePrimary, Addr: u.Host, URL: u.String()}
	n.admin = admin.Server{Addr: u.Host, User: u.User.Username()}
	n.admin.Password, _ = u.User.Password()
	if u.Scheme == "rediss" {
		n.admin.TLS = &tls.Config{ServerName: u.Hostname()}
	}
	return n, nil
}

// externalDatabase is the node behind a URL of the user.
func externalDatabase(c Config) (*Node, error) {
	u, err := parseURL(c.DatabaseURL, "5432", "postgres", "postgresql")
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	n := &Node{Name: results.LinkDatabase, Kind: Postgres, Provider: External, Role: RolePrimary, Addr: u.Host, URL: u.String()}
	if _, err := pgx.ParseConfig(n.URL); err != nil {
		return nil, fmt.Errorf("database: reading the settings of %s failed", u.Redacted())
	}
	return n, nil
}

// greet waits until an external server answers, and learns what it is.
func (n *Node) greet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, externalTimeout)
	defer cancel()
	err := await(ctx, func(ctx context.Context) error {
		id, err := n.introduce(ctx)
		if err == nil {
			n.Kind, n.Version = id.kind, id.version
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: asking %s: %w", n.Name, redacted(n.URL), err)
	}
	return nil
}

func (n *Node) introduce(ctx context.Context) (identity, error) {
	if n.Kind == Postgres {
		return askPostgres(ctx, n.URL, "")
	}
	return askRedis(ctx, n.admin)
}

func redacted(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "a URL that cannot be read"
	}
	return u.Redacted()
}
