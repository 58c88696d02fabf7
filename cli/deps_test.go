package cli

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// arrows is the table of docs/architecture.md: which packages of billd a package may import. A
// pattern ends in /... to mean the packages below it as well.
var arrows = map[string][]string{
	"":                  {"cli"},
	"cli":               {"server", "server/ops", "server/control", "server/watch", "storage", "storage/kv", "rating/..."},
	"server":            {"server/...", "storage", "storage/kv", "rating/..."},
	"server/courier":    {},
	"server/mailtest":   {},
	"server/paper":      {},
	"server/ops":        {"server/courier", "server/paper", "server/auth", "storage", "storage/kv", "storage/bolt", "storage/journal", "rating/..."},
	"server/control":    {"server/ops"},
	"server/watch":      {"server/ops", "storage"},
	"server/radius":     {"server/ops", "storage", "rating/..."},
	"server/yeti":       {"server/jsonapi", "server/ops", "server/auth", "storage", "rating/..."},
	"server/kazoo":      {"server/auth", "storage", "rating/..."},
	"server/portsip":    {"server/auth", "storage", "rating/..."},
	"server/native":     {"server/ops", "server/auth", "storage", "rating/..."},
	"server/ui":         {"web", "server/ops", "server/auth", "storage", "rating/..."},
	"server/jsonapi":    {"server/auth", "storage", "rating/..."},
	"server/auth":       {"storage", "rating/..."},
	"web":               {},
	"storage":           {"storage/kv", "rating/..."},
	"storage/bolt":      {"storage/kv"},
	"storage/journal":   {"storage/kv"},
	"storage/kv":        {},
	"rating":            {},
	"rating/plan":       {"rating"},
	"rating/deckcsv":    {"rating", "rating/xlsx"},
	"rating/xlsx":       {"rating"},
	"rating/e164":       {},
	"rating/cdrformat":  {"rating"},
	"rating/dataformat": {"rating"},
	"rating/ratingtest": {"rating"},
	"bench/...":         {"..."},
	"docs/...":          {"..."},
}

// owners says where alone a module may be imported. One that is not listed may be imported anywhere
// but in rating.
var owners = map[string][]string{
	"go.etcd.io/bbolt":          {"storage/bolt"},
	"github.com/gofiber/fiber":  {"server", "server/..."},
	"github.com/golang-jwt/jwt": {"server/auth"},
	"github.com/spf13/cobra":    {"cli"},
	"github.com/wneessen":       {"server/courier"},
	"codeberg.org/go-pdf":       {"server/paper"},
	"golang.org/x/image":        {"server/paper"},
	"github.com/tidwall/btree":  {"storage/journal"},
}

// ratingMay are the imports from outside that a package of rating may have.
var ratingMay = map[string][]string{
	"rating/deckcsv": {"golang.org/x/text/..."},
}

func covers(patterns []string, pkg string) bool {
	for _, p := range patterns {
		if below, wide := strings.CutSuffix(p, "..."); p == pkg || wide && (strings.HasPrefix(pkg+"/", below)) {
			return true
		}
	}
	return false
}

func rowOf(pkg string) ([]string, bool) {
	if row, ok := arrows[pkg]; ok {
		return row, true
	}
	for pattern, row := range arrows {
		if strings.HasSuffix(pattern, "...") && covers([]string{pattern}, pkg) {
			return row, true
		}
	}
	return nil, false
}

// broken says which rule an import breaks, "" for none.
func broken(pkg, imported string) string {
	if inside, ok := strings.CutPrefix(imported, "billd/"); ok {
		row, known := rowOf(pkg)
		if !known {
			return "has no row in the table of arrows"
		}
		if !covers(row, inside) {
			return "may import of billd only " + strings.Join(row, ", ")
		}
		return ""
	}
	if host, _, _ := strings.Cut(imported, "/"); !strings.Contains(host, ".") {
		return "" // the standard library
	}
	if (pkg == "rating" || strings.HasPrefix(pkg, "rating/")) && !covers(ratingMay[pkg], imported) {
		return "may import the standard library only"
	}
	for module, where := range owners {
		if (imported == module || strings.HasPrefix(imported, module+"/")) && !covers(where, pkg) {
			return "may not, it belongs to " + strings.Join(where, " and ")
		}
	}
	return ""
}

func TestImportsFollowTheArrows(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command to list imports")
	}
	list := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Imports", "billd/...")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		pkg := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, "billd"), "/")
		if _, known := rowOf(pkg); !known {
			t.Errorf("%s has no row in the table of arrows", p.ImportPath)
		}
		for _, imported := range p.Imports {
			if why := broken(pkg, imported); why != "" {
				t.Errorf("%s imports %s: %s", p.ImportPath, imported, why)
			}
		}
	}
}

func TestTheArrowsRefuse(t *testing.T) {
	for _, tt := range []struct{ pkg, imported, want string }{
		{"rating", "billd/storage", "may import of billd only "},
		{"server/yeti", "billd/server/kazoo", "may import of billd only server/jsonapi, server/ops, server/auth, storage, rating/..."},
		{"server/yeti", "billd/rating/deckcsv", ""},
		{"storage", "go.etcd.io/bbolt", "may not, it belongs to storage/bolt"},
		{"storage/bolt", "go.etcd.io/bbolt/errors", ""},
		{"cli", "github.com/gofiber/fiber/v2", "may not, it belongs to server and server/..."},
		{"server/kazoo", "github.com/gofiber/fiber/v2", ""},
		{"rating/plan", "golang.org/x/text/encoding", "may import the standard library only"},
		{"rating/deckcsv", "golang.org/x/text/encoding", ""},
		{"rating", "math/big", ""},
		{"storage/newcomer", "billd/rating", "has no row in the table of arrows"},
	} {
		if got := broken(tt.pkg, tt.imported); got != tt.want {
			t.Errorf("broken(%q, %q) = %q, want %q", tt.pkg, tt.imported, got, tt.want)
		}
	}
}
