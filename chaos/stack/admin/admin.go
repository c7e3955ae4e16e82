// Package admin asks a Redis, Valkey or Sentinel what it is and tells it what to
// do, as an operator would.
//
// The one idea: each question goes over a connection of its own, straight to the
// server. No pool, retry or redirection of a client library hides when a server
// began to answer, or that it is no longer what it was.
//
// It speaks RESP2. There are no pipelines, transactions or subscriptions.
package admin

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// A Server is one server and who asks it.
type Server struct {
	Addr           string      // host:port
	TLS            *tls.Config // nil: plain TCP
	User, Password string      // both empty: not authenticated; User alone empty: the default user
}

// An Error is the error that a server answered with.
type Error struct {
	Command string // the first word of what was asked
	Text    string // with the code in front: "NOAUTH Authentication required."
}

func (e *Error) Error() string { return fmt.Sprintf("%s answered %q", e.Command, e.Text) }

// Temporary reports whether the server may answer better by itself: it loads its
// data, waits for its primary, or is busy with a script.
func (e *Error) Temporary() bool {
	code, _, _ := strings.Cut(e.Text, " ")
	return code == "LOADING" || code == "MASTERDOWN" || code == "BUSY"
}

// A ProtocolError says that what answers is no Redis.
type ProtocolError struct{ Text string }

func (e *ProtocolError) Error() string { return "it answered " + e.Text + ", which is not Redis" }

// Do sends one command and returns what comes back. An error reply is an *Error,
// also within a list.
func (s Server) Do(ctx context.Context, words ...string) (Reply, error) {
	conn, err := s.dial(ctx)
	if err != nil {
		return Reply{}, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	in := bufio.NewReader(conn)
	if auth := s.auth(); auth != nil {
		if _, err := exchange(conn, in, auth); err != nil {
			return Reply{}, because(ctx, err)
		}
	}
	r, err := exchange(conn, in, words)
	return r, because(ctx, err)
}

// because names the end of ctx as the reason for an error that it brought about.
func because(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w (%w)", context.Cause(ctx), err)
	}
	return err
}

func (s Server) dial(ctx context.Context) (net.Conn, error) {
	if s.TLS != nil {
		return (&tls.Dialer{Config: s.TLS}).DialContext(ctx, "tcp", s.Addr)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", s.Addr)
}

func (s Server) auth() []string {
	switch {
	case s.User != "":
		return []string{"AUTH", s.User, s.Password}
	case s.Password != "":
		return []string{"AUTH", s.Password}
	}
	return nil
}

func exchange(out io.Writer, in *bufio.Reader, words []string) (Reply, error) {
	var request strings.Builder
	fmt.Fprintf(&request, "*%d\r\n", len(words))
	for _, w := range words {
		fmt.Fprintf(&request, "$%d\r\n%s\r\n", len(w), w)
	}
	if _, err := io.WriteString(out, request.String()); err != nil {
		return Reply{}, err
	}
	return read(in, words[0], 0)
}

// Bounds on what a server may answer, far above what is asked for here.
const (
	bulkLimit  = 1 << 20
	listLimit  = 1 << 16
	depthLimit = 8
)

// read reads one reply to command.
func read(in *bufio.Reader, command string, depth int) (Reply, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return Reply{}, err
	}
	kind, rest := byte(0), strings.TrimRight(line, "\r\n")
	if rest != "" {
		kind, rest = rest[0], rest[1:]
	}
	switch kind {
	case '+', ':':
		return Reply{Text: rest}, nil
	case '$':
		return readBulk(in, rest)
	case '*':
		return readList(in, rest, command, depth)
	case '-':
		return Reply{}, &Error{Command: command, Text: rest}
	}
	return Reply{}, &ProtocolError{strconv.Quote(strings.TrimRight(line, "\r\n"))}
}

func readBulk(in io.Reader, length string) (Reply, error) {
	n, err := strconv.Atoi(length)
	if n == -1 {
		return Reply{Null: true}, nil
	}
	if err != nil || n < 0 || n > bulkLimit {
		return Reply{}, &ProtocolError{fmt.Sprintf("a bulk string of length %q", length)}
	}
	data := make([]byte, n+len("\r\n"))
	_, err = io.ReadFull(in, data)
	return Reply{Text: string(data[:n])}, err
}

func readList(in *bufio.Reader, length, command string, depth int) (Reply, error) {
	n, err := strconv.Atoi(length)
	if n == -1 {
		return Reply{Null: true}, nil
	}
	if err != nil || n < 0 || n > listLimit || depth == depthLimit {
		return Reply{}, &ProtocolError{fmt.Sprintf("a list of length %q at depth %d", length, depth)}
	}
	list := make([]Reply, n)
	for i := range list {
		if list[i], err = read(in, command, depth+1); err != nil {
			return Reply{}, err
		}
	}
	return Reply{List: list}, nil
}
