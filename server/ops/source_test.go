package ops

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"billd/rating"
	"billd/storage"
)

const sourceRows = `"77","030123456","0044 20 71838750","internal","c","PJSIP/trunk1-0000001a","e","Dial","x","2026-01-05 10:00:00","2026-01-05 10:00:05","2026-01-05 10:00:15",15,10,"ANSWERED","DOCUMENTATION","1.1",""
"77","030123456","0044 20 71838750","internal","c","PJSIP/trunk1-0000001a","e","Dial","x","2026-01-05 10:00:00","2026-01-05 10:00:05","2026-01-05 10:00:15",15,10,"ANSWERED","DOCUMENTATION","1.1",""
"77","030123456","00999","internal","c","PJSIP/trunk1-0000001a","e","Dial","x","2026-01-05 10:00:00","2026-01-05 10:00:05","2026-01-05 10:00:15",15,10,"ANSWERED","DOCUMENTATION","1.3",""
"77","030123456","0044","from-test","c","PJSIP/trunk1-0000001a","e","Dial","x","2026-01-05 10:00:00","2026-01-05 10:00:05","2026-01-05 10:00:15",15,10,"ANSWERED","DOCUMENTATION","1.4",""
"77","030123456","0044","internal","c","d","e","Dial","x","2026-01-05 10:00:00","2026-01-05 10:00:05","2026-01-05 10:00:15",15,-1,"ANSWERED","DOCUMENTATION","1.5",""
`

