package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"unicode/utf8"

	"brownout/server/feature"
)

// maxBody bounds the body of a request, in bytes.
const maxBody = 64 << 10

// readDraft reads the body of a PUT.
func readDraft(w http.ResponseWriter, r *http.Request) (feature.Draft, error) {
	data, err := readBody(w, r)
	if err != nil {
		return feature.Draft{}, err
	}
	return parseDraft(data)
}

// readBody reads a body to its end, up to its bounds in bytes and, set by serveHTTP, in time.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, bodyFault(err)
	}
	return data, nil
}

// bodyFault says why a body could not be read.
func bodyFault(err error) error {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return refuse(http.StatusRequestTimeout, "the body did not come in time")
	}
	return refuse(http.StatusBadRequest, "the body could not be read to its end")
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
