package stack

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// redisInfo is what a server says about itself.
type redisInfo struct {
	kind, version string
	pid           int
}

// answerTimeout bounds one question to a server.
const answerTimeout = time.Second

// askRedis asks the server at u for INFO server. No client library: its retries
// and pools would hide when the server began to answer.
func askRedis(ctx context.Context, u *url.URL) (redisInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	conn, err := dialRedis(ctx, u)
	if err != nil {
		return redisInfo{}, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	in := bufio.NewReader(conn)
	if auth := authCommand(u.User); auth != nil {
		if _, err := redisCommand(conn, in, auth...); err != nil {
			return redisInfo{}, err
		}
	}
	text, err := redisCommand(conn, in, "INFO", "server")
	if err != nil {
		return redisInfo{}, err
	}
	return parseInfo(text), nil
}

func dialRedis(ctx context.Context, u *url.URL) (net.Conn, error) {
	if u.Scheme == "rediss" {
		return (&tls.Dialer{}).DialContext(ctx, "tcp", u.Host)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", u.Host)
}

func authCommand(user *url.Userinfo) []string {
	password, set := user.Password() // fine on nil
	switch {
	case !set:
		return nil
	case user.Username() == "":
		return []string{"AUTH", password}
	}
	return []string{"AUTH", user.Username(), password}
}

// redisCommand sends one command and returns the status or the bulk string that
// comes back. An error reply is a refusal, except while the server loads.
func redisCommand(out io.Writer, in *bufio.Reader, words ...string) (string, error) {
	var request strings.Builder
	fmt.Fprintf(&request, "*%d\r\n", len(words))
	for _, w := range words {
		fmt.Fprintf(&request, "$%d\r\n%s\r\n", len(w), w)
	}
	if _, err := io.WriteString(out, request.String()); err != nil {
		return "", err
	}
	line, err := in.ReadString('\n')
	if err != nil {
		return "", err
	}
	switch line = strings.TrimRight(line, "\r\n"); {
	case strings.HasPrefix(line, "+"):
		return line[1:], nil
	case strings.HasPrefix(line, "$"):
		return readBulk(in, line[1:])
	case strings.HasPrefix(line, "-LOADING"), strings.HasPrefix(line, "-BUSY"), strings.HasPrefix(line, "-MASTERDOWN"):
		return "", errors.New(line[1:])
	case strings.HasPrefix(line, "-"):
		return "", refusal{fmt.Errorf("%s answered %q", words[0], line[1:])}
	}
	return "", refusal{fmt.Errorf("%s answered %q, which is not Redis", words[0], line)}
}

// bulkLimit is far above what INFO server fills.
const bulkLimit = 1 << 20

func readBulk(in io.Reader, length string) (string, error) {
	n, err := strconv.Atoi(length)
	if err != nil || n < 0 || n > bulkLimit {
		return "", refusal{fmt.Errorf("a bulk string of length %q", length)}
	}
	data := make([]byte, n)
	_, err = io.ReadFull(in, data)
	return string(data), err
}

// parseInfo reads INFO server. A Valkey gives a redis_version too, for the sake of
// old clients, so that its own fields come first.
func parseInfo(text string) redisInfo {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			fields[name] = value
		}
	}
	info := redisInfo{kind: Redis, version: fields["redis_version"]}
	if v := fields["valkey_version"]; v != "" {
		info.kind, info.version = Valkey, v
	}
	info.pid, _ = strconv.Atoi(fields["process_id"]) // 0 is no process of ours
	return info
}
