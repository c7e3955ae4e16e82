package ca

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
)

func mustIssue(t *testing.T, hosts ...string) (*Authority, tls.Certificate) {
	t.Helper()
	a, err := New()
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.Issue(hosts...)
	if err != nil {
		t.Fatal(err)
	}
	return a, c
}

func TestACertificateIsGoodForItsHostsAndNoOthers(t *testing.T) {
	a, c := mustIssue(t, "127.0.0.1", "cache.test")
	for host, good := range map[string]bool{"127.0.0.1": true, "cache.test": true, "127.0.0.2": false, "other.test": false} {
		_, err := c.Leaf.Verify(x509.VerifyOptions{Roots: a.Pool(), DNSName: host})
		if (err == nil) != good {
			t.Errorf("Verify(%s) = %v, want good: %v", host, err, good)
		}
	}
}

func TestACertificateIsNotGoodForAnotherAuthority(t *testing.T) {
	_, c := mustIssue(t, "127.0.0.1")
	other, _ := mustIssue(t, "127.0.0.1")
	if _, err := c.Leaf.Verify(x509.VerifyOptions{Roots: other.Pool(), DNSName: "127.0.0.1"}); err == nil {
		t.Error("Verify with the pool of another authority gives no error")
	}
}

func TestPEMIsWhatOthersRead(t *testing.T) {
	a, c := mustIssue(t, "127.0.0.1")
	cert, key, err := PEM(c)
	if err != nil {
		t.Fatal(err)
	}
	again, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatalf("X509KeyPair: %v", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(a.PEM()) {
		t.Fatal("the authority's PEM has no certificate")
	}
	leaf, err := x509.ParseCertificate(again.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: "127.0.0.1"}); err != nil {
		t.Errorf("Verify what PEM gave: %v", err)
	}
}

func TestIssueWantsAHost(t *testing.T) {
	a, _ := mustIssue(t, "127.0.0.1")
	if _, err := a.Issue(); err == nil {
		t.Error("Issue() gives no error")
	}
}
