package scenarios

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func TestCatalog(t *testing.T) {
	all, err := Catalog()
	if err != nil {
		t.Fatalf("Catalog: %v", err)
	}
	if len(all) == 0 {
		t.Fatal("the catalogue is empty")
	}
	for _, s := range all {
		if file := s.Name + ".yaml"; !strings.HasSuffix(s.File, "/"+file) {
			t.Errorf("scenario %s stands in %s, want %s", s.Name, s.File, file)
		}
		target, err := FindTarget(s.Target)
		if err != nil {
			t.Errorf("scenario %s: %v", s.Name, err)
			continue
		}
		if err := target.Check(s); err != nil {
			t.Errorf("scenario %s does not fit its target: %v", s.Name, err)
		}
		expectations := len(s.Always)
		for _, p := range s.Phases {
			expectations += len(p.Expect)
		}
		if expectations == 0 {
			t.Errorf("scenario %s expects nothing: it could not fail", s.Name)
		}
	}
}

func TestFindNamesTheNearest(t *testing.T) {
	_, err := Find("cache-blackhol")
	if err == nil || !strings.Contains(err.Error(), "did you mean cache-blackhole?") {
		t.Errorf("Find(cache-blackhol) = %v, want it to name cache-blackhole", err)
	}
	if _, err := Find("./nowhere.yaml"); err == nil || !strings.Contains(err.Error(), "nowhere.yaml") {
		t.Errorf("Find(./nowhere.yaml) = %v, want it to name the file", err)
	}
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatalf("Schema: %v", err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("reading the schema: %v", err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("scenario.json", doc); err != nil {
		t.Fatalf("adding the schema: %v", err)
	}
	schema, err := c.Compile("scenario.json")
	if err != nil {
		t.Fatalf("compiling the schema: %v", err)
	}
	return schema
}

// asJSON is what an editor's YAML plug-in holds against the schema.
func asJSON(t *testing.T, data []byte) any {
	t.Helper()
	text, err := yaml.YAMLToJSON(data)
	if err != nil {
		t.Fatalf("converting: %v", err)
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("reading %s: %v", text, err)
	}
	return v
}

func TestSchemaAcceptsTheCatalogue(t *testing.T) {
	schema := compiled(t)
	for _, name := range names("catalog") {
		data, err := embedded.ReadFile("catalog/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(asJSON(t, data)); err != nil {
			t.Errorf("the schema rejects %s: %v", name, err)
		}
	}
}

func TestSchemaRejectsWhatParseRejects(t *testing.T) {
	schema := compiled(t)
	for _, change := range [][2]string{
		{"tags: [bench]", "tag: [bench]"},
		{"for: 2s", "for: soon"},
		{"rate: 100/s,", "rate: 100,"},
		{"kind: latency", "kind: lag"},
		{"jitter: 20ms", "share: half"},
		{"jitter: 20ms", "whom: proxies"},
		{"jitter: 20ms", "size: 0"},
		{"p99: 25ms", "p98: 25ms"},
		{"wrong_answers: 0", "p99: 1s"},
	} {
		bad := []byte(strings.Replace(good, change[0], change[1], 1))
		if _, err := Parse("x.yaml", bad); err == nil {
			t.Errorf("Parse accepts %q", change[1])
		}
		if err := schema.Validate(asJSON(t, bad)); err == nil {
			t.Errorf("the schema accepts %q", change[1])
		}
	}
}

func TestTargetNames(t *testing.T) {
	if got := TargetNames(); !slices.Contains(got, "brownout") {
		t.Errorf("TargetNames() = %v, want brownout among them", got)
	}
}
