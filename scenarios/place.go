package scenarios

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"brownout/results/judge"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// A Place is where something stands in a file: "file:line:column".
type Place struct {
	File         string
	Line, Column int // from 1; 0 when the text does not come from a file
}

func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// A Problem is one thing that is wrong with a file, where, and what would be right.
type Problem struct {
	At   Place
	Text string
}

func (p *Problem) Error() string { return p.At.String() + ": " + p.Text }

// scalar is a leaf of a file with the place where it stands. The conversion into
// a value of Go happens later, where all problems of a file can be collected.
type scalar struct {
	text string
	at   Place
}

// UnmarshalYAML takes a scalar node. It implements yaml.NodeUnmarshaler.
func (s *scalar) UnmarshalYAML(node ast.Node) error {
	tk := node.GetToken()
	at := Place{Line: tk.Position.Line, Column: tk.Position.Column}
	switch n := node.(type) {
	case *ast.LiteralNode:
		*s = scalar{text: n.Value.Value, at: at}
	case ast.ScalarNode:
		*s = scalar{text: tk.Value, at: at}
	default:
		return &Problem{at, fmt.Sprintf("a single value is expected here, not a %s", strings.ToLower(node.Type().String()))}
	}
	return nil
}

func (s scalar) given() bool { return s.at != Place{} }

// problems collects what is wrong with one file.
type problems struct {
	file string
	list []error
}

func (p *problems) add(at Place, format string, args ...any) {
	if at.File == "" {
		at.File = p.file
	}
	p.list = append(p.list, &Problem{at, fmt.Sprintf(format, args...)})
}

func (p *problems) err() error { return errors.Join(p.list...) }

// decode reads data strictly into raw, a pointer to one of the file structs.
// Errors name file, line and column.
func decode(file string, data []byte, raw any) error {
	err := yaml.UnmarshalWithOptions(data, raw, yaml.Strict())
	if err == nil {
		return nil
	}
	var problem *Problem
	if errors.As(err, &problem) {
		problem.At.File = file
		return problem
	}
	var located yaml.Error
	if !errors.As(err, &located) {
		return fmt.Errorf("%s: %w", file, err)
	}
	return &Problem{placeOf(file, located.GetToken()), located.GetMessage() + hint(err, raw)}
}

func placeOf(file string, tk *token.Token) Place {
	if tk == nil {
		return Place{File: file}
	}
	return Place{file, tk.Position.Line, tk.Position.Column}
}

// hint names the keys that exist where an unknown one was found.
func hint(err error, raw any) string {
	var unknown *yaml.UnknownFieldError
	if !errors.As(err, &unknown) {
		return ""
	}
	key := unknown.Token.Value
	if near := judge.Nearest(key, allKeys(reflect.TypeOf(raw))); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return "; the keys are listed by brownout check --schema"
}

// allKeys lists the keys of a file struct and of all structs in it.
func allKeys(t reflect.Type) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[scalar]() {
		return nil
	}
	var keys []string
	for i := range t.NumField() {
		if key := t.Field(i).Tag.Get("yaml"); key != "" {
			keys = append(keys, key)
			keys = append(keys, allKeys(t.Field(i).Type)...)
		}
	}
	return keys
}
