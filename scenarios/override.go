package scenarios

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// An Override replaces one value of a scenario file, as `--set path=value` does.
// A path names keys from the top, joined by dots; a phase is named by its name:
// "server.profile", "load.rate", "phases.outage.for", "phases.steady.expect.p99".
type Override struct {
	Path  string
	Value string
}

// ParseOverride reads "path=value".
func ParseOverride(text string) (Override, error) {
	path, value, ok := cutOutsideBraces(text)
	if !ok || path == "" {
		return Override{}, fmt.Errorf("--set %s: want path=value, for example server.profile=seed", text)
	}
	return Override{path, value}, nil
}

// cutOutsideBraces cuts text at its first "=" that stands in no braces: figures may
// have some, as in phases.outage.expect.p99{op=read}.
func cutOutsideBraces(text string) (path, value string, ok bool) {
	depth := 0
	for i, c := range text {
		switch {
		case c == '{':
			depth++
		case c == '}':
			depth--
		case c == '=' && depth == 0:
			return text[:i], text[i+1:], true
		}
	}
	return text, "", false
}

func (o Override) place() Place { return Place{File: "--set " + o.Path} }

// apply puts the value into raw.
func (o Override) apply(raw *scenarioFile) error {
	return o.descend(reflect.ValueOf(raw).Elem(), strings.Split(o.Path, "."))
}

func (o Override) descend(v reflect.Value, path []string) error {
	if v.Type() == reflect.TypeFor[scalar]() {
		if len(path) > 0 {
			return o.unknown(path[0], nil)
		}
		v.Set(reflect.ValueOf(scalar{text: o.Value, at: o.place()}))
		return nil
	}
	if len(path) == 0 {
		return &Problem{o.place(), "names a group of values; go on with a dot and a key"}
	}
	switch v.Kind() {
	case reflect.Struct:
		return o.descendStruct(v, path)
	case reflect.Slice:
		return o.descendSlice(v, path)
	default: // a map of scalars: what is left of the path is the key
		return o.setKey(v, strings.Join(path, "."))
	}
}

func (o Override) setKey(v reflect.Value, key string) error {
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	v.SetMapIndex(reflect.ValueOf(key), reflect.ValueOf(scalar{text: o.Value, at: o.place()}))
	return nil
}

func (o Override) descendStruct(v reflect.Value, path []string) error {
	var keys []string
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("yaml")
		if key == path[0] {
			return o.descend(v.Field(i), path[1:])
		}
		keys = append(keys, key)
	}
	return o.unknown(path[0], keys)
}

// descendSlice finds an element by its name, or else by its kind.
func (o Override) descendSlice(v reflect.Value, path []string) error {
	var names []string
	for i := range v.Len() {
		for _, field := range []string{"Name", "Kind"} {
			f := reflect.Indirect(v.Index(i)).FieldByName(field)
			if f.IsValid() {
				name := f.Interface().(scalar).text
				if name == path[0] {
					return o.descend(v.Index(i), path[1:])
				}
				names = append(names, name)
			}
		}
	}
	return o.unknown(path[0], names)
}

func (o Override) unknown(word string, there []string) error {
	if len(there) == 0 {
		return &Problem{o.place(), fmt.Sprintf("there is no %q here", word)}
	}
	slices.Sort(there)
	return &Problem{o.place(), fmt.Sprintf("there is no %q here; there are %s", word, strings.Join(there, ", "))}
}
