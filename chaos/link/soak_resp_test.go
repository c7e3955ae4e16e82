package link

import (
	"bufio"
	"fmt"
	"strings"

	"brownout/chaos/link/resp"
	"brownout/chaos/link/wire"
)

// inRESP asks a Redis that answers each command with its last argument.
type inRESP struct{}

func (inRESP) protocol() wire.Protocol { return resp.Protocol() }

func (inRESP) greet(*bufio.Reader, *bufio.Writer) (said, error) { return said{}, nil }

func (inRESP) ask(w *bufio.Writer, what string) {
	fmt.Fprintf(w, "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$%d\r\n%s\r\n", len(what), what)
}

func (inRESP) reply(r *bufio.Reader) (said, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return said{}, err
	}
	if line[0] != '$' {
		return said{what: line, forged: true}, nil
	}
	what, err := bulk(r, line)
	return said{what: what}, err
}

// bulk reads what follows the length of a bulk string.
func bulk(r *bufio.Reader, line string) (string, error) {
	var n int
	if _, err := fmt.Sscanf(line, "$%d\r\n", &n); err != nil {
		return "", fmt.Errorf("%q: %w", line, err)
	}
	what, err := readN(r, n+2)
	return strings.TrimSuffix(what, "\r\n"), err
}

func (inRESP) serve(r *bufio.Reader, w *bufio.Writer) error {
	line, err := r.ReadString('\n')
	if err != nil {
		return err
	}
	var n int
	if _, err := fmt.Sscanf(line, "*%d\r\n", &n); err != nil {
		return err
	}
	last := ""
	for range n {
		if line, err = r.ReadString('\n'); err != nil {
			return err
		}
		if last, err = bulk(r, line); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(w, "$%d\r\n%s\r\n", len(last), last)
	return err
}
