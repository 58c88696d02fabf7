package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"billd/rating/cdrformat"
)

// timings are the figures of an import that no two runs share.
var timings = regexp.MustCompile(`\d+\.\d\d +\d+\n`)

func TestCallsThroughBothDoors(t *testing.T) {
	const held = `stdin: line 3: suspense 1: no_rate: no rate of account 2 matches 999
stdin: line 4: suspense 2: bad_record: line 4: duration "x": want a whole number
`
	const calls = "time_start,duration,account,dst,call_id\n2026-03-05T10:00:00Z,61,Northfield,4420,a\n2026-03-05T11:00:00Z,61,Northfield,999,b\n2026-03-05T12:00:00Z,x,Northfield,4420,c\n"
	steps := []struct {
		name, in string
		args     []string
		want     ended
	}{
		{"accounts", "name,vat,balance\nNorthfield,20,10\n,1,1\n", []string{"import-accounts", "-"},
			ended{3, "READ ADDED SAME REJECTED\n2 1 0 1\n", "stdin: line 3: name is missing\n"}},
		{"a deck", "prefix,price,interval_1,interval_n\n44,0.10,60,60\n", []string{"import-rates", "-"}, ended{exit: 0, out: "*"}},
		{"calls", calls, []string{"import-cdrs", "-"}, ended{3, "READ RATED FREE DUPLICATES SUSPENDED SECONDS CDR/S\n3 1 0 0 2 TIME", held}},
		{"the same calls again", calls, []string{"import-cdrs", "-"}, ended{3, "READ RATED FREE DUPLICATES SUSPENDED SECONDS CDR/S\n3 0 0 1 2 TIME", held}},
		{"a file that is none", "a,b\n1,2\n", []string{"import-cdrs", "-"}, ended{1, "", "billd: stdin: line 1: no column time_start: want a header with the names of CDR columns, or to be told the format, or by a map what the columns are\n"}},
		{"a format that is none", calls, []string{"import-cdrs", "-", "--format", "xml"}, ended{2, "", "billd: format \"xml\": want " + formatNames() + "\n"}},
		{"held calls", "", []string{"suspense", "list", "--reason", "no_rate"}, ended{0, "ID REASON START ACCOUNT DST CALL ID DETAIL\n1 no_rate 2026-03-05T11:00:00Z Northfield 999 b no rate of account 2 matches 999\n\nREASON HELD\nno_rate 1\nall 1\n", ""}},
		{"a retry without a rate", "", []string{"suspense", "retry", "1"}, ended{3, "TRIED RATED FREE DUPLICATES STILL HELD\n1 0 0 0 1\n", ""}},
		{"a wider and dearer deck", "prefix,price,interval_1,interval_n\n44,0.20,60,60\n9,0.50,60,60\n", []string{"import-rates", "-", "--effective", "2026-01-01"}, ended{exit: 0, out: "*"}},
		{"a retry with one", "", []string{"suspense", "retry"}, ended{3, "TRIED RATED FREE DUPLICATES STILL HELD\n2 1 0 0 1\n", ""}},
		{"a drop wants to know what", "", []string{"suspense", "drop"}, ended{2, "", "billd: suspense drop: want an ID, what picks, or --all\n"}},
		{"a drop", "", []string{"suspense", "drop", "2"}, ended{0, "1 dropped\n", ""}},
		{"a held call that is not there", "", []string{"suspense", "show", "2"}, ended{1, "", "billd: suspense 2 does not exist\n"}},
		{"what never came", "", []string{"gaps", "--from", "2026-03-01", "--to", "2026-04-01"}, ended{0, "SOURCE RECORDS FIRST LAST SILENCES NUMBERED MISSING\nimport 2 2026-03-05T10:00:00Z 2026-03-05T11:00:00Z 0 0 0\n", ""}},
		{"what rerating would do", "", []string{"rerate", "--dry-run"}, ended{0, "preview: 2 examined: 1 changed, 1 same, 0 history, 0 failed\n" +
			"ACCOUNT NAME CALLS WAS IS CHANGE POSTED CURRENCY\n2 Northfield 1 -0.24 -0.48 -0.24 0.0 EUR\n", ""}},
		{"what rerating a prefix would do", "", []string{"rerate", "--dry-run", "--prefix", "+9"}, ended{0, "preview: 1 examined: 0 changed, 1 same, 0 history, 0 failed\n", ""}},
		{"rerating a deck that is none", "", []string{"rerate", "--deck", "nosuch"}, ended{1, "", "billd: deck \"nosuch\" does not exist\n"}},
		{"rerating a prefix that is none", "", []string{"rerate", "--prefix", "44x"}, ended{2, "", "billd: prefix \"44x\": want digits\n"}},
		{"rerating", "", []string{"rerate", "--account", "Northfield", "--from", "2026-03-01", "--to", "2026-04-01"},
			ended{0, "rerated: 2 examined: 1 changed, 1 same, 0 history, 0 failed\nACCOUNT NAME CALLS WAS IS CHANGE POSTED CURRENCY\n2 Northfield 1 -0.24 -0.48 -0.24 0.0 EUR\n", "*"}},
		{"an invoice by hand", "", []string{"invoice", "run", "--account", "2", "--from", "2026-03-01", "--to", "2026-04-01"},
			ended{0, "ID ACCOUNT REFERENCE STATE TYPE FROM TO SPENT EARNED CURRENCY CALLS\n1 2 1 Pending Manual 2026-03-01T00:00:00Z 2026-04-01T00:00:00Z 1.68 0.0 EUR 2\n", ""}},
		{"half a period", "", []string{"invoice", "run", "--account", "2"}, ended{2, "", "billd: invoice run: want all of --account, --from and --to, or none\n"}},
		{"its approval", "", []string{"invoice", "approve", "1"}, ended{0, "*", ""}},
		{"its lines", "", []string{"invoice", "show", "1"}, ended{0, "*", ""}},
		{"nothing more is due", "", []string{"invoice", "run"}, ended{0, "0 invoices made\n", ""}},
		{"check", "", []string{"check"}, ended{exit: 0, out: "*"}},
	}
	dirs := map[string]string{"direct": t.TempDir(), "server": t.TempDir()}
	serveAll(t, dirs["server"])
	for door, dir := range dirs {
		t.Run(door, func(t *testing.T) {
			for _, s := range steps {
				got := run(s.in, append(s.args, "--dir", dir)...)
				got.out = columns.ReplaceAllString(timings.ReplaceAllString(got.out, "TIME"), " ")
				got.out = strings.ReplaceAll(got.out, " \n", "\n")
				if s.want.out == "*" {
					s.want.out = got.out
				}
				if s.want.errw == "*" || s.want.out == got.out && s.want == (ended{exit: 0, out: got.out}) {
					s.want.errw = got.errw
				}
				if got != s.want {
					t.Errorf("%s: %v, want %v", s.name, got, s.want)
				}
			}
		})
	}
}

