package yeti

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mostLines is how many lines a resource may cost on average, all that serves it and the geography,
// sign-in and searches of calls included.
const mostLines = 150

// TestAResourceCostsFewLines reports how many lines of this package a resource takes, and of the engine
// all of them together.
func TestAResourceCostsFewLines(t *testing.T) {
	r := newRig(t)
	resources := len(r.api.admin.Describe()) + len(r.api.customer.Describe())
	own, engine := sourceLines(t, "."), sourceLines(t, "../jsonapi")
	t.Logf("%d resources in %d lines, %d each; the engine has %d", resources, own, own/resources, engine)
	if own/resources > mostLines {
		t.Errorf("%d lines a resource, want at most %d", own/resources, mostLines)
	}
}

// sourceLines counts the lines of a package, tests and what is generated apart.
func sourceLines(t *testing.T, dir string) (n int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "_gen.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		n += bytes.Count(text, []byte("\n"))
	}
	return n
}
