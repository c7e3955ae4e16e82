package results

import (
	"testing"
	"unsafe"
)

func TestATextIsKeptOnce(t *testing.T) {
	text := func(s string) string { return string([]byte(s)) } // a new one each time
	known := words{}
	a, b := Hit{Key: text("k"), Token: text("t")}, Hit{Key: text("k"), Token: text("u")}
	known.hit(&a)
	known.hit(&b)
	if unsafe.StringData(a.Key) != unsafe.StringData(b.Key) {
		t.Error("the same key is kept twice")
	}
	if a.Key != "k" || a.Token != "t" || b.Key != "k" || b.Token != "u" {
		t.Errorf("hits = %+v, %+v, want their texts unchanged", a, b)
	}
}