// TestHalvesOfCallsThroughBothDoors imports an INVITE and a BYE in files of their own.
func TestHalvesOfCallsThroughBothDoors(t *testing.T) {
	const header = "method\tfrom_tag\tto_tag\tcallid\tsip_code\ttime\tsrc_user\tdst_ouser\taccount\n"
	steps := []struct {
		name, in string
		args     []string
		want     ended
	}{
		{"a deck", "prefix,price,interval_1,interval_n\n44,0.10,60,60\n", []string{"import-rates", "-"}, ended{exit: 0, out: "*"}},
		{"INVITEs", header + "INVITE\ta\tb\tx\t200\t2026-03-05 10:00:00\t1001\t4420\tmaster\nINVITE\ta\tb\ty\t200\t2026-03-05 11:00:00\t1001\t4420\tmaster\n", []string{"import-cdrs", "-", "--format", "kamailio"},
			ended{0, "READ RATED FREE DUPLICATES SUSPENDED SECONDS CDR/S\n2 0 0 0 0 TIME", "stdin: 2 wait for their INVITE or BYE, see billd cdr waiting\n"}},
		{"one's BYE", header + "BYE\tb\ta\tx\t200\t2026-03-05 10:01:01\t\t\t\n", []string{"import-cdrs", "-", "--format", "kamailio"}, ended{0, "READ RATED FREE DUPLICATES SUSPENDED SECONDS CDR/S\n1 1 0 0 0 TIME", ""}},
		{"what waits", "", []string{"cdr", "waiting"}, ended{0, "ID SOURCE CALL MISSING TIME HEARD TO SUSPENSE\n2 kamailio y/a/b BYE AT AT AT\n", ""}},
		{"what waits of another source", "", []string{"cdr", "waiting", "--source", "opensips"}, ended{0, "ID SOURCE CALL MISSING TIME HEARD TO SUSPENSE\n", ""}},
		{"check", "", []string{"check"}, ended{0, "the store is sound\n", ""}},
	}
	dirs := map[string]string{"direct": t.TempDir(), "server": t.TempDir()}
	serveAll(t, dirs["server"])
	for door, dir := range dirs {
		t.Run(door, func(t *testing.T) {
			for _, s := range steps {
				got := run(s.in, append(s.args, "--dir", dir)...)
				got.out = columns.ReplaceAllString(instants.ReplaceAllString(timings.ReplaceAllString(got.out, "TIME"), "AT"), " ")
				if got.out = strings.ReplaceAll(got.out, " \n", "\n"); s.want.out == "*" {
					s.want.out, s.want.errw = got.out, got.errw
				}
				if got != s.want {
					t.Errorf("%s: %v, want %v", s.name, got, s.want)
				}
			}
		})
	}
}

func TestExportsAreFilesForTheOtherDoor(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	serveAll(t, to)
	run("name,vat,balance\nNorthfield,20,10\n", "import-accounts", "-", "--dir", from)
	run("prefix,price\n44,0.10\n", "import-rates", "-", "--dir", from)
	run("time_start,duration,account,dst\n2026-03-05T10:00:00Z,61,Northfield,4420\n", "import-cdrs", "-", "--dir", from)
	for _, what := range []string{"accounts", "cdrs", "invoices"} {
		export := run("", "export-"+what, "--dir", from, "--json")
		file := filepath.Join(t.TempDir(), "export.json")
		if err := os.WriteFile(file, []byte(export.out), 0o600); err != nil {
			t.Fatal(err)
		}
		if export.out == "" && what == "invoices" {
			continue // there are none
		}
		if got := run("", "import-"+what, file, "--dir", to); export.exit != 0 || got.exit != 0 {
			t.Errorf("export-%s: %v, import: %v", what, export, got)
		}
		if got := run("", "export-"+what, "--dir", to, "--json"); got != export {
			t.Errorf("export-%s = %v, want %v", what, got, export)
		}
	}
}

// formatNames lists the formats of call records in a sentence.
func formatNames() string {
	var names []string
	for _, f := range cdrformat.Formats() {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}
