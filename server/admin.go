package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"strings"
)

// admin lets writes through: those with the token (RFC 6750), or, where none is set,
// those from this machine. A proxy on this machine speaks for everybody behind it, so
// who has one sets a token.
func (s *Server) admin(serve method) method {
	// Digests are equally long, so that comparing them does not tell the token's length.
	want := sha256.Sum256([]byte(s.cfg.AdminToken))
	return func(w http.ResponseWriter, r *http.Request) error {
		if s.cfg.AdminToken == "" {
			if !fromLoopback(r.RemoteAddr) {
				return refuse(http.StatusForbidden, "without ADMIN_TOKEN flags are written from the server's own machine only")
			}
			return serve(w, r)
		}
		got := sha256.Sum256([]byte(bearer(r)))
		if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			return refuse(http.StatusUnauthorized, "writing needs the token of ADMIN_TOKEN, want Authorization: Bearer and the token")
		}
		return serve(w, r)
	}
}

// bearer is the token of r, or "".
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

func fromLoopback(remote string) bool {
	address, err := netip.ParseAddrPort(remote)
	return err == nil && address.Addr().Unmap().IsLoopback()
}
