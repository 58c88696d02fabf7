package storage

import (
	"context"
	"errors"
	"testing"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// waiting counts an account's late calls by the invoice that took them, 0 for none yet.
func (s *sampleStore) waiting(a *rating.Account) map[uint64]int {
	n := map[uint64]int{}
	s.view(func(tx *Tx) error {
		return tx.eachLate(a.ID, func(_ rating.CDRID, in uint64) error {
			n[in]++
			return nil
		})
	})
	return n
}

func TestALateCallIsOnOneInvoice(t *testing.T) {
	day := testClock.Truncate(24 * time.Hour)
	ctx := context.Background()
	for _, tt := range []struct {
		name string
		do   func(t *testing.T, s *sampleStore)
	}{
		{"an invoice made anew takes the calls that came late for it", func(t *testing.T, s *sampleStore) {
			s.charge([]Record{s.call(day.Add(-10*time.Hour), "late for the second", "Northfield", "441619876543", 60)})
			if n := s.waiting(s.customer); n[0] != 1 {
				t.Errorf("waiting calls = %v, want one", n)
			}
			was := s.second.Originated.Calls
			inv, err := s.RefillInvoice(ctx, s.second.ID)
			if err != nil {
				t.Fatal(err)
			}
			if inv.Originated.Calls != was+1 {
				t.Errorf("calls = %d, want %d", inv.Originated.Calls, was+1)
			}
			if n := s.waiting(s.customer); n[0] != 0 {
				t.Errorf("waiting calls = %v, want none", n)
			}
		}},
		{"a period invoiced again leaves out what a later invoice took", func(t *testing.T, s *sampleStore) {
			*s.clock = s.clock.Add(24 * time.Hour)
			s.charge([]Record{s.call(day.Add(-10*time.Hour), "late for the second", "Northfield", "441619876543", 60)})
			third := s.invoice(s.customer, rating.InvoiceAutoFull, day, day.Add(24*time.Hour))
			if third.Originated.Calls != 1 {
				t.Errorf("third invoice = %d calls, want the late one", third.Originated.Calls)
			}
			was := s.second.Originated.Calls
			s.update(func(tx *Tx) error { return tx.DeleteInvoice(s.second.ID) })
			clean(t, s.DB)
			again := s.invoice(s.customer, rating.InvoiceAutoFull, day.Add(-24*time.Hour), day)
			if again.Originated.Calls != was {
				t.Errorf("second invoice again = %d calls, want %d", again.Originated.Calls, was)
			}
		}},
		{"a call that comes between reading and writing is there once, though the writing runs twice", func(t *testing.T, s *sampleStore) {
			*s.clock = s.clock.Add(24 * time.Hour)
			var third *rating.Invoice
			s.update(func(tx *Tx) (err error) {
				third, err = tx.CreateInvoice(s.customer, rating.InvoiceAutoFull, rating.Period{Start: day, End: day.Add(24 * time.Hour)})
				return err
			})
			draft, err := s.draftInvoice(ctx, third.ID)
			if err != nil {
				t.Fatal(err)
			}
			s.charge([]Record{s.call(day.Add(time.Hour), "while it was read", "Northfield", "441619876543", 60)})
			write := func(tx *Tx) error {
				inv, err := tx.Invoices.Get(third.ID)
				if err != nil {
					return err
				}
				return tx.writeInvoice(inv, draft)
			}
			again := errors.New("again")
			if err := s.Update(ctx, func(tx *Tx) error { return errors.Join(write(tx), again) }); !errors.Is(err, again) || rating.KindOf(err) == rating.Conflict {
				t.Fatal(err)
			}
			s.update(write)
			s.view(func(tx *Tx) (err error) { third, err = tx.Invoices.Get(third.ID); return err })
			if third.Originated.Calls != 1 {
				t.Errorf("third invoice = %d calls, want 1", third.Originated.Calls)
			}
		}},
		{"two drafts do not take the same late call", func(t *testing.T, s *sampleStore) {
			*s.clock = s.clock.Add(48 * time.Hour)
			s.charge([]Record{s.call(day.Add(-10*time.Hour), "late for the second", "Northfield", "441619876543", 60)})
			var third, fourth *rating.Invoice
			s.update(func(tx *Tx) (err error) {
				if third, err = tx.CreateInvoice(s.customer, rating.InvoiceAutoFull, rating.Period{Start: day, End: day.Add(24 * time.Hour)}); err != nil {
					return err
				}
				fourth, err = tx.CreateInvoice(s.customer, rating.InvoiceAutoFull, rating.Period{Start: day.Add(24 * time.Hour), End: day.Add(48 * time.Hour)})
				return err
			})
			draft, err := s.draftInvoice(ctx, third.ID)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.FillInvoice(ctx, fourth.ID); err != nil {
				t.Fatal(err)
			}
			s.view(func(tx *Tx) error {
				if !draft.stale(tx, s.customer.ID) {
					t.Error("the draft is taken as good, want it stale")
				}
				return nil
			})
			if third, err = s.FillInvoice(ctx, third.ID); err != nil || third.Originated.Calls != 0 {
				t.Errorf("third invoice = %d calls, %v, want none", third.Originated.Calls, err)
			}
		}},
		{"bounds finer than calls are numbered do not put one on two invoices", func(t *testing.T, s *sampleStore) {
			edge := day.Add(-60*time.Hour + 500*time.Microsecond)
			s.charge([]Record{s.call(edge.Add(100*time.Microsecond), "edge", "Tiny", "441619876543", 60)})
			one := s.invoice(s.tiny, rating.InvoiceManual, edge.Add(-time.Hour), edge)
			two := s.invoice(s.tiny, rating.InvoiceManual, edge, edge.Add(time.Hour))
			if got := one.Originated.Calls + two.Originated.Calls; got != 1 {
				t.Errorf("the call is on %d invoices, want 1", got)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := openSample(t)
			tt.do(t, s)
			clean(t, s.DB)
		})
	}
}

func TestAnInvoiceThatCannotBeFilledHoldsUpNoOther(t *testing.T) {
	s := openSample(t)
	day := testClock.Truncate(24 * time.Hour)
	var bad, good *rating.Invoice
	s.update(func(tx *Tx) (err error) {
		p := rating.Period{Start: day.Add(-96 * time.Hour), End: day.Add(-72 * time.Hour)}
		if bad, err = tx.CreateInvoice(s.tiny, rating.InvoiceManual, p); err != nil {
			return err
		}
		if good, err = tx.CreateInvoice(s.customer, rating.InvoiceManual, p); err != nil {
			return err
		}
		return tx.Txn.Put(bCDRCustomer, kv.Key(nil).U64(uint64(s.tiny.ID)).U64(uint64(rating.MakeCDRID(p.Start.UnixMilli(), 9))), nil)
	})
	filled, err := s.FillNew(context.Background())
	if err == nil || len(filled) != 1 || filled[0].ID != good.ID {
		t.Errorf("FillNew = %d filled, %v, want invoice %d and an error about %d", len(filled), err, good.ID, bad.ID)
	}
}