// sourceStore is a store with an account, a rate and a source.
func sourceStore(t *testing.T) *Env {
	t.Helper()
	db, err := OpenStore(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	err = db.Update(t.Context(), func(tx *storage.Tx) error {
		if err := tx.CreateAccount(&rating.Account{Name: "acme", Contractor: 1}); err != nil {
			return err
		}
		step := rating.Step{Seconds: 60, Price: 60_000_000}
		return tx.Rates.Put(&rating.Rate{Deck: rating.DefaultDeck, Prefix: "44", Name: "Britain", Terms: rating.Terms{First: step, Next: step}})
	})
	if err != nil {
		t.Fatal(err)
	}
	env := &Env{DB: db}
	runSource(t, env, addSource, SourceArgs{Name: "pbx", Set: map[string][]string{"format": {"asterisk-csv"}, "zone": {"Europe/Berlin"}, "skip": {"dcontext=from-test"},
		"called": {"country DE"}, "caller": {"country DE"}, "pay": {"code 77 = acme"}}})
	return env
}

// ioTo are streams that read in and print to out.
func ioTo(out *bytes.Buffer, in string) *IO {
	o := (&IO{In: strings.NewReader(in), Out: out}).filled()
	return &o
}

// runSource runs a command and returns what it prints.
func runSource[A any](t *testing.T, env *Env, op func(ctx context.Context, env *Env, args A, o *IO) (int, error), args A) string {
	t.Helper()
	var out bytes.Buffer
	if code, err := op(t.Context(), env, args, ioTo(&out, "")); err != nil || code != ExitOK {
		t.Fatalf("exit %d, %v", code, err)
	}
	return out.String()
}

func TestASourceIsAddedChangedAndDeleted(t *testing.T) {
	env := sourceStore(t)
	if _, err := addSource(t.Context(), env, SourceArgs{Name: "pbx"}, ioTo(&bytes.Buffer{}, "")); rating.KindOf(err) != rating.Conflict {
		t.Errorf("added twice: %v, want a conflict", err)
	}
	got := runSource(t, env, setSource, SourceArgs{Name: "pbx", Set: map[string][]string{"zone": {}, "pay": {"ip 192.0.2.1 = 2", "auths"}, "map": {"userfield=account"}}})
	for _, want := range []string{"revision  2", "format    asterisk-csv", "map       userfield=account", "called    country DE", "pay       ip 192.0.2.1/32 = 2", "pay       auths"} {
		if !strings.Contains(got, want) {
			t.Errorf("set printed\n%s\nwant %q", got, want)
		}
	}
	if strings.Contains(got, "Berlin") {
		t.Errorf("the zone is still there:\n%s", got)
	}
	for _, tt := range []struct{ name, field, value, want string }{
		{"a format that is none", "format", "csvv", "want auto"},
		{"a zone that is none", "zone", "Mars", "want the name of a time zone"},
		{"a condition that is none", "skip", "x", "condition"},
		{"a rule that is none", "called", "lose 9", "number rule"},
		{"an account that is not", "pay", "all = nobody", "nobody"},
		{"a map to nothing", "map", "a=b", "no column"},
		{"a field that is none", "colour", "red", "no field of a source"},
	} {
		if _, err := setSource(t.Context(), env, SourceArgs{Name: "pbx", Set: map[string][]string{tt.field: {tt.value}}}, ioTo(&bytes.Buffer{}, "")); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
	runSource(t, env, deleteSource, SourceArgs{Name: "pbx"})
	if got := runSource(t, env, listSources, SourceArgs{JSON: true}); strings.TrimSpace(got) != "[]" {
		t.Errorf("sources = %s, want none", got)
	}
}

// TestAFileIsExplainedAndThenCharged explains a file by its source, stores nothing by that, charges it, and explains
// a stored call the same.
func TestAFileIsExplainedAndThenCharged(t *testing.T) {
	env := sourceStore(t)
	explained := func() ExplainedFile {
		t.Helper()
		var out bytes.Buffer
		args := ExplainCDRArgs{File: ImportCDRsArgs{Source: "pbx", Input: Input{Name: "Master.csv"}}, JSON: true}
		if code, err := explainCDR(t.Context(), env, args, ioTo(&out, sourceRows)); err != nil || code != ExitOK {
			t.Fatalf("exit %d, %v", code, err)
		}
		var f ExplainedFile
		if err := json.Unmarshal(out.Bytes(), &f); err != nil {
			t.Fatal(err)
		}
		return f
	}
	f := explained()
	if f.Format != "asterisk-csv" || f.Why != "said by source pbx" || f.Zone != "Europe/Berlin" || len(f.Records) != 5 {
		t.Fatalf("explained %d records as %s, %s, of %s", len(f.Records), f.Format, f.Why, f.Zone)
	}
	first := f.Records[0]
	if got := first.headline(); got != "record 1: rated, 0.06 EUR" {
		t.Errorf("the first is %q", got)
	}
	if n := first.Numbers; len(n) != 2 || n[0].Rated != "442071838750" || n[1].Rated != "4930123456" || n[0].Rules[0] != (ExplainedRule{"country DE", "0044 20 71838750", "442071838750"}) {
		t.Errorf("numbers = %+v", n)
	}
	if first.Payer == nil || first.Payer.Name != "acme" || first.Payer.Rule != "code 77" || first.Payer.Profile != "pbx, revision 1" || first.Gateway != "trunk1" {
		t.Errorf("payer = %+v, gateway %q", first.Payer, first.Gateway)
	}
	if first.Start.Format("15:04") != "09:00" || first.Rate == nil || first.Rate.Name != "Britain" || len(first.Rate.Steps) == 0 {
		t.Errorf("start %v, rate %+v", first.Start, first.Rate)
	}
	if len(first.Said) < 10 || first.Said[0] != (SaidColumn{"accountcode", "account", "77"}) {
		t.Errorf("said = %+v", first.Said)
	}
	for i, want := range []string{"duplicate", "suspended no_rate", " skip", "suspended bad_record"} {
		r := f.Records[i+1]
		got := strings.TrimSpace(r.Outcome + " " + r.Reason)
		if r.Skipped != "" {
			got = " skip"
		}
		if got != want {
			t.Errorf("record %d is %q, want %q", i+2, got, want)
		}
	}
	var out bytes.Buffer
	if code, err := importCDRs(t.Context(), env, ImportCDRsArgs{Source: "pbx", JSON: true, Input: Input{Name: "Master.csv"}}, ioTo(&out, sourceRows)); err != nil || code != ExitPartly {
		t.Fatalf("exit %d, %v", code, err)
	}
	if !strings.Contains(out.String(), `"rated":1`) && !strings.Contains(out.String(), `"rated": 1`) {
		t.Errorf("imported %s, want one call rated: explaining stores nothing", out.String())
	}
	again := explained().Records[0]
	if again.Outcome != "duplicate" || again.Earlier == "" {
		t.Fatalf("explained again = %+v, want a duplicate", again)
	}
	var id rating.CDRID
	if err := json.Unmarshal([]byte(again.Earlier), &id); err != nil {
		t.Fatal(err)
	}
	stored, err := ExplainStored(t.Context(), env, id)
	if err != nil {
		t.Fatal(err)
	}
	if stored.Payer.Rule != "code 77" || stored.Payer.Profile != "pbx, revision 1" || stored.Price.String() != "0.06" || len(stored.Numbers) != 2 || len(stored.Numbers[0].Rules) != 1 || stored.Rate.Name != "Britain" || stored.Gateway != "trunk1" {
		t.Errorf("stored = %+v, payer %+v", stored, stored.Payer)
	}
	runSource(t, env, setSource, SourceArgs{Name: "pbx", Set: map[string][]string{"called": {"strip 00"}}})
	if stored, err = ExplainStored(t.Context(), env, id); err != nil || len(stored.Notes) == 0 || !strings.Contains(stored.Notes[0], "is at revision 2, the call was matched by 1") {
		t.Errorf("after a change = %+v, %v", stored, err)
	}
}

func TestASourceIsTestedWithANumber(t *testing.T) {
	env := sourceStore(t)
	got := runSource(t, env, testSource, TestSourceArgs{Name: "pbx", Number: "+44 20 7183 8750", Account: "77", Seconds: 61})
	for _, want := range []string{"rated, 0.12 EUR", "country DE", "442071838750", "by code 77", "deck default"} {
		if !strings.Contains(got, want) {
			t.Errorf("test printed\n%s\nwant %q", got, want)
		}
	}
	if got := runSource(t, env, testSource, TestSourceArgs{Name: "pbx", Number: "+44", Account: "78"}); !strings.Contains(got, "kept in suspense, no_account: no rule of source pbx tells who pays") {
		t.Errorf("an account code of nobody:\n%s", got)
	}
}
