package pgwire

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPattern(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"whitespace is squeezed", "  select\n\t a ,b  ", "select a ,b"},
		{"numbers vary", "select 1, 2.5, .5, 1e-3, 0xff, 1_000 from t1", "select ?, ?, ?, ?, ?, ? from t1"},
		{"a sign is an operator", "select -1+2", "select -?+?"},
		{"strings vary", "select 'it''s', ''", "select ?, ?"},
		{"backslashes are plain in a string", `select 'a\', 'b'`, "select ?, ?"},
		{"backslashes escape in an escape string", `select E'a\'b', e'\\', 1`, "select ?, ?, ?"},
		{"strings that begin with a letter vary", "select b'01', X'ff', N'a', U&'d', u&'d'", "select ?, ?, ?, ?, ?"},
		{"a type is no such letter", "select date'2020-01-01'", "select date?"},
		{"dollar-quoted strings vary", "select $$it's; $x$ $$, $q$ $$ $r$ $q$", "select ?, ?"},
		{"parameters stay", "select $1, $12", "select $1, $12"},
		{"a dollar in a name stays", "select a$1$b", "select a$1$b"},
		{"quoted names stay", `select "a 1", "b""c'd", U&"e" from t`, `select "a 1", "b""c'd", U&"e" from t`},
		{"comments go", "select /* 1 /* ' */ ; */ a -- ';\n, b", "select a , b"},
		{"a comment that looks as if it ended goes on", "select /*/ 1 */ 2", "select ?"},
		{"an operator of slashes is none", "select a / b - c", "select a / b - c"},
		{"other alphabets are words", "select ñ1, 日本 from t", "select ñ1, 日本 from t"},
		{"casts and slices", "select a[1:2]::int4", "select a[?:?]::int4"},
		{"a string without an end varies", "select 'secret", "select ?"},
		{"a dollar-quoted string without an end varies", "select $a$secret", "select ?"},
		{"a name without an end stays", `select "a`, `select "a`},
		{"a comment without an end goes", "select 1 /* secret", "select ?"},
		{"nothing is nothing", " -- ping", ""},
		{"it is cut at 120 bytes", strings.Repeat("abcd ", 100), strings.Repeat("abcd ", 24)[:119]},
		{"it is cut between characters", "a" + strings.Repeat("é", 100), "a" + strings.Repeat("é", 59)},
		{"it is cut between long characters", "ab" + strings.Repeat("😀", 100), "ab" + strings.Repeat("😀", 29)},
		{"it ends with its statement", "select 1; select 2", "select ?"},
		{"a rule is one statement", "create rule r as on insert to t do (select 1; select 2); x", "create rule r as on insert to t do (select ?; select ?)"},
	} {
		if got, _ := pattern([]byte(row.text)); got != row.want {
			t.Errorf("%s: pattern(%q) = %q, want %q", row.name, row.text, got, row.want)
		}
	}
}

func TestPatternGoesOnBehindAStatement(t *testing.T) {
	text := []byte("select ';' ; ; /*;*/ $$;$$ ;\nvalues (1);")
	var got []string
	for len(text) > 0 {
		var p string
		p, text = pattern(text)
		got = append(got, p)
	}
	if want := []string{"select ?", "", "?", "values (?)"}; !slices.Equal(got, want) {
		t.Errorf("patterns = %q, want %q", got, want)
	}
}

func TestKeyword(t *testing.T) {
	for pattern, want := range map[string]string{
		"":                             KindUnknown,
		"?":                            KindUnknown,
		"select ?":                     "SELECT",
		"( (Select ?)":                 "SELECT",
		"values(?)":                    "VALUES",
		"averyveryverylongfirstword x": "AVERYVERYVERYLON",
	} {
		if got := keyword(pattern); got != want {
			t.Errorf("keyword(%q) = %q, want %q", pattern, got, want)
		}
	}
}

func TestKindOfTag(t *testing.T) {
	for tag, want := range map[string]string{
		"SELECT 1\x00": "SELECT", "INSERT 0 1\x00": "INSERT", "CREATE TABLE\x00": "CREATE TABLE", "MERGE 3": "MERGE", "": KindUnknown,
	} {
		if got := kindOfTag([]byte(tag)); got != want {
			t.Errorf("kindOfTag(%q) = %q, want %q", tag, got, want)
		}
	}
}

func TestSQLState(t *testing.T) {
	for body, want := range map[string]string{
		"SERROR\x00VERROR\x00C42601\x00Mno\x00\x00": "42601",
		"SFEHLER\x00C57P01\x00":                     "57P01",
		"MC\x00C23503\x00":                          "23503",
		"SERROR\x00Mno\x00\x00":                     replyUnnamed,
		"C\x00":                                     replyUnnamed,
		"C123456789":                                "12345",
		"":                                          replyUnnamed,
	} {
		if got := sqlstate([]byte(body)); got != want {
			t.Errorf("sqlstate(%q) = %q, want %q", body, got, want)
		}
	}
}

// FuzzPattern checks that every text comes to an end in patterns of bounded length.
func FuzzPattern(f *testing.F) {
	for _, text := range []string{"select 1; select 'a'", "/*/**/", "$a$b$a", `E'\`, "U&'", "é", "1e+", "--", "((;));"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for rest := text[:min(len(text), textKept)]; len(rest) > 0; {
			p, behind := pattern(rest)
			if len(p) > patternMax || utf8.Valid(rest) && !utf8.ValidString(p) {
				t.Fatalf("pattern(%q) = %q, want at most %d bytes of whole characters", rest, p, patternMax)
			}
			if len(behind) >= len(rest) {
				t.Fatalf("pattern(%q) leaves %q, want it to end", rest, behind)
			}
			rest = behind
		}
	})
}
