package judge

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// testsBelow lists the tests in the files of a folder and those below it.
func testsBelow(t *testing.T, folder string) []string {
	t.Helper()
	function := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	var all []string
	root := os.DirFS(folder)
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		data, err := fs.ReadFile(root, path)
		for _, found := range function.FindAllSubmatch(data, -1) {
			all = append(all, string(found[1]))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
