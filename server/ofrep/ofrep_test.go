package ofrep_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"brownout/server/feature"
	"brownout/server/ofrep"
)

func TestCheckTellsWhatIsWrongWithARequest(t *testing.T) {
	for _, row := range []struct {
		name, body, want string
	}{
		{"a context with a targeting key", `{"context":{"targetingKey":"u"}}`, ""},
		{"what else is in it is the caller's", `{"context":{"targetingKey":"u","a":[1,{"b":null}]},"more":1}`, ""},
		{"nothing", ``, ofrep.ParseError},
		{"no JSON", `hello`, ofrep.ParseError},
		{"an end in the middle", `{"context":{"targ`, ofrep.ParseError},
		{"something behind it", `{"context":{"targetingKey":"u"}}x`, ofrep.ParseError},
		{"a list", `[]`, ofrep.ParseError},
		{"a text", `"context"`, ofrep.ParseError},
		{"not UTF-8", "{\"context\":{\"targetingKey\":\"\xff\"}}", ofrep.ParseError},
		{"null", `null`, ofrep.InvalidContext},
		{"no context", `{}`, ofrep.InvalidContext},
		{"a context that is null", `{"context":null}`, ofrep.InvalidContext},
		{"a context that is a list", `{"context":[]}`, ofrep.InvalidContext},
		{"a context that is a text", `{"context":"u"}`, ofrep.InvalidContext},
		{"a targeting key that is a number", `{"context":{"targetingKey":1}}`, ofrep.InvalidContext},
		{"a targeting key that is an object", `{"context":{"targetingKey":{}}}`, ofrep.InvalidContext},
		{"no targeting key", `{"context":{"email":"a@b"}}`, ofrep.TargetingKeyMissing},
		{"a targeting key that is null", `{"context":{"targetingKey":null}}`, ofrep.TargetingKeyMissing},
		{"the context in another case", `{"Context":{"targetingKey":"u"}}`, ofrep.InvalidContext},
		{"the targeting key in another case", `{"context":{"targetingkey":"u"}}`, ofrep.TargetingKeyMissing},
		{"an escaped name", `{"conte\u0078t":{"targetingKey":"u"}}`, ""},
		{"two contexts, of which the last has no key", `{"context":{"targetingKey":"u"},"context":{}}`, ofrep.TargetingKeyMissing},
		{"two contexts, of which the last has one", `{"context":1,"context":{"targetingKey":"u"}}`, ""},
		{"a key that stands deeper", `{"context":{"a":{"targetingKey":"u"}}}`, ofrep.TargetingKeyMissing},
		{"white space around everything", " {\n\"a\" : [ ] ,\"context\"\t: { \"targetingKey\" : \"u\" } } ", ""},
		{"a targeting key without a letter", `{"context":{"targetingKey":""}}`, ofrep.TargetingKeyMissing},
	} {
		err := ofrep.Check([]byte(row.body))
		got := ""
		if e, ok := errors.AsType[*ofrep.Error](err); ok {
			got = e.Code
		}
		if got != row.want || (err == nil) != (row.want == "") {
			t.Errorf("%s: Check(%s) = %v with code %q, want %q", row.name, row.body, err, got, row.want)
		}
	}
}

func TestContextsThatMeanTheSameHaveOneTag(t *testing.T) {
	tag := func(body string) string {
		t.Helper()
		c, err := ofrep.Canonical([]byte(body))
		if err != nil {
			t.Fatalf("Canonical(%s): %v", body, err)
		}
		return ofrep.State{Environment: "e", Revision: 7}.Tag(c)
	}
	same := tag(`{"context":{"targetingKey":"ü","a":1,"b":{"x":[1,2],"y":null}}}`)
	for name, body := range map[string]string{
		"another order":     `{"context":{"b":{"y":null,"x":[1,2]},"a":1,"targetingKey":"ü"}}`,
		"white space":       " {\n\"context\" : {\"targetingKey\":\"ü\",\"a\":1,\"b\":{\"x\":[1, 2],\"y\":null}}}",
		"another escape":    `{"context":{"targetingKey":"\u00fc","a":1,"b":{"x":[1,2],"y":null}}}`,
		"the last one wins": `{"context":{"a":2,"targetingKey":"ü","a":1,"b":{"x":[1,2],"y":null}}}`,
	} {
		if got := tag(body); got != same {
			t.Errorf("%s: the tag of %s is %s, want %s", name, body, got, same)
		}
	}
	for name, body := range map[string]string{
		"another user":                    `{"context":{"targetingKey":"u","a":1,"b":{"x":[1,2],"y":null}}}`,
		"another order in a list":         `{"context":{"targetingKey":"ü","a":1,"b":{"x":[2,1],"y":null}}}`,
		"a text in place of a number":     `{"context":{"targetingKey":"ü","a":"1","b":{"x":[1,2],"y":null}}}`,
		"a member less":                   `{"context":{"targetingKey":"ü","a":1,"b":{"x":[1,2]}}}`,
		"a number that a float64 has not": `{"context":{"targetingKey":"ü","a":1.00000000000000000001,"b":{"x":[1,2],"y":null}}}`,
	} {
		if got := tag(body); got == same {
			t.Errorf("%s: the tag of %s is %s, want another one", name, body, got)
		}
	}
}

