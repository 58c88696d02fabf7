package storage

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"billd/rating"
	"billd/storage/kv"
)

func sideName(s rating.Side) string {
	if s == rating.VendorSide {
		return "vendor"
	}
	return "customer"
}

func tallyText(t rating.Tally) string {
	return fmt.Sprintf("%d calls, %d answered, %d s, billed %d s, net %s, tax %s", t.Calls, t.Answered, t.Seconds, t.Billed, t.Net, t.Tax)
}

// invoices compares each filled invoice of billd's own with its lines, and those with its calls and
// postings. Imported ones keep what they came with; only their references are checked.
func (c *checker) invoices() (err error) {
	c.tx.Invoices.EachSound(func(inv *rating.Invoice) {
		if err == nil {
			err = c.ctx.Err()
		}
		if err != nil {
			return
		}
		c.refer("invoice", inv.ID, "account", uint64(inv.Account), c.tx.Accounts.Has)
		if a := c.accounts[inv.Account]; a != nil && inv.Origin == rating.Own {
			err = c.invoice(inv, a)
		}
	})
	return err
}

// invoice checks one of billd's own; its error is the context's.
func (c *checker) invoice(inv *rating.Invoice, a *rating.Account) error {
	got := c.linesOf(inv.ID)
	if inv.State == rating.InvoiceNew {
		if len(got) > 0 {
			c.fault("invoice %d: not filled yet, but has %d lines", inv.ID, len(got))
		}
		return nil
	}
	if inv.End.After(a.InvoicedTill) {
		c.fault("invoice %d: ends after what account %d is marked as invoiced till, so late calls are not seen", inv.ID, a.ID)
	}
	sum, err := c.tx.resum(c.ctx, inv)
	again := *inv
	var want []*rating.InvoiceLine
	if err == nil {
		want, err = sum.Lines(&again)
	}
	if err != nil {
		c.fault("invoice %d: its calls and postings cannot be summed: %v", inv.ID, err)
		return c.ctx.Err()
	}
	if !again.Same(inv) {
		c.fault("invoice %d: spent %s, earned %s, %d calls, %d services; its calls and postings make %s, %s, %d, %d", inv.ID,
			inv.Spent, inv.Earned, inv.Originated.Calls+inv.Terminated.Calls, inv.ServiceCount,
			again.Spent, again.Earned, again.Originated.Calls+again.Terminated.Calls, again.ServiceCount)
	}
	c.compareLines(inv, got, want)
	c.invoiceData(inv, sum)
	c.rounding(inv)
	return nil
}

// linesOf reads an invoice's lines that decode, in order.
func (c *checker) linesOf(invoice uint64) (lines []*rating.InvoiceLine) {
	under := kv.Key(nil).U64(invoice)
	cur := c.tx.Txn.Cursor(bInvoiceLineInvoice)
	for k, _ := cur.Seek(under); len(k) > 8 && string(k[:8]) == string(under); k, _ = cur.Next() {
		if l, err := c.tx.Lines.Get(kv.ID(k)); err == nil {
			lines = append(lines, l)
		}
	}
	return lines
}

func (c *checker) compareLines(inv *rating.Invoice, got, want []*rating.InvoiceLine) {
	if len(got) != len(want) {
		c.fault("invoice %d: %d lines, its calls and postings make %d", inv.ID, len(got), len(want))
		return
	}
	for i, l := range want {
		l.ID = got[i].ID
		if g, w := lineText(got[i]), lineText(l); g != w {
			c.fault("invoice %d: line %d is %s; its calls and postings make %s", inv.ID, l.ID, g, w)
		}
	}
}

// lineText spells every figure of a line, so that two lines are the same when their texts are.
func lineText(l *rating.InvoiceLine) string {
	return fmt.Sprintf("kind %d, account %d, prefix %s, country %s, network %s, service %s %s, rate %s, spent %t, amount %s over %s calls (%s answered), %s s, billed %s s, from %s to %s",
		l.Kind, l.Account, value(l.Prefix), value(l.Country), value(l.Network), value(l.Service), value(l.Text), value(l.Rate), l.Spent, value(l.Amount), value(l.Calls),
		value(l.Successful), value(l.Duration), value(l.BillingDuration), value(l.FirstCall), value(l.LastCall))
}

func value[T any](p *T) string {
	if p == nil {
		return "null"
	}
	return fmt.Sprint(*p)
}

// rounding checks that approving posted the difference between exact sum and paper, once.
func (c *checker) rounding(inv *rating.Invoice) {
	if inv.State != rating.InvoiceApproved {
		return
	}
	if inv.Number == 0 {
		c.fault("invoice %d: approved without a number", inv.ID)
	}
	diff, err := roundingOf(inv)
	if err != nil {
		c.fault("invoice %d: %v", inv.ID, err)
		return
	}
	got := rating.Money(0)
	if p, err := c.tx.Postings.Find(bPostingRef, textKey(roundingRef(inv.ID))); err == nil {
		if got = p.Amount; p.Credit.Kind != rating.LedgerAccount {
			got = -got
		}
	}
	if got != -diff {
		c.fault("invoice %d: its rounding is posted as %s, want %s", inv.ID, got, -diff)
	}
}

// resum sums a filled invoice again: the period's calls but those that came late, those that came
// late for earlier ones and fell to it, and the period's postings.
func (tx *Tx) resum(ctx context.Context, inv *rating.Invoice) (*rating.InvoiceSum, error) {
	late := map[rating.CDRID]uint64{}
	err := tx.eachLate(inv.Account, func(id rating.CDRID, in uint64) error {
		late[id] = in
		return nil
	})
	if err != nil {
		return nil, err
	}
	draft := &invoiceDraft{sum: rating.NewInvoiceSum(inv.Account)}
	for _, side := range [...]kv.Bucket{bCDRCustomer, bCDRVendor} {
		err := tx.EachCallOf(side, inv.Account, inv.Start.UnixMilli(), inv.End.UnixMilli(), func(cdr *rating.CDR) (bool, error) {
			if _, ok := late[cdr.ID]; ok {
				return true, ctx.Err()
			}
			return true, draft.sum.AddCall(cdr, sideOf(side), false)
		})
		if err != nil {
			return nil, err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(late)) {
		if late[id] == inv.ID {
			if err := tx.addBothSides(inv.Account, id, draft, true); err != nil {
				return nil, err
			}
		}
	}
	return draft.sum, tx.sumServices(inv, draft)
}
