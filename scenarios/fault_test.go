package scenarios

import (
	"reflect"
	"slices"
	"testing"

	"brownout/chaos"
)

// A parameter without a key could not be written, a key without a parameter would be
// lost.
func TestAFaultHasAKeyForEachParameter(t *testing.T) {
	want := []string{"on", "kind"}
	for _, p := range chaos.Parameters() {
		want = append(want, p.Name)
	}
	var got []string
	file := reflect.TypeFor[faultFile]()
	for i := range file.NumField() {
		got = append(got, file.Field(i).Tag.Get("yaml"))
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("keys of a fault: %v, want %v", got, want)
	}
}
