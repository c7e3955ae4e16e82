package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"brownout/server/feature"
)

const (
	maxBody  = 64 << 10 // bytes of a request
	bodyWait = 10 * time.Second
)

// readDraft reads the body of a PUT.
func readDraft(w http.ResponseWriter, r *http.Request) (feature.Draft, error) {
	data, err := readBody(w, r)
	if err != nil {
		return feature.Draft{}, err
	}
	return parseDraft(data)
}

// readBody reads a body to its end, up to its bounds in bytes and in time.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	control := http.NewResponseController(w)
	// Writers of one byte an hour must not hold a connection. A writer without
	// deadlines (a test's) has no connection.
	if err := control.SetReadDeadline(time.Now().Add(bodyWait)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil, err
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, err
		}
		return nil, refuse(http.StatusBadRequest, "the body could not be read to its end")
	}
	if err := control.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil, err
	}
	return data, nil
}

// parseDraft reads one JSON object with the fields of a draft and no others.
func parseDraft(data []byte) (feature.Draft, error) {
	if !utf8.Valid(data) {
		return feature.Draft{}, refuse(http.StatusBadRequest, "the body is not UTF-8")
	}
	var body struct {
		Enabled     *bool                      `json:"enabled"`
		Value       json.RawMessage            `json:"value"`
		Variants    map[string]json.RawMessage `json:"variants"`
		Description string                     `json:"description"`
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil {
		return feature.Draft{}, refuse(http.StatusBadRequest, "the body is not a flag: %s", jsonFault(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return feature.Draft{}, refuse(http.StatusBadRequest, "the body goes on after the flag, want one JSON object")
	}
	switch {
	case body.Enabled == nil:
		return feature.Draft{}, refuse(http.StatusBadRequest, "enabled is missing, want true or false")
	case body.Value == nil:
		return feature.Draft{}, refuse(http.StatusBadRequest, "value is missing, want any JSON")
	case strings.ContainsRune(body.Description, 0):
		return feature.Draft{}, refuse(http.StatusBadRequest, "description contains the character 0")
	}
	return feature.Draft{Enabled: *body.Enabled, Value: compact(body.Value), Variants: body.Variants, Description: body.Description}, nil
}

// compact takes the white space out of JSON that has been read already.
func compact(value json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, value) != nil {
		return value
	}
	return b.Bytes()
}

// jsonFault says what is wrong in words that help the caller.
func jsonFault(err error) string {
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF):
		return "it is empty"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends in the middle"
	case errors.As(err, &kind) && kind.Field != "":
		return kind.Field + " is a " + kind.Value
	case errors.As(err, &kind):
		return "it is a " + kind.Value + ", want an object"
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}
