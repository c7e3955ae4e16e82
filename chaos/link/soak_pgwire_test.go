package link

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"brownout/chaos/link/pgwire"
	"brownout/chaos/link/wire"
)

// inPgwire asks a PostgreSQL that answers each statement with a row that holds it.
type inPgwire struct{}

func (inPgwire) protocol() wire.Protocol { return pgwire.Protocol() }

func (p inPgwire) greet(r *bufio.Reader, w *bufio.Writer) (said, error) {
	body := "\x00\x03\x00\x00user\x00soak\x00\x00"
	w.Write(binary.BigEndian.AppendUint32(nil, uint32(4+len(body))))
	w.WriteString(body)
	if err := w.Flush(); err != nil {
		return said{}, err
	}
	return p.reply(r)
}

func (inPgwire) ask(w *bufio.Writer, what string) { message(w, 'Q', "select "+what+"\x00") }

// reply reads up to ReadyForQuery.
func (inPgwire) reply(r *bufio.Reader) (said, error) {
	for got := (said{}); ; {
		kind, body, err := readMessage(r)
		switch {
		case err != nil:
			return said{}, err
		case kind == 'D':
			got.what = strings.TrimSuffix(strings.TrimPrefix(body[6:], "select "), "\x00")
		case kind == 'E':
			return said{what: body, forged: true}, nil
		case kind == 'Z':
			return got, nil
		}
	}
}

// serve answers a message. The first of a connection has no type: its length
// begins with a zero.
func (inPgwire) serve(r *bufio.Reader, w *bufio.Writer) error {
	if first, err := r.Peek(1); err != nil {
		return err
	} else if first[0] == 0 {
		r.UnreadByte()
		if _, err := readBody(r); err != nil {
			return err
		}
		message(w, 'R', "\x00\x00\x00\x00")
		return message(w, 'Z', "I")
	}
	kind, body, err := readMessage(r)
	if err == nil && kind != 'Q' {
		err = fmt.Errorf("message %q: %w", kind, io.ErrUnexpectedEOF)
	}
	if err != nil {
		return err
	}
	column := binary.BigEndian.AppendUint32([]byte{0, 1}, uint32(len(body)))
	message(w, 'D', string(column)+body)
	message(w, 'C', "SELECT 1\x00")
	return message(w, 'Z', "I")
}

func message(w *bufio.Writer, kind byte, body string) error {
	w.WriteByte(kind)
	w.Write(binary.BigEndian.AppendUint32(nil, uint32(4+len(body))))
	_, err := w.WriteString(body)
	return err
}

func readMessage(r *bufio.Reader) (kind byte, body string, err error) {
	if kind, err = r.ReadByte(); err != nil {
		return 0, "", err
	}
	body, err = readBody(r)
	return kind, body, err
}

func readBody(r *bufio.Reader) (string, error) {
	length, err := readN(r, 4)
	if err != nil {
		return "", err
	}
	return readN(r, int(binary.BigEndian.Uint32([]byte(length)))-4)
}
