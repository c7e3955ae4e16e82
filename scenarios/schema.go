package scenarios

import (
	"encoding/json"
	"reflect"

	"brownout/chaos"
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
	}
	return schema{"type": "object", "additionalProperties": leaf("")}
}

// leaf describes a scalar by its field.
func leaf(field string) schema {
	pattern := func(p, example string) schema {
		return schema{"type": "string", "pattern": p, "examples": []string{example}}
	}
	switch field {
	case "phaseFile.For", "loadFile.Timeout", "faultFile.Latency", "faultFile.Jitter", "faultFile.Up", "faultFile.Down", "faultFile.Gap":
		return pattern(`^([0-9.]+(ns|us|µs|ms|s|m|h))+$`, "5s")
	case "loadFile.Rate", "phaseFile.Rate":
		return pattern(`^[0-9.]+/s( to [0-9.]+/s)?$`, "300/s")
	case "loadFile.Reads", "loadFile.Writes":
		return pattern(`^[0-9.]+%$`, "98%")
	case "loadFile.Keys":
		return schema{"enum": []string{"zipf", "uniform"}}
	case "stackFile.Cache":
		return schema{"enum": []string{"redis", "valkey", "none"}}
	case "stackFile.Database":
		return schema{"enum": []string{"postgres", "none"}}
	case "faultFile.On":
		return schema{"enum": []string{"cache", "database"}}
	case "faultFile.Rate", "faultFile.Size":
		return schema{"type": "integer", "minimum": 1}
	case "faultFile.Revert":
		return schema{"enum": []string{string(chaos.Resume), string(chaos.Close)}}
	case "faultFile.Live":
		return schema{"enum": []string{string(chaos.Keep), string(chaos.CloseAll)}}
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

// figures describes a map from figures, with or without a selector, to bounds.
func figures(scope judge.Scope) schema {
	patterns := schema{}
	for _, k := range judge.Kinds() {
		if k.Scope&scope != 0 {
			patterns["^"+k.Name+`(\{[a-z_=,]+\})?$`] = schema{
				"type": []string{"string", "number"}, "description": k.Doc,
			}
		}
	}
	return schema{"type": "object", "additionalProperties": false, "patternProperties": patterns}
}
