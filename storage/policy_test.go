package storage

import (
	"context"
	"testing"
	"time"

	"billd/rating"
)

// TestARateFollowsTheVendorsThroughTheStore charges on a rate with a margin on the vendor's, reads the rate
// back through a restart of its index, and rerates the call when the vendor's price changes.
func TestARateFollowsTheVendorsThroughTheStore(t *testing.T) {
	db := openTest(t)
	a := customer(t, db)
	carrier := &rating.Account{Name: "Carrier", Contractor: 1}
	var dialpeer *rating.Rate
	put := func(price rating.Price) {
		t.Helper()
		if err := db.Update(context.Background(), func(tx *Tx) error {
			dialpeer.Terms = rating.Terms{First: rating.Step{Seconds: 60, Price: price}, Next: rating.Step{Seconds: 60, Price: price}}
			return tx.Rates.Put(dialpeer)
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Update(context.Background(), func(tx *Tx) error {
		if err := tx.CreateAccount(carrier); err != nil {
			return err
		}
		deck, err := tx.DialpeerDeck(carrier)
		if err != nil {
			return err
		}
		dialpeer = &rating.Rate{Deck: deck.ID, Prefix: "442"}
		own := rating.Step{Seconds: 60, Price: 900_000_000}
		return tx.Rates.Put(&rating.Rate{Deck: rating.DefaultDeck, Prefix: "44", Terms: rating.Terms{First: own, Next: own},
			Extra: rating.RateExtra{RatePolicy: rating.PolicyVendor, DPMarginPercent: "0.5"}})
	}); err != nil {
		t.Fatal(err)
	}
	put(200_000_000)
	charge := func(id string) rating.Verdict {
		t.Helper()
		var c rating.Call
		c.SetTime(rating.CDRTimeStart, testClock.Add(-time.Hour))
		c.SetInt(rating.CDRDuration, 60)
		c.SetText(rating.CDRCallID, id)
		c.SetText(rating.CDRSource, "test")
		c.SetText(rating.CDRDstPrefixRouting, "4420")
		c.AccountRef, c.VendorRef = "Northfield", "Carrier"
		v, err := db.ChargeNow(context.Background(), []Record{{Call: &c}})
		if err != nil {
			t.Fatal(err)
		}
		return v[0]
	}
	if got, want := charge("a").Price.String(), "0.36"; got != want { // 0.2 · 1.5 and 20 % VAT
		t.Errorf("price = %s, want %s", got, want)
	}
	put(400_000_000)
	n, err := db.Rerate(context.Background(), RerateSpan{CallSpan: CallSpan{From: testClock.Add(-24 * time.Hour), Till: testClock}}, false, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := balanceOf(t, db, a), "-0.72"; got != want {
		t.Errorf("after rerating %+v the balance is %s, want %s", n, got, want)
	}
	if got, want := balanceOf(t, db, carrier), "0.4"; got != want {
		t.Errorf("after rerating the vendor has %s, want %s", got, want)
	}
	faults := 0
	if err := db.Check(context.Background(), true, func(fault string) { faults++; t.Error(fault) }); err != nil || faults > 0 {
		t.Errorf("check: %d faults, %v", faults, err)
	}
}
