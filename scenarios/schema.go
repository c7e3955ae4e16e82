package scenarios

import (
	"encoding/json"
	"reflect"
	"slices"

	"brownout/chaos"
	"brownout/chaos/failover"
	"brownout/results/judge"
)

// Schema is the scenario file's JSON Schema (draft 2020-12), for editors. It is
// made from the structs that the file is decoded into and the tables of faults
// and figures, so that it cannot name what does not exist.
func Schema() ([]byte, error) {
	schema := object(reflect.TypeFor[scenarioFile]())
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["title"] = "brownout scenario"
	schema["required"] = []string{"name", "proves", "phases"}
	return json.MarshalIndent(schema, "", "  ")
}

type schema = map[string]any

// object describes a struct of the file.
func object(t reflect.Type) schema {
	properties := schema{}
	for i := range t.NumField() {
		f := t.Field(i)
		properties[f.Tag.Get("yaml")] = field(t.Name(), f)
	}
	return schema{"type": "object", "additionalProperties": false, "properties": properties}
}

func field(in string, f reflect.StructField) schema {
	t := f.Type
	if one, ok := parameter(in, f); ok {
		return one
	}
	switch {
	case t == reflect.TypeFor[scalar]():
		return leaf(in + "." + f.Name)
	case t.Kind() == reflect.Slice && t.Elem() == reflect.TypeFor[scalar]():
		return schema{"type": "array", "items": leaf("")}
	case t.Kind() == reflect.Slice:
		return schema{"type": "array", "items": object(t.Elem())}
	case t.Kind() == reflect.Struct:
		return object(t)
	}
	switch in + "." + f.Name { // maps of scalars
	case "phaseFile.Require", "phaseFile.Expect":
		return figures(judge.Phase)
	case "scenarioFile.Always":
		return figures(judge.Run)
	case "phaseFile.Failover":
		return failovers()
	}
	return schema{"type": "object", "additionalProperties": leaf("")}
}

// parameter describes the field of a fault that is a parameter.
func parameter(in string, f reflect.StructField) (schema, bool) {
	all := chaos.Parameters()
	i := slices.IndexFunc(all, func(p chaos.Parameter) bool { return p.Name == f.Tag.Get("yaml") })
	if in != reflect.TypeFor[faultFile]().Name() || i < 0 {
		return nil, false
	}
	described := form(all[i])
	described["description"] = all[i].Doc
	return described, true
}

// form describes how the value of a parameter is written.
func form(p chaos.Parameter) schema {
	switch p.Form {
	case chaos.FormDuration:
		return pattern(timePattern, "250ms")
	case chaos.FormShare:
		return pattern(sharePattern, "50%")
	case chaos.FormCount:
		return schema{"type": "integer", "minimum": 1}
	case chaos.FormYes:
		return schema{"type": "boolean"}
	}
	return schema{"enum": p.Words}
}

// How values are written.
const (
	timePattern  = `^([0-9.]+(ns|us|µs|ms|s|m|h))+$`
	sharePattern = `^[0-9.]+%$`
)

func pattern(p, example string) schema {
	return schema{"type": "string", "pattern": p, "examples": []string{example}}
}

// leaf describes a scalar by its field.
func leaf(field string) schema {
	switch field {
	case "phaseFile.For", "loadFile.Timeout":
		return pattern(timePattern, "5s")
	case "loadFile.Rate", "phaseFile.Rate":
		return pattern(`^[0-9.]+/s( to [0-9.]+/s)?$`, "300/s")
	case "loadFile.Reads", "loadFile.Writes":
		return pattern(sharePattern, "98%")
	case "loadFile.Stall":
		return schema{"enum": []string{catchUp, skip}}
	case "loadFile.Keys":
		return schema{"enum": []string{"zipf", "uniform"}}
	case "stackFile.Cache":
		return schema{"enum": caches()}
	case "stackFile.Engine":
		return schema{"enum": []string{redis, valkey}}
	case "stackFile.Database":
		return schema{"enum": []string{"postgres", "none"}}
	case "faultFile.On":
		return schema{"type": "string", "examples": []string{"cache", "primary", "cache-2", "database"}}
	case "stackFile.Replicas":
		return schema{"type": "integer", "minimum": 1, "maximum": mostReplicas}
	case "scenarioFile.Instances":
		return schema{"type": "integer", "minimum": 1, "maximum": mostInstances}
	case "scenarioFile.Cold", "stackFile.TLS", "stackFile.Password", "stackFile.ACL", "stackFile.DNS":
		return schema{"enum": []any{true, false, "yes", "no"}}
	case "faultFile.Kind":
		return faultKinds()
	}
	return schema{"type": []string{"string", "number", "boolean"}}
}

func faultKinds() schema {
	var kinds []schema
	for _, k := range chaos.Kinds() {
		kinds = append(kinds, schema{"const": string(k.Kind), "description": k.Doc})
	}
	return schema{"oneOf": kinds}
}

// failovers describes a failover: its plan, its scale, and times of plans.
func failovers() schema {
	properties := schema{
		keyPlan:  schema{"enum": failover.Names()},
		keyScale: schema{"type": "number", "exclusiveMinimum": 0, "maximum": 1},
	}
	for _, plan := range failover.Plans() {
		for _, one := range plan.Parameters {
			described := pattern(timePattern, "5s")
			described["description"] = one.Doc
			properties[one.Name] = described
		}
	}
	return schema{"type": "object", "additionalProperties": false, "properties": properties, "required": []string{keyPlan}}
}

// figures describes a map from figures, with or without a selector, to bounds.
func figures(scope judge.Scope) schema {
	patterns := schema{}
	for _, k := range judge.Kinds() {
		if k.Scope&scope != 0 {
			patterns["^"+k.Name+`(\{[a-z0-9_=,. -]+\})?$`] = schema{
				"type": []string{"string", "number"}, "description": k.Doc,
			}
		}
	}
	return schema{"type": "object", "additionalProperties": false, "patternProperties": patterns}
}
