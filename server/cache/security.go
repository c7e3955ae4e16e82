package cache

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
)

// Security is what a client needs beside the URL to be let in.
type Security struct {
	// CAFile is a file of certificates (PEM) that may sign the server's. Default: those
	// of the system. It is read once.
	CAFile string
	// ServerName is the name in the server's certificate. Default: the host of the URL,
	// for all nodes of a cluster and all Sentinels too.
	ServerName string
	// User takes the place of the URL's user.
	User string
	// PasswordFile holds the password, and takes the place of the URL's. It is read
	// for each new connection, so that it can change while the server runs; a line
	// break at its end does not count. Sentinels are not concerned: their user and
	// password are those of the URL.
	PasswordFile string
}

// secure returns what TLS needs; nil: no TLS.
func (s Security) secure(a address) (*tls.Config, error) {
	if a.tls == nil {
		if s.CAFile != "" || s.ServerName != "" {
			return nil, errors.New("a CA file or a server name is set, and the URL does not ask for TLS, want rediss://")
		}
		return nil, nil
	}
	config := a.tls.Clone()
	if s.ServerName != "" {
		config.ServerName = s.ServerName
	}
	if s.CAFile == "" {
		return config, nil
	}
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		return nil, fmt.Errorf("reading the CA file: %w", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("the CA file %s has no certificate, want PEM", s.CAFile)
	}
	return config, nil
}

// credentials returns a source of user and password that go-redis asks for each new
// connection; nil: they do not change.
func (s Security) credentials(user string) (func(context.Context) (string, string, error), error) {
	if s.PasswordFile == "" {
		return nil, nil
	}
	f := &passwordFile{path: s.PasswordFile}
	// A file that is missing is told at once, not with the first connection.
	if _, err := f.read(); err != nil {
		return nil, err
	}
	return func(context.Context) (string, string, error) {
		password, err := f.read()
		return user, password, err
	}, nil
}

// A passwordFile is a file that may be written anew at any moment, and is then empty
// or missing for a moment.
type passwordFile struct {
	path string

	mu   sync.Mutex
	last string // what was read last
}

// read returns what the file holds now, or else what it held before.
func (f *passwordFile) read() (string, error) {
	data, err := os.ReadFile(f.path)
	password := strings.TrimRight(string(data), "\r\n")
	if err == nil && password == "" {
		err = fmt.Errorf("%s is empty", f.path)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case err == nil:
		f.last = password
	case f.last == "":
		return "", fmt.Errorf("reading the password file: %w", err)
	}
	return f.last, nil
}
