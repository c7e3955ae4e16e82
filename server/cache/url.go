package cache

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// What stands at a URL.
const (
	single   = ""
	sentinel = "sentinel"
	cluster  = "cluster"
)

// urlForms is what a URL may look like, for errors.
const urlForms = "redis://host:port/0, redis+sentinel://host:port/0?master_name=NAME or redis+cluster://host:port, each with rediss for TLS"

// An address is what a URL says.
type address struct {
	kind    string
	network string // of single
	tls     *tls.Config
	options redis.UniversalOptions // where, as whom and which database; nothing else
}

// parseURL reads a URL with go-redis' own functions. Its errors do not quote the
// URL, which may hold a password.
func parseURL(text string) (address, error) {
	u, err := url.Parse(text)
	if err != nil {
		return address{}, fmt.Errorf("the URL cannot be read, want %s", urlForms)
	}
	kind := single
	u.Scheme, kind, _ = strings.Cut(u.Scheme, "+")
	if !slices.Contains([]string{single, sentinel, cluster}, kind) || !slices.Contains([]string{"redis", "rediss"}, u.Scheme) {
		return address{}, fmt.Errorf("the URL has another scheme, want %s", urlForms)
	}
	if u.Hostname() == "" {
		return address{}, fmt.Errorf("the URL names no host, want %s", urlForms)
	}
	if err := checkQuery(u); err != nil {
		return address{}, err
	}
	parse := map[string]func(string) (address, error){single: parseSingle, sentinel: parseSentinel, cluster: parseCluster}
	a, err := parse[kind](u.String())
	if err != nil {
		return address{}, err
	}
	if a.tls != nil {
		a.tls.MinVersion = tls.VersionTLS12
	}
	return a, nil
}

// checkQuery finds what go-redis would name with its value.
func checkQuery(u *url.URL) error {
	if _, err := url.ParseQuery(u.RawQuery); err != nil {
		return errors.New("what follows the ? in the URL cannot be read, want name=value&…")
	}
	return nil
}

// unfit is the error for a URL that go-redis does not take. Its own quotes values.
func unfit(form string) error {
	return fmt.Errorf("the URL cannot be read, want %s and no unknown parameters", form)
}

func parseSingle(text string) (address, error) {
	o, err := redis.ParseURL(text)
	if err != nil {
		return address{}, unfit("redis://host:port/0")
	}
	return address{kind: single, network: o.Network, tls: o.TLSConfig, options: redis.UniversalOptions{
		Addrs: []string{o.Addr}, Username: o.Username, Password: o.Password, DB: o.DB,
	}}, nil
}

func parseSentinel(text string) (address, error) {
	o, err := redis.ParseFailoverURL(text)
	if err != nil {
		return address{}, unfit("redis+sentinel://host:port/0?master_name=NAME&addr=host2:port2")
	}
	if o.MasterName == "" {
		return address{}, errors.New("the URL names no primary, want redis+sentinel://host:port/0?master_name=NAME")
	}
	return address{kind: sentinel, tls: o.TLSConfig, options: redis.UniversalOptions{
		Addrs: o.SentinelAddrs, MasterName: o.MasterName, Username: o.Username, Password: o.Password, DB: o.DB,
		SentinelUsername: o.SentinelUsername, SentinelPassword: o.SentinelPassword,
	}}, nil
}

func parseCluster(text string) (address, error) {
	o, err := redis.ParseClusterURL(text)
	if err != nil {
		return address{}, unfit("redis+cluster://host:port?addr=host2:port2")
	}
	if u, _ := url.Parse(text); strings.Trim(u.Path, "/") != "" && strings.Trim(u.Path, "/") != "0" {
		return address{}, errors.New("the URL names a database, and a cluster has only 0")
	}
	return address{kind: cluster, tls: o.TLSConfig, options: redis.UniversalOptions{
		Addrs: o.Addrs, Username: o.Username, Password: o.Password,
	}}, nil
}
