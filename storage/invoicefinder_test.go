package storage

import (
	"testing"
	"time"

	"billd/rating"
)

// TestTheInvoiceFinderAgreesWithTheInvoiceOfEachCall asks both of every call of the sample, on both
// sides, and of moments around the bounds of its invoices.
func TestTheInvoiceFinderAgreesWithTheInvoiceOfEachCall(t *testing.T) {
	s := openSample(t)
	found := map[uint64]int{}
	s.view(func(tx *Tx) error {
		find := tx.InvoiceFinder()
		agree := func(a rating.AccountID, c *rating.CDR) {
			want, err := tx.InvoiceOf(a, c)
			if err != nil {
				t.Fatal(err)
			}
			got, err := find.Of(a, c.ID, c.Int(rating.CDRTimeStart))
			if err != nil || got != want {
				t.Errorf("call %d at %v of account %d: invoice %d, %v, want %d", c.ID, c.Time(rating.CDRTimeStart), a, got, err, want)
			}
			found[got]++
		}
		err := tx.EachCall(t.Context(), &CallSearch{}, func(row *CallRow) (bool, error) {
			var c rating.CDR
			if err := row.Decode(&c); err != nil {
				return false, err
			}
			for _, a := range []rating.AccountID{c.Customer(), c.Vendor()} {
				if a != 0 {
					agree(a, &c)
				}
			}
			return true, nil
		})
		for _, inv := range []*rating.Invoice{s.first, s.second} {
			for _, at := range []time.Time{inv.Start.Add(-time.Millisecond), inv.Start, inv.End.Add(-time.Millisecond), inv.End} {
				var c rating.CDR
				c.SetTime(rating.CDRTimeStart, at)
				agree(inv.Account, &c)
			}
		}
		return err
	})
	if found[0] == 0 || found[s.first.ID] == 0 || found[s.second.ID] == 0 {
		t.Errorf("calls by invoice = %v, want some on none and on both", found)
	}
}
