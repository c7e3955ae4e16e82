package lab

import (
	"fmt"
	"os"
	"path/filepath"
)

// resolvConf is where programs look for their nameservers.
const resolvConf = "/etc/resolv.conf"

// A Resolver says how the names of a lab in DNS mode are found.
type Resolver struct {
	Addr string // host:port of the DNS server, over UDP and TCP
	// File is a resolv.conf that names it. Empty: there is none, because the server does
	// not answer on port 53, as NoFile says. Clients then need a setting of their own.
	File   string
	NoFile error
}

// Command is how words are run so that the program finds the names, whatever it is
// written in: in a mount namespace of its own, in which File is /etc/resolv.conf. It
// needs File, and unshare and mount (util-linux); a user who is not root also needs
// user namespaces, in which the program takes itself for root.
//
// The program keeps its process id, and dies with its parent if it did before.
// One that asks systemd-resolved (resolve before dns in /etc/nsswitch.conf) does
// not look at the file.
func (r Resolver) Command(words ...string) []string {
	flag := "-m"
	if os.Geteuid() != 0 {
		flag = "-rm"
	}
	return append([]string{"unshare", flag, "sh", "-c", `mount --bind "$0" ` + resolvConf + ` && exec "$@"`, r.File}, words...)
}

// Resolver returns how the names are found; false in address mode.
func (l *Lab) Resolver() (Resolver, bool) {
	if l.zone == nil {
		return Resolver{}, false
	}
	return Resolver{Addr: l.zone.resolver(), File: l.resolvConf, NoFile: l.zone.standard}, true
}

// resolvConfText is a resolv.conf that names the lab's server alone.
func (z *zone) resolvConfText() []byte {
	return []byte("# of a brownout lab\nnameserver " + z.ip(1).String() + "\noptions timeout:1 attempts:2\n")
}

// writeResolvConf writes it where it goes with the stack, if the resolver answers
// where such a file can say.
func (l *Lab) writeResolvConf() error {
	if l.zone == nil || l.zone.standard != nil || l.Stack.Folder() == "" {
		return nil
	}
	path := filepath.Join(l.Stack.Folder(), "resolv.conf")
	if err := os.WriteFile(path, l.zone.resolvConfText(), 0o644); err != nil {
		return fmt.Errorf("writing a resolv.conf: %w", err)
	}
	l.resolvConf = path
	return nil
}
