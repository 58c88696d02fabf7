package cli

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestADeckIsCorrectedBackwards: a list that should have been in force since the day before yesterday charges the calls
// since then again, and those before it not.
func TestADeckIsCorrectedBackwards(t *testing.T) {
	day := func(ago int) string { return time.Now().UTC().AddDate(0, 0, -ago).Format(time.DateOnly) }
	calls := "account,call_id,dst,time_start,duration\n"
	for _, ago := range []int{5, 2, 1} {
		calls += fmt.Sprintf("master,c%d,442079460000,%sT10:00:00Z,60\n", ago, day(ago))
	}
	for _, door := range []string{"direct", "server"} {
		dir := t.TempDir()
		if door == "server" {
			serveAll(t, dir)
		}
		for _, tt := range []struct {
			name, in, args string
			exit           int
			parts          string // of what is printed, between bars
		}{
			{"the wrong price", "prefix,price\n44,0.06\n", "import-rates - --effective " + day(30), 0, "1 added"},
			{"calls", calls, "import-cdrs -", 0, "3     3      0     0           0"},
			{"since when is wanted", "prefix,price\n44,0.09\n", "import-rates - --rerate", 2, "rerate: want effective with a moment in the past"},
			{"a time to come is none", "prefix,price\n44,0.09\n", "import-rates - --rerate --effective " + day(-1), 2, "rerate: want effective with a moment in the past"},
			{"what it would change", "prefix,price\n44,0.09\n", "import-rates - --rerate --dry-run --effective " + day(2), 0,
				"impact on the calls from " + day(2) + "T00:00:00Z|all     2      0.12     0.18     +0.06|dry run: nothing was changed"},
			{"it is done", "prefix,price\n44,0.09\n", "import-rates - --rerate --effective " + day(2), 0,
				"applied: deck default has the new prices|rerated: 2 examined: 2 changed, 0 same, 0 history, 0 failed|1        master  2      -0.12  -0.18  -0.06   0.0     EUR"},
			{"once", "prefix,price\n44,0.09\n", "import-rates - --rerate --json --effective " + day(2), 0, `"rerate": {|"changed": 0|"same": 2`},
			{"the day before", "prefix,price\n44,0.06\n", "rerate --dry-run", 0, "preview: 3 examined: 0 changed, 3 same"},
			{"all is sound", "", "check", 0, "sound"},
		} {
			got := run(tt.in, append(strings.Fields(tt.args), "--dir", dir)...)
			for _, part := range strings.Split(tt.parts, "|") {
				if got.exit != tt.exit || !strings.Contains(got.out+got.errw, part) {
					t.Errorf("%s, %s: %v, want %d and %q", door, tt.name, got, tt.exit, part)
				}
			}
		}
	}
}
