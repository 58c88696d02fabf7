package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"billd/server/control"
	"billd/server/ops"
)

// serveAll holds the store in dir and answers billd's own commands on its socket.
func serveAll(t *testing.T, dir string) {
	t.Helper()
	env := &ops.Env{DB: hold(t, dir), Dir: dir, Version: version(), Log: slog.New(slog.DiscardHandler)}
	s, err := control.Listen(control.Options{Env: env, Commands: ops.Commands()})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve() }()
	t.Cleanup(func() {
		s.Shutdown(t.Context())
		<-done
	})
}

// run runs billd itself in this process.
func run(in string, args ...string) ended {
	var out, errw bytes.Buffer
	exit := Main(args, strings.NewReader(in), &out, &errw)
	return ended{exit, out.String(), errw.String()}
}

// columns is what lies between the cells of a table; its width depends on the length of an instant.
var columns = regexp.MustCompile(` +`)

var instants = regexp.MustCompile(`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ`)

const smallDeck = "Prefix;Destination;Rate;Billing\n44;United Kingdom;0,0100;60/60\n+4420;London;0,0050;1/1\n00 1;USA;abc;60/60\n"

func TestRatesThroughBothDoors(t *testing.T) {
	steps := []struct {
		name, in string
		args     []string
		want     ended
	}{
		{"a dry run shows and does nothing", smallDeck, []string{"import-rates", "-", "--dry-run"}, ended{3,
			`stdin: carrier price list, UTF-8, delimiter semicolon, decimal comma, header on line 1
COLUMN  HEADER       READ AS
1       Prefix       prefix
2       Destination  name
3       Rate         price
4       Billing      increment
deck default, EUR, preset portsip, mode replace, effective always
read 3: 2 added, 0 changed, 0 same, 1 rejected; removed from the deck: 0
dry run: nothing was changed
`, "stdin: line 4: price \"abc\" is not a number\n"}},
		{"there is nothing to match yet", "", []string{"explain", "442079460000", "61"}, ended{1, "",
			"billd: no rate matches 442079460000 at NOW; searched: deck default\n"}},
		{"an import tells and does", smallDeck, []string{"import-rates", "-"}, ended{3,
			`stdin: carrier price list, UTF-8, delimiter semicolon, decimal comma, header on line 1
COLUMN  HEADER       READ AS
1       Prefix       prefix
2       Destination  name
3       Rate         price
4       Billing      increment
deck default, EUR, preset portsip, mode replace, effective always
read 3: 2 added, 0 changed, 0 same, 1 rejected; removed from the deck: 0
applied: deck default has the new prices
`, "stdin: line 4: price \"abc\" is not a number\n"}},
		{"a price is explained", "", []string{"explain", "447700900000", "61"}, ended{0,
			`447700900000, 61 s: 0.02 EUR (net 0.02, tax 0.0)
STEP                                                                            AMOUNT
prefix 44 is the longest that matches: rate 1 of deck default, United Kingdom   
rate valid always, call at NOW                                                  
intervals 60/60 s, 61 s become 120 s billed                                     
first 60 s at 0.01 EUR a minute                                                 0.01
next 1 × 60 s at 0.01 EUR a minute                                              0.01
net, rounded half away from zero to 5 decimals                                  0.02
`, ""}},
		{"a price is explained in JSON", "", []string{"explain", "442079460000", "6", "--account", "master", "--json"}, ended{0,
			`{
  "number": "442079460000",
  "deck": "default",
  "rate_id": 2,
  "prefix": "4420",
  "seconds": 6,
  "billed_seconds": 6,
  "net": "0.0005",
  "tax": "0.0",
  "gross": "0.0005",
  "currency": "EUR",
  "steps": [
    {
      "text": "account 1, master, charged on deck default",
      "amount": "0.0"
    },
    {
      "text": "prefix 4420 is the longest that matches: rate 2 of deck default, London",
      "amount": "0.0"
    },
    {
      "text": "rate valid always, call at NOW",
      "amount": "0.0"
    },
    {
      "text": "intervals 1/1 s, 6 s become 6 s billed",
      "amount": "0.0"
    },
    {
      "text": "first 1 s at 0.005 EUR a minute",
      "amount": "0.000083333333…"
    },
    {
      "text": "next 5 × 1 s at 0.005 EUR a minute",
      "amount": "0.000416666666…"
    },
    {
      "text": "net, rounded half away from zero to 5 decimals",
      "amount": "0.0005"
    }
  ]
}
`, ""}},
		{"the same again says so", smallDeck, []string{"import-rates", "-", "--json"}, ended{3,
			`{
  "file": "stdin",
  "deck": "default",
  "deck_id": 1,
  "new_deck": false,
  "currency": "EUR",
  "preset": "portsip",
  "mode": "replace",
  "effective": "NOW",
  "dry_run": false,
  "applied": false,
  "layout": {
    "form": "carrier price list",
    "encoding": "UTF-8",
    "delimiter": ";",
    "decimal": "comma",
    "dates": "undecided",
    "header_line": 1,
    "columns": [
      {
        "number": 1,
        "header": "Prefix",
        "field": "prefix"
      },
      {
        "number": 2,
        "header": "Destination",
        "field": "name"
      },
      {
        "number": 3,
        "header": "Rate",
        "field": "price"
      },
      {
        "number": 4,
        "header": "Billing",
        "field": "increment"
      }
    ],
    "assumptions": [],
    "warnings": [
      "rejected lines are not in the new deck: in mode replace the prices they stand for end"
    ]
  },
  "read": 3,
  "added": 0,
  "changed": 0,
  "same": 2,
  "removed": 0,
  "rejected": 1,
  "rejects": [
    {
      "line": 4,
      "reason": "price \"abc\" is not a number"
    }
  ],
  "rejects_omitted": 0
}
`, ""}},
		{"nothing to import is a failure", "Prefix,Rate\n44,abc\n", []string{"import-rates", "-", "--mode", "merge"}, ended{1,
			`stdin: carrier price list, UTF-8, delimiter comma, decimal point, header on line 1
COLUMN  HEADER  READ AS
1       Prefix  prefix
2       Rate    price
assumed: no intervals: 60/60
deck default, EUR, preset portsip, mode merge, effective NOW
read 1: 0 added, 0 changed, 0 same, 1 rejected; removed from the deck: 0
`, "stdin: line 2: price \"abc\" is not a number\nbilld: stdin: nothing to import, its only line was rejected\n"}},
		{"a file that is no price list", "a,b\nc,d\n", []string{"import-rates", "-"}, ended{1, "", "billd: stdin: no prefix column and no price per minute; headers seen: a, b\n"}},
		{"a mode that is none", "", []string{"import-rates", "-", "--mode", "add"}, ended{2, "", "billd: mode \"add\": want replace or merge\n"}},
		{"a deck that is none", "", []string{"export-rates", "--deck", "nope"}, ended{1, "", "billd: deck nope does not exist\n"}},
		{"a vendor that is none", smallDeck, []string{"import-rates", "-", "--deck", "v", "--vendor", "nobody"}, ended{1, "", "billd: account \"nobody\" does not exist\n"}},
	}
	dirs := map[string]string{"direct": t.TempDir(), "server": t.TempDir()}
	serveAll(t, dirs["server"])
	for door, dir := range dirs {
		if door == "direct" {
			db, err := ops.OpenStore(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			db.Close()
		}
		for _, tt := range steps {
			t.Run(tt.name+", "+door, func(t *testing.T) {
				got := run(tt.in, append(tt.args, "--dir", dir)...)
				got.out, got.errw = instants.ReplaceAllString(got.out, "NOW"), instants.ReplaceAllString(got.errw, "NOW")
				got.out, tt.want.out = columns.ReplaceAllString(got.out, " "), columns.ReplaceAllString(tt.want.out, " ")
				if got != tt.want {
					t.Errorf("billd %v: exit %d, want %d\nout:\n%s\nwant:\n%s\nerr:\n%s\nwant:\n%s", tt.args, got.exit, tt.want.exit, got.out, tt.want.out, got.errw, tt.want.errw)
				}
			})
		}
	}
}

// An export goes into an empty store as it was, and into its own as nothing new.
func TestExportedRatesComeBackExactly(t *testing.T) {
	const history = "Prefix,Name,Rate,Connect,Increment,Valid from,Valid till,Grace\n" +
		"44,\"Kingdom, \"\"United\"\"\",0.0123456,0.05,60/6,,,\n4420,London,0.02,,1/1,2026-01-01,2027-01-01,3\n49,Düsseldorf,0.5,,30/6,,,\n"
	for _, format := range []string{"csv", "json"} {
		t.Run(format, func(t *testing.T) {
			from, into := t.TempDir(), t.TempDir()
			want := func(exit int, got ended) string {
				t.Helper()
				if got.exit != exit {
					t.Fatalf("%v, want exit %d", got, exit)
				}
				return got.out
			}
			want(0, run(history, "import-rates", "-", "--dir", from, "--currency", "USD", "--preset", "kazoo"))
			want(0, run("Prefix,Rate\n44,0.02\n7,0.1\n", "import-rates", "-", "--dir", from, "--mode", "merge"))
			export := want(0, run("", "export-rates", "--dir", from, "--format", format))
			if n := strings.Count(export, "billd/1"); n != 5 {
				t.Errorf("%d rows, want 5 with the one that ended:\n%s", n, export)
			}
			out := want(0, run(export, "import-rates", "-", "--dir", into))
			if !strings.Contains(out, "read 5: 5 added, 0 changed, 0 same, 0 rejected") || !strings.Contains(out, "USD, preset kazoo") {
				t.Errorf("import into an empty store:\n%s", out)
			}
			if got := want(0, run("", "export-rates", "--dir", into, "--format", format)); got != export {
				t.Errorf("the copy exports\n%s\nwant\n%s", got, export)
			}
			for _, dir := range []string{from, into} {
				if out := want(0, run(export, "import-rates", "-", "--dir", dir)); !strings.Contains(out, "read 5: 0 added, 0 changed, 5 same, 0 rejected; removed from the deck: 0") {
					t.Errorf("import into its own store:\n%s", out)
				}
			}
			changed := strings.Replace(export, "0.02", "0.03", 1)
			got := run(changed, "import-rates", "-", "--dir", from)
			if got.exit != 3 || !strings.Contains(got.errw, "has changed since the export") {
				t.Errorf("an export with a changed row: %v, want exit 3", got)
			}
			if got := want(0, run("", "export-rates", "--dir", from, "--format", format)); got != export {
				t.Errorf("a refused row changed the deck:\n%s", got)
			}
		})
	}
}

// TestRealDecks imports price lists from the wild through the whole command. The counts are those of
// the README beside them.
func TestRealDecks(t *testing.T) {
	data := filepath.Join("..", "..", "shared", "data")
	if _, err := os.Stat(data); err != nil {
		t.Skip("no ../shared/data here")
	}
	for _, tt := range []struct {
		file            string
		exit            int
		added, rejected int
	}{
		{"deck-headerless-zar.csv", 3, 10631, 1},
		{"deck-city-code-list.csv", 0, 17350, 0},
		{"deck-plus-prefix-connect.csv", 0, 4743, 0},
		{"deck-price-ranges.csv", 1, 0, 221},
		{"deck-headerless-increments.csv", 3, 12, 1},
		{"deck-npanxx-small.csv", 0, 5, 0},
		{"deck-bom-units-in-header.csv", 0, 1, 0},
		{"deck-route-increments.csv", 1, -1, 0},
		{"pricelist-sms-no-prefix.csv", 1, -1, 0},
		{"deck-kazoo-routes.json", 1, 0, 2},
		{"deck-airtel-2023.xlsx", 0, 18254, 0},
	} {
		t.Run(tt.file, func(t *testing.T) {
			dir := t.TempDir()
			got := run("", "import-rates", filepath.Join(data, tt.file), "--dir", dir, "--json")
			if got.exit != tt.exit {
				t.Fatalf("exit %d (%s), want %d", got.exit, got.errw, tt.exit)
			}
			if tt.added < 0 {
				if got.out != "" || got.errw == "" {
					t.Errorf("a refused file: %v", got)
				}
				return
			}
			var r ops.RatesReport
			if err := json.Unmarshal([]byte(got.out), &r); err != nil {
				t.Fatal(err)
			}
			if r.Added != tt.added || r.Rejected != tt.rejected || r.Read != tt.added+tt.rejected || r.Applied != (tt.added > 0) {
				t.Errorf("%d read, %d added, %d rejected, applied %t, want %d added, %d rejected", r.Read, r.Added, r.Rejected, r.Applied, tt.added, tt.rejected)
			}
			if tt.added == 0 {
				return
			}
			again := run("", "import-rates", filepath.Join(data, tt.file), "--dir", dir)
			if want := fmt.Sprintf("0 added, 0 changed, %d same, %d rejected; removed from the deck: 0", tt.added, tt.rejected); !strings.Contains(again.out, want) {
				t.Errorf("the second time:\n%s\nwant %s", again.out, want)
			}
		})
	}
}

func TestRejectedLinesGoToAFile(t *testing.T) {
	const deck = "prefix,price\n44,0.06\n49,\"x\"\n1,y\n44,0.07\n"
	for _, door := range []string{"direct", "server"} {
		dir, files := t.TempDir(), t.TempDir()
		if door == "server" {
			serveAll(t, dir)
		}
		path := filepath.Join(files, "rejected.csv")
		for _, tt := range []struct {
			name, in string
			exit     int
			want     string
		}{
			{"none", "prefix,price\n44,0.06\n", 0, "line,reason\n"},
			{"some", deck, 3, "line,reason\n3,\"price \"\"x\"\" is not a number\"\n4,\"price \"\"y\"\" is not a number\"\n5,"},
			{"no list at all leaves the file", "", 1, "line,reason\n3,"},
			{"all", "prefix,price\n49,z\n", 1, "line,reason\n2,\"price \"\"z\"\" is not a number\"\n"},
		} {
			got := run(tt.in, "import-rates", "-", "--rejects", path, "--json", "--dir", dir)
			text, err := os.ReadFile(path)
			if got.exit != tt.exit || err != nil || !strings.HasPrefix(string(text), tt.want) {
				t.Errorf("%s, %s: exit %d, file %q, %v, want %d and %q; %s", door, tt.name, got.exit, text, err, tt.exit, tt.want, got.errw)
			}
		}
		if left, _ := os.ReadDir(files); len(left) != 1 {
			t.Errorf("%s: %d files are left, want 1", door, len(left))
		}
	}
}
