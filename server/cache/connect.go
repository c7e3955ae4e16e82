package cache

import (
	"fmt"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
)

// connect makes the client for what stands at the URL. It does not connect.
func connect(s Settings) (redis.UniversalClient, *conns, error) {
	a, err := parseURL(s.RedisURL)
	if err != nil {
		return nil, nil, err
	}
	secure, err := s.Security.secure(a)
	if err != nil {
		return nil, nil, err
	}
	lines := newConns(s.Client, secure)
	o := &a.options
	s.Client.apply(o)
	o.Dialer = lines.dial
	if s.Security.User != "" {
		o.Username = s.Security.User
	}
	if o.CredentialsProviderContext, err = s.Security.credentials(o.Username); err != nil {
		return nil, nil, err
	}
	// go-redis prints each failed dial on standard error. The state of the cache is
	// logged by its owner.
	logging.Disable()
	client := s.Client.open(a)
	client.AddHook(meter{lines.traffic})
	return client, lines, nil
}

// open makes the client of that kind.
func (c Client) open(a address) redis.UniversalClient {
	switch a.kind {
	case sentinel:
		o := a.options.Failover()
		o.DialerRetryBackoff = c.dialBackoff
		return redis.NewFailoverClient(o)
	case cluster:
		o := a.options.Cluster()
		o.DialerRetryBackoff = c.dialBackoff
		return redis.NewClusterClient(o)
	}
	o := a.options.Simple()
	o.Network, o.DialerRetryBackoff = a.network, c.dialBackoff
	return redis.NewClient(o)
}

// makeError says which cache could not be made.
func makeError(name string, err error) error {
	return fmt.Errorf("making the %s cache: %w", name, err)
}
