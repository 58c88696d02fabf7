package storage

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"billd/rating"
)

// impactOf prepares an import and returns its impact as text.
func impactOf(t *testing.T, db *DB, o RateImportOptions, list string) string {
	t.Helper()
	if o.Deck == "" {
		o.Deck = "default"
	}
	im, err := db.NewRateImport(t.Context(), o, func(int, string) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range parseList(t, list) {
		if err := im.Add(row); err != nil {
			t.Fatal(err)
		}
	}
	quiet := func(int64, int64) {}
	if _, err := im.Compare(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	i, err := im.Impact(t.Context(), 30*24*time.Hour, quiet)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d calls, %d lost, %d won: %s to %s\n", i.Calls, i.Examined, i.Unpriced, i.NewlyPriced, i.Old, i.New)
	for _, a := range i.Accounts {
		fmt.Fprintf(&b, "%s %d: %s to %s\n", a.Name, a.Calls, a.Old, a.New)
	}
	for _, d := range i.Destinations {
		fmt.Fprintf(&b, "%s %s %d: %s to %s\n", d.Prefix, d.Name, d.Calls, d.Old, d.New)
	}
	return strings.TrimSpace(b.String())
}

func TestImpactIsWhatTheListWouldHaveChanged(t *testing.T) {
	db := openTest(t)
	err := db.Update(t.Context(), func(tx *Tx) error {
		for _, a := range []*rating.Account{{Name: "Taxed", Contractor: 1, VAT: 20_000_000}, {Name: "Plain", Contractor: 1}, {Name: "Carrier", Contractor: 1}} {
			if err := tx.CreateAccount(a); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	importList(t, db, RateImportOptions{Mode: Replace}, parseList(t, "44 0.1 name UK\n4420 0.2 name London\n49 0.5\n33 0.3"))
	var vendor rating.AccountID
	err = db.View(t.Context(), func(tx *Tx) error {
		a, err := tx.AccountByRef("Carrier")
		vendor = a.ID
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	importList(t, db, RateImportOptions{Deck: "carrier", Mode: Replace, Vendor: &vendor}, parseList(t, "44 0.05"))
	q := NewIngest(db)
	defer q.Stop()
	var records []Record
	for i, c := range []struct {
		account, number string
		ago             time.Duration
	}{
		{"Taxed", "442079460000", time.Hour}, {"Taxed", "447700900000", 24 * time.Hour}, {"Plain", "447700900000", 29 * 24 * time.Hour},
		{"Plain", "4930", 2 * time.Hour}, {"Plain", "3310", 3 * time.Hour}, {"Plain", "447700900001", 31 * 24 * time.Hour},
	} {
		call := &rating.Call{AccountRef: c.account, VendorRef: "Carrier"}
		call.SetTime(rating.CDRTimeStart, testClock.Add(-c.ago))
		call.SetInt(rating.CDRDuration, 60)
		call.SetText(rating.CDRCallID, fmt.Sprint("c", i))
		call.SetText(rating.CDRDstPrefixRouting, c.number)
		records = append(records, Record{Call: call})
	}
	for _, record := range records {
		if _, err := q.Submit(context.Background(), []Record{record}); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name, list string
		o          RateImportOptions
		want       string
	}{
		{"prices that rise, and one that ends", "44 0.2\n4420 0.2\n49 0.5", RateImportOptions{Mode: Replace},
			"5 of 5 calls, 1 lost, 0 won: 1.26 to 1.18\nPlain 3: 0.9 to 0.7\nTaxed 2: 0.36 to 0.48\n33  1: 0.3 to 0.0\n44 UK 2: 0.22 to 0.44\n49  1: 0.5 to 0.5\n4420 London 1: 0.24 to 0.24"},
		{"an update from a later day", "4420 0.25 from 20 name City", RateImportOptions{Mode: Merge},
			"5 of 5 calls, 0 lost, 0 won: 1.26 to 1.32\nTaxed 2: 0.36 to 0.42\nPlain 3: 0.9 to 0.9\n4420 City 1: 0.24 to 0.3\n49  1: 0.5 to 0.5\n33  1: 0.3 to 0.3\n44 UK 2: 0.22 to 0.22"},
		{"a new prefix under one that is there", "4477 0.4", RateImportOptions{Mode: Merge},
			"5 of 5 calls, 0 lost, 0 won: 1.26 to 1.92\nTaxed 2: 0.36 to 0.72\nPlain 3: 0.9 to 1.2\n4477  2: 0.22 to 0.88\n49  1: 0.5 to 0.5\n33  1: 0.3 to 0.3\n4420 London 1: 0.24 to 0.24"},
		{"what a vendor is paid", "44 0.07", RateImportOptions{Deck: "carrier", Mode: Replace},
			"3 of 5 calls, 0 lost, 0 won: 0.15 to 0.21\nCarrier 3: 0.15 to 0.21\n44  3: 0.15 to 0.21"},
		{"a deck that is new", "44 9", RateImportOptions{Deck: "fresh", Mode: Replace}, "0 of 0 calls, 0 lost, 0 won: 0.0 to 0.0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := dump(t, db, "default")
			if got := impactOf(t, db, tt.o, tt.list); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			if dump(t, db, "default") != before {
				t.Error("looking changed the deck")
			}
		})
	}
	clean(t, db)
}
