package ops

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"billd/rating"
	"billd/storage"
)

// station is a store with the commands on it.
type station struct {
	t   *testing.T
	env *Env
}

func newStation(t *testing.T) *station {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	db, err := OpenStore(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		var faults []string
		if err := db.Check(context.Background(), true, func(f string) { faults = append(faults, f) }); err != nil || len(faults) > 0 {
			t.Errorf("check: %v, %q", err, faults)
		}
		db.Close()
	})
	return &station{t, &Env{DB: db, Dir: dir, Actor: "test", Log: slog.New(slog.DiscardHandler)}}
}

// run runs a command and fails unless it ends with exit.
func (s *station) run(exit int, name, args, in string) (out string) {
	s.t.Helper()
	var o, e bytes.Buffer
	for _, c := range Commands() {
		if c.Name != name {
			continue
		}
		if got := c.Do(s.t.Context(), s.env, json.RawMessage(args), &IO{In: strings.NewReader(in), Out: &o, Err: &e}); got != exit {
			s.t.Fatalf("%s %s: exit %d, want %d; out %s, err %s", name, args, got, exit, o.String(), e.String())
		}
		return o.String()
	}
	s.t.Fatalf("no command %s", name)
	return ""
}

// balances lists what accounts hold.
func (s *station) balances() (list []string) {
	s.t.Helper()
	err := s.env.DB.View(s.t.Context(), func(tx *storage.Tx) error {
		return tx.Accounts.Each(0, func(a *rating.Account) (bool, error) {
			b, err := tx.AccountBalance(a)
			list = append(list, fmt.Sprintf("%s %s", a.Name, b))
			return true, err
		})
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

// busy is a store with priced calls, history, a duplicate, a held call and invoices.
func busy(t *testing.T) *station {
	s := newStation(t)
	s.run(ExitOK, "import-accounts", `{}`, "name,contractor,vat,balance,parent,invoice_contacts,external_id,doc\n"+
		"Northfield,North Ltd,20,100.5,,a@north.example,7,\"{\"\"x\"\": [1, 2]}\"\nHarbour,Harbour,0,-3,Northfield,,,\nCarrier,Carrier,0,,,,,\n")
	s.run(ExitOK, "import-rates", `{"deck":"default"}`, "prefix,price,interval_1,interval_n\n44,0.12,60,60\n4930,0.05,1,1\n")
	s.run(ExitPartly, "import-cdrs", `{}`, `{"time_start":"2026-03-05T10:00:00.123456Z","time_connect":"2026-03-05T10:00:02Z","time_end":"2026-03-05T10:02:00Z","account":"Northfield","dst":"442071838750","call_id":"a","source":"sw1","local_tag":"x,\"y\"\nz","metadata":{"k":[1,"ü"]}}
{"time_start":"2026-03-05T10:00:00.123456Z","duration":7,"account":"Harbour","dst":"49301","vendor_account":"Carrier"}
{"time_start":"2026-03-06T10:00:00Z","duration":0,"success":false,"account":"Harbour","dst":"999"}
{"time_start":"2026-03-06T10:00:00Z","duration":5,"account":"Harbour","dst":"999"}
`)
	s.run(ExitOK, "import-cdrs", `{"rated":true}`, "time_start,duration,account,dst,customer_price,customer_price_no_vat,call_id,success\n2026-02-01T00:00:00Z,60,Northfield,44,1.20,1.0,old-1,true\n")
	s.run(ExitOK, "invoice-run", `{"account":"Northfield","from":"2026-03-01","to":"2026-04-01"}`, "")
	s.run(ExitOK, "invoice-approve", `{"id":1}`, "")
	return s
}

func TestExportsComeBackExactly(t *testing.T) {
	a := busy(t)
	for _, format := range []string{"csv", "json"} {
		t.Run(format, func(t *testing.T) {
			args := fmt.Sprintf(`{"format":%q}`, format)
			b := newStation(t)
			accounts, cdrs := a.run(ExitOK, "export-accounts", args, ""), a.run(ExitOK, "export-cdrs", args, "")
			b.run(ExitOK, "import-accounts", `{}`, accounts)
			if got, want := b.balances(), a.balances(); strings.Join(got, "|") != strings.Join(want, "|") {
				t.Errorf("balances with accounts alone = %q, want %q", got, want)
			}
			for range 2 { // the second time nothing is new
				b.run(ExitOK, "import-accounts", `{}`, accounts)
				b.run(ExitOK, "import-cdrs", `{}`, cdrs)
				if got := b.run(ExitOK, "export-accounts", args, ""); got != accounts {
					t.Errorf("accounts come back as\n%s\nwant\n%s", got, accounts)
				}
				if got := b.run(ExitOK, "export-cdrs", args, ""); got != cdrs {
					t.Errorf("CDRs come back as\n%s\nwant\n%s", got, cdrs)
				}
				if got, want := b.balances(), a.balances(); strings.Join(got, "|") != strings.Join(want, "|") {
					t.Errorf("balances = %q, want %q", got, want)
				}
			}
			b.run(ExitOK, "import-rates", `{"deck":"default"}`, "prefix,price\n44,0.12\n")
			again := b.run(ExitOK, "import-cdrs", `{"json":true}`, `{"time_start":"2026-03-05T10:00:00.123456Z","time_connect":"2026-03-05T10:00:02Z","time_end":"2026-03-05T10:02:00Z","account":"Northfield","dst":"442071838750","call_id":"a","source":"sw1","local_tag":"x,\"y\"\nz","metadata":{"k":[1,"ü"]}}`)
			if !strings.Contains(again, `"duplicates": 1`) {
				t.Errorf("the switch's own record again = %s, want a duplicate", again)
			}
			invoices := a.run(ExitOK, "export-invoices", args, "")
			b.run(ExitOK, "import-invoices", `{}`, invoices)
			b.run(ExitOK, "import-invoices", `{}`, invoices)
			if got := b.run(ExitOK, "export-invoices", args, ""); got != invoices {
				t.Errorf("invoices come back as\n%s\nwant\n%s", got, invoices)
			}
		})
	}
}

func TestAnotherStoresCallsComeAsHistory(t *testing.T) {
	a := busy(t)
	b := newStation(t)
	b.run(ExitOK, "import-accounts", `{}`, "name,uuid\nOther,\n")
	b.run(ExitOK, "import-rates", `{"deck":"default"}`, "prefix,price\n44,0.12\n")
	b.run(ExitOK, "import-cdrs", `{}`, "time_start,duration,account,dst\n2026-03-05T10:00:00Z,61,Other,44\n")
	accounts, cdrs := a.run(ExitOK, "export-accounts", `{}`, ""), a.run(ExitOK, "export-cdrs", `{}`, "")
	b.run(ExitPartly, "import-accounts", `{}`, accounts) // the master's name is taken
	before := b.balances()
	for range 2 {
		b.run(ExitOK, "import-cdrs", `{}`, cdrs)
		if got := b.balances(); strings.Join(got, "|") != strings.Join(before, "|") {
			t.Errorf("balances = %q, want %q: history moves none", got, before)
		}
	}
	out := b.run(ExitOK, "export-cdrs", `{"account":"Northfield"}`, "")
	if n := strings.Count(out, ",history,"); n != 2 {
		t.Errorf("%d calls of history, want 2:\n%s", n, out)
	}
}
