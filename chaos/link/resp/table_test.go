package resp

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write commands.txt anew, from the Redis of this machine")

const tableHead = "# COMMAND of redis %s: name, arity, place of the first key, flags.\n" +
	"# Made by go test -run TestTheTableIsWhatRedisSays -update; see command.go.\n"

func TestTheTableIsWhatRedisSays(t *testing.T) {
	node := startRedis(t)
	said, err := client(t, node.Addr).Do(t.Context(), "COMMAND").Slice()
	if err != nil {
		t.Fatal(err)
	}
	table := fmt.Sprintf(tableHead, node.Version) + tableOf(t, said)
	if *update {
		if err := os.WriteFile("commands.txt", []byte(table), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	skipUnlessOfTheTable(t, node.Kind, node.Version)
	if diff := cmp.Diff(commandsText, table); diff != "" {
		t.Errorf("commands.txt differs from what redis says (-file +redis):\n%s", diff)
	}
}

// tableOf renders the reply to COMMAND as commands.txt has it.
func tableOf(t *testing.T, commands []any) string {
	var lines []string
	for _, c := range commands {
		c := c.([]any)
		name := strings.ToUpper(c[0].(string))
		lines = append(lines, fmt.Sprintf("%s %d %s %s\n", name, c[1], keyPlaceOf(t, name, c[8].([]any)), flagsOf(c[2].([]any))))
		lines = append(lines, strings.SplitAfter(tableOf(t, c[9].([]any)), "\n")...)
	}
	lines = slices.DeleteFunc(lines, func(line string) bool { return line == "" })
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func flagsOf(said []any) string {
	var names []string
	for _, name := range flagNames {
		if slices.Contains(said, any(name)) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "-"
	}
	return strings.Join(names, ",")
}

// keyPlaceOf renders the first key specification of a command.
func keyPlaceOf(t *testing.T, name string, specs []any) string {
	if len(specs) == 0 {
		return "-"
	}
	spec := fields(specs[0])
	if slices.Contains(spec["flags"].([]any), "not_key") { // a channel of a shard
		return "-"
	}
	search, find := fields(spec["begin_search"]), fields(spec["find_keys"])
	from, how := fields(search["spec"]), fields(find["spec"])
	switch {
	case search["type"] == "keyword" && find["type"] == "range":
		return fmt.Sprintf("%s@%d", from["keyword"], from["startfrom"])
	case search["type"] == "index" && find["type"] == "range":
		return fmt.Sprint(from["index"])
	case search["type"] == "index" && how["keynumidx"] == int64(0) && how["firstkey"] == int64(1):
		return fmt.Sprintf("#%d", from["index"])
	}
	t.Fatalf("the table has no word for the place of the keys of %s: %v", name, spec)
	return ""
}

// fields makes a map of a list of names and values.
func fields(list any) map[string]any {
	m := map[string]any{}
	for pair := range slices.Chunk(list.([]any), 2) {
		m[pair[0].(string)] = pair[1]
	}
	return m
}
