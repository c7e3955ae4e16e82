package stack

import (
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"brownout/chaos/ca"
	"brownout/chaos/stack/admin"
)

// AppUser is the user of clients when Config.ACL is set. The default user, for
// those who give only the password, may do the same.
const AppUser = "app"

// adminUser is who replicas, Sentinels and the harness are when Config.Password is
// set.
const adminUser = "brownout"

// restricted is what ElastiCache forbids on clusters that are not serverless:
// https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/SupportedCommands.html,
// under "Restricted Valkey and Redis OSS commands". The subcommands of CLUSTER that
// it does not name and that change the cluster are added: there it is AWS's to
// change, too.
func restricted() []string {
	return []string{
		"acl|deluser", "acl|load", "acl|save", "acl|setuser",
		"bgrewriteaof", "bgsave",
		"cluster|addslots", "cluster|addslotsrange", "cluster|bumpepoch", "cluster|delslots",
		"cluster|delslotsrange", "cluster|failover", "cluster|flushslots", "cluster|forget",
		"cluster|links", "cluster|meet", "cluster|setslot",
		"cluster|replicate", "cluster|reset", "cluster|saveconfig", "cluster|set-config-epoch",
		"config", "debug", "migrate", "psync", "replicaof", "save", "shutdown", "slaveof", "sync",
	}
}

// userLines are the settings that say who may do what, and as whom a replica comes
// to its primary.
func userLines(c Config) []string {
	switch {
	case c.Password == "":
		return nil
	case !c.ACL:
		return append([]string{"requirepass " + c.Password}, adminLines(c)...)
	}
	rules := " on " + hashed(c.Password) + " ~* &* +@all -" + strings.Join(restricted(), " -")
	return append([]string{"user default" + rules, "user " + AppUser + rules}, adminLines(c)...)
}

// adminLines make the user that replicas, Sentinels and the harness are. It has a
// password of its own: that of clients can change while they go on.
func adminLines(c Config) []string {
	return []string{
		"user " + adminUser + " on " + hashed(c.secret) + " ~* &* +@all",
		"masteruser " + adminUser,
		"masterauth " + c.secret,
	}
}

// hashed is a password as rules of ACL SETUSER take it.
func hashed(password string) string { return fmt.Sprintf("#%x", sha256.Sum256([]byte(password))) }

// The files of a node's certificate in its folder, and of the authority's in the
// run folder.
const (
	certFile = "cert.pem"
	keyFile  = "key.pem"
	caFile   = "ca.pem"
)

// portLines are the settings of a node's port.
func portLines(c Config, n *Node) []string {
	_, port := splitAddr(n.Addr)
	if c.TLS == nil {
		return []string{"port " + port}
	}
	return []string{
		"port 0", "tls-port " + port, "tls-auth-clients no", "tls-replication yes", "tls-cluster yes",
		"tls-cert-file " + certFile, "tls-key-file " + keyFile, "tls-ca-cert-file " + caFile,
	}
}

// certify writes a certificate for a node that listens on 127.0.0.1 and is found
// at link, and the authority's, into dir. The files are owner's.
func certify(authority *ca.Authority, dir, link string, owner *User) error {
	host, _ := splitAddr(link)
	cert, err := authority.Issue("127.0.0.1", "localhost", host)
	if err != nil {
		return err
	}
	certPEM, keyPEM, err := ca.PEM(cert)
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{certFile: certPEM, keyFile: keyPEM, caFile: authority.PEM()} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			return fmt.Errorf("writing a certificate: %w", err)
		}
		if err := give(path, owner); err != nil {
			return fmt.Errorf("writing a certificate: %w", err)
		}
	}
	return nil
}

// clientTLS is what a client of a local node needs.
func clientTLS(authority *ca.Authority) *tls.Config {
	if authority == nil {
		return nil
	}
	return &tls.Config{RootCAs: authority.Pool(), ServerName: "127.0.0.1"}
}

// open says how clients and the harness reach a cache or Sentinel.
func (n *Node) open(c Config) {
	n.admin = admin.Server{Addr: n.Addr, TLS: n.TLS}
	u := url.URL{Scheme: "redis", Host: n.Addr}
	if c.TLS != nil {
		u.Scheme = "rediss"
	}
	if n.Role != RoleSentinel && c.Password != "" {
		u.User = url.UserPassword("", c.Password)
		if c.ACL {
			u.User = url.UserPassword(AppUser, c.Password)
		}
		n.admin.User, n.admin.Password = adminUser, c.secret
	}
	n.URL = u.String()
}
