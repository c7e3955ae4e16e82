package ofrep

import (
	"encoding/json"
	"strconv"

	"brownout/server/feature"
)

// AppendFlag appends the answer about f to b. A flag that is not enabled, or whose value
// is null, has no value: the client takes the one in its code. A list is told as it is;
// the protocol leaves types to the client. The metadata are the flag's version and, if
// so, that the answer may be old.
//
// Written by hand, because it is done for each flag of each answer, and values are JSON
// already.
func AppendFlag(b []byte, f feature.Flag, stale bool) []byte {
	b = append(b, `{"key":`...)
	b = appendKey(b, f.Key)
	if f.Enabled && len(f.Value) > 0 && string(f.Value) != "null" {
		b = append(b, `,"value":`...)
		b = append(b, f.Value...)
	}
	b = append(b, `,"reason":"`...)
	if f.Enabled {
		b = append(b, Static...)
	} else {
		b = append(b, Disabled...)
	}
	b = append(b, `","metadata":{"version":`...)
	b = strconv.AppendUint(b, f.Version, 10)
	if stale {
		b = append(b, `,"stale":true`...)
	}
	return append(b, `}}`...)
}

// appendKey appends key as JSON. Keys that were written here need no escaping; what came
// through a cache that others write to may.
func appendKey(b []byte, key string) []byte {
	if feature.CheckName("the key", key) != nil {
		text, _ := json.Marshal(key) // of a string: it cannot fail
		return append(b, text...)
	}
	b = append(b, '"')
	b = append(b, key...)
	return append(b, '"')
}

// AppendAll appends the answer about all flags of an environment to b. Its metadata say
// which environment that is, and at which revision.
func AppendAll(b []byte, s State, flags []feature.Flag) []byte {
	b = append(b, `{"flags":[`...)
	for i, f := range flags {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendFlag(b, f, s.Stale)
	}
	b = append(b, `],"metadata":{"environment":"`...)
	b = append(b, s.Environment...)
	b = append(b, `","revision":`...)
	b = strconv.AppendUint(b, s.Revision, 10)
	if s.Stale {
		b = append(b, `,"stale":true`...)
	}
	return append(b, `}}`...)
}

// Size is about how many bytes AppendAll appends.
func Size(flags []feature.Flag) int {
	const frame = 80
	size := 2 * frame
	for _, f := range flags {
		size += frame + len(f.Key) + len(f.Value)
	}
	return size
}