func TestStatesThatDifferHaveOtherTags(t *testing.T) {
	var tags []string
	for _, s := range []ofrep.State{
		{Environment: "e", Revision: 7}, {Environment: "e", Revision: 8}, {Environment: "f", Revision: 7},
		{Environment: "e", Revision: 7, Stale: true}, {Environment: "e", Revision: 7 << 8},
	} {
		tag := s.Tag([]byte("{}"))
		if slices.Contains(tags, tag) || tag != s.Tag([]byte("{}")) {
			t.Errorf("the tag of %+v is %s, others have %v", s, tag, tags)
		}
		if len(tag) < 18 || tag[0] != '"' || strings.ContainsAny(tag[1:len(tag)-1], "\" ,") {
			t.Errorf("the tag of %+v is %s, want one in quotes", s, tag)
		}
		tags = append(tags, tag)
	}
}

func TestMatches(t *testing.T) {
	for _, row := range []struct {
		name, field string
		want        bool
	}{
		{"nothing", ``, false},
		{"the tag", `"a"`, true},
		{"another one", `"b"`, false},
		{"a part of it", `"`, false},
		{"without quotes", `a`, false},
		{"a weak one", `W/"a"`, true},
		{"any", `*`, true},
		{"any, with a space", ` * `, true},
		{"second in a list", `"b", "a"`, true},
		{"third, without spaces", `"b",W/"c","a"`, true},
		{"a comma in another one", `"b,", "a"`, true},
		{"it stands in another one's quotes", `"b", "xax"`, false},
		{"a list that does not end", `"b", "a`, false},
		{"empty members", `,, "a"`, true},
		{"nonsense", `hello "a"`, false},
	} {
		if got := ofrep.Matches(row.field, `"a"`); got != row.want {
			t.Errorf("%s: Matches(%s) = %t, want %t", row.name, row.field, got, row.want)
		}
	}
}

func flag(key string, enabled bool, value string) feature.Flag {
	return feature.Flag{Key: key, Version: 3, Draft: feature.Draft{Enabled: enabled, Value: json.RawMessage(value)}}
}

func TestFlagsAreAnsweredAsTheProtocolSays(t *testing.T) {
	for _, row := range []struct {
		name  string
		flag  feature.Flag
		stale bool
		want  string
	}{
		{"a boolean", flag("f", true, `true`), false, `{"key":"f","value":true,"reason":"STATIC","metadata":{"version":3}}`},
		{"a text", flag("f", true, `"<&>"`), false, `{"key":"f","value":"<&>","reason":"STATIC","metadata":{"version":3}}`},
		{"a number, to the letter", flag("f", true, `1.0`), false, `{"key":"f","value":1.0,"reason":"STATIC","metadata":{"version":3}}`},
		{"an object", flag("f", true, `{"a":[1]}`), false, `{"key":"f","value":{"a":[1]},"reason":"STATIC","metadata":{"version":3}}`},
		{"null leaves the value to the code", flag("f", true, `null`), false, `{"key":"f","reason":"STATIC","metadata":{"version":3}}`},
		{"a flag that is off leaves it to the code", flag("f", false, `true`), false, `{"key":"f","reason":"DISABLED","metadata":{"version":3}}`},
		{"one that may be old says so", flag("f", true, `true`), true, `{"key":"f","value":true,"reason":"STATIC","metadata":{"version":3,"stale":true}}`},
		{"a key that nobody can have written here", flag("a\"ü\n", true, `true`), false, `{"key":"a\"ü\n","value":true,"reason":"STATIC","metadata":{"version":3}}`},
		{"a flag without a value", flag("f", true, ``), false, `{"key":"f","reason":"STATIC","metadata":{"version":3}}`},
	} {
		if got := string(ofrep.AppendFlag(nil, row.flag, row.stale)); got != row.want || !json.Valid([]byte(got)) {
			t.Errorf("%s: AppendFlag = %s, want %s", row.name, got, row.want)
		}
	}
}

func TestAllFlagsAreOneAnswer(t *testing.T) {
	flags := []feature.Flag{flag("a", true, `1`), flag("b", false, `1`)}
	for _, row := range []struct {
		state ofrep.State
		flags []feature.Flag
		want  string
	}{
		{ofrep.State{Environment: "e", Revision: 7}, flags, `{"flags":[{"key":"a","value":1,"reason":"STATIC","metadata":{"version":3}},{"key":"b","reason":"DISABLED","metadata":{"version":3}}],"metadata":{"environment":"e","revision":7}}`},
		{ofrep.State{Environment: "e"}, nil, `{"flags":[],"metadata":{"environment":"e","revision":0}}`},
		{ofrep.State{Environment: "e", Revision: 7, Stale: true}, nil, `{"flags":[],"metadata":{"environment":"e","revision":7,"stale":true}}`},
	} {
		got := ofrep.AppendAll(nil, row.state, row.flags)
		if string(got) != row.want {
			t.Errorf("AppendAll(%+v) = %s, want %s", row.state, got, row.want)
		}
		if size := ofrep.Size(row.flags); size < len(got) {
			t.Errorf("Size = %d, want at least the %d bytes of %s", size, len(got), got)
		}
	}
}

