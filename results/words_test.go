package results

import (
	"testing"
	"unsafe"
)

func TestATextIsKeptOnce(t *testing.T) {
	text := func(s string) string { return string([]byte(s)) } // a new one each time
	known := words{}
	a, b := Hit{Key: text("a key"), Token: text("t")}, Hit{Key: text("a key"), Token: text("u")}
	known.hit(&a)
	known.hit(&b)
	if unsafe.StringData(a.Key) != unsafe.StringData(b.Key) {
		t.Error("the same key is kept twice")
	}
	if a.Key != "a key" || a.Token != "t" || b.Key != "a key" || b.Token != "u" {
		t.Errorf("hits = %+v, %+v, want their texts unchanged", a, b)
	}
}