// Nesting is bounded where it costs.
func TestContextsAreNotNestedTooDeep(t *testing.T) {
	nested := func(depth int) []byte {
		return []byte(strings.Repeat(`{"b":[`, depth/2) + "1" + strings.Repeat(`],"a":1}`, depth/2))
	}
	if got, err := ofrep.Canonical(nested(64)); err != nil || !json.Valid(got) {
		t.Errorf("Canonical of 64 levels = %s, %v, want JSON", got, err)
	}
	for _, depth := range []int{66, 1000} {
		_, err := ofrep.Canonical(nested(depth))
		if e, ok := errors.AsType[*ofrep.Error](err); !ok || e.Code != ofrep.InvalidContext {
			t.Errorf("Canonical of %d levels = %v, want %s", depth, err, ofrep.InvalidContext)
		}
	}
}

// plain is what encoding/json makes of a body.
func plain(t *testing.T, body []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("decoding %q: %v", body, err)
	}
	return v
}

// Whatever comes in is refused with a code of the protocol, or has a canonical form that
// means the same and is that of all that means the same.
func FuzzRequest(f *testing.F) {
	for _, body := range []string{
		`{"context":{"targetingKey":"u","b":1.50,"a":{"y":[null,true],"x":"\u0000<&>\\\""}}}`, `{"context":{}}`, `{"context":[]}`,
		`{"context":{"targetingKey":1}}`, `{"Context":{"TARGETINGKEY":"u"},"context":null}`, `[]`, `null`, ``, `{"context":{"targetingKey":"u"}}{}`,
		`{"context":{"targetingKey":"\ud800","n":1e999,"m":-0}}`, "{ \"context\" : {\t\"targetingKey\" :\r\n\"u\" , \"a\":[ ] ,\"\\u0061\": [1 , 2 ]}}",
		`{"context":{"targetingKey":"u","targetingKey":"v","b":{},"a":[{"d":1,"c":2},[]]}}`,
	} {
		f.Add([]byte(body))
	}
	codes := []string{ofrep.ParseError, ofrep.InvalidContext, ofrep.TargetingKeyMissing}
	f.Fuzz(func(t *testing.T, body []byte) {
		if err := ofrep.Check(body); err != nil {
			e, ok := errors.AsType[*ofrep.Error](err)
			if !ok || !slices.Contains(codes, e.Code) || e.Details == "" {
				t.Fatalf("Check(%q) = %v, want a code of the protocol and details", body, err)
			}
			return
		}
		got, err := ofrep.Canonical(body)
		if err != nil {
			return // too deep
		}
		want := plain(t, body)
		if !reflect.DeepEqual(plain(t, got), want) {
			t.Errorf("Canonical(%q) = %q, which means something else", body, got)
		}
		other, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ofrep.Canonical(other); err != nil || !bytes.Equal(again, got) {
			t.Errorf("Canonical(%q) = %q, and Canonical(%q), which means the same, = %q, %v", body, got, other, again, err)
		}
	})
}

// However a field looks: a tag that stands in it on its own is found, and one with
// another letter is not found where it is not.
func FuzzMatches(f *testing.F) {
	for _, field := range []string{``, `*`, `"a"`, `W/"b", "c"`, `"`, `"x`, `,,`, `W/`} {
		f.Add(field)
	}
	const tag = `"tag"`
	f.Fuzz(func(t *testing.T, field string) {
		if ofrep.Matches(field, tag) && strings.TrimSpace(field) != "*" && !strings.Contains(field, tag) {
			t.Errorf("Matches(%q, %s) = true, want false", field, tag)
		}
		if first := tag + ", " + field; !ofrep.Matches(first, tag) {
			t.Errorf("Matches(%q, %s) = false, want true", first, tag)
		}
	})
}

func FuzzAppendFlag(f *testing.F) {
	f.Add("key", []byte(`{"a":1}`), true)
	f.Add("a\"\\\x00\xff", []byte(`null`), false)
	f.Fuzz(func(t *testing.T, key string, value []byte, enabled bool) {
		if !json.Valid(value) {
			return // never stored, nor read from a cache
		}
		got := ofrep.AppendFlag(nil, feature.Flag{Key: key, Draft: feature.Draft{Enabled: enabled, Value: value}}, enabled)
		if !json.Valid(got) {
			t.Errorf("AppendFlag(%q, %q) = %q, want JSON", key, value, got)
		}
	})
}
