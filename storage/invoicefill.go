package storage

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"billd/rating"
	"billd/storage/kv"
)

// invoiceDraft is what reading the period brought: lines, and the calls that were waiting in cdr.late.
type invoiceDraft struct {
	sum  *rating.InvoiceSum
	late []rating.CDRID // came late for earlier invoices and fall into this one
	home []rating.CDRID // of this period itself: its invoice was deleted or is made anew
	seq  uint64         // calls logged up to here are in the sum
	gen  uint64         // rewrites of calls up to here are in the sum
}

// stale reports whether the draft no longer says what the store does.
func (d *invoiceDraft) stale(tx *Tx, account rating.AccountID) bool {
	if tx.rewrites() != d.gen {
		return true
	}
	for _, ids := range [...][]rating.CDRID{d.late, d.home} {
		for _, id := range ids {
			v := tx.Txn.Get(bCDRLate, lateKey(account, id))
			if v == nil || kv.ID(v) != 0 {
				return true // another invoice took the call meanwhile
			}
		}
	}
	return false
}

// FillInvoice reads the period's calls and transactions into a New invoice's lines and makes it
// Pending. The reading holds nobody up; calls that arrive meanwhile are added in the transaction that
// writes the lines, so each call of the period is in the invoice or known to be late for it.
func (db *DB) FillInvoice(ctx context.Context, id uint64) (*rating.Invoice, error) {
	for {
		draft, err := db.draftInvoice(ctx, id)
		if err != nil {
			return nil, err
		}
		var inv *rating.Invoice
		stale := false
		write := db.Update
		if draft.sum.Groups() > bulkGroup {
			write = db.Bulk
		}
		err = write(ctx, func(tx *Tx) error {
			var err error
			stale = false
			if inv, err = tx.Invoices.Get(id); err != nil {
				return err
			}
			if stale = draft.stale(tx, inv.Account); stale {
				return nil
			}
			return tx.writeInvoice(inv, draft)
		})
		if err != nil || !stale {
			return inv, err
		}
	}
}

// RefillInvoice makes a Pending invoice anew from the calls and postings as they are now.
func (db *DB) RefillInvoice(ctx context.Context, id uint64) (*rating.Invoice, error) {
	err := db.Update(ctx, func(tx *Tx) error {
		inv, err := tx.Invoices.Get(id)
		if err != nil {
			return err
		}
		if inv.State == rating.InvoiceApproved {
			return rating.Errorf(rating.Conflict, "invoice", "invoice %d is approved", id)
		}
		if err := tx.dropLines(inv); err != nil {
			return err
		}
		inv.State = rating.InvoiceNew
		return tx.Invoices.Put(inv)
	})
	if err != nil {
		return nil, err
	}
	return db.FillInvoice(ctx, id)
}

func (db *DB) draftInvoice(ctx context.Context, id uint64) (draft *invoiceDraft, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		inv, err := tx.Invoices.Get(id)
		if err != nil {
			return err
		}
		if inv.State != rating.InvoiceNew || inv.Origin == rating.History {
			return rating.Errorf(rating.Conflict, "invoice", "invoice %d is already filled", id)
		}
		draft = &invoiceDraft{sum: rating.NewInvoiceSum(inv.Account), seq: lastLogged(tx.Txn), gen: tx.rewrites()}
		if err := tx.sumCalls(ctx, inv, draft); err != nil {
			return err
		}
		return tx.sumServices(inv, draft)
	})
	return draft, err
}

// sumCalls adds the period's calls of both sides but those that a later invoice took already, and for
// an Auto invoice those that wait in cdr.late.
func (tx *Tx) sumCalls(ctx context.Context, inv *rating.Invoice, draft *invoiceDraft) error {
	from, till := inv.Start.UnixMilli(), inv.End.UnixMilli()
	late := map[rating.CDRID]uint64{}
	err := tx.eachLate(inv.Account, func(id rating.CDRID, in uint64) error {
		late[id] = in
		return nil
	})
	if err != nil {
		return err
	}
	for _, side := range [...]kv.Bucket{bCDRCustomer, bCDRVendor} {
		n := 0
		err := tx.EachCallOf(side, inv.Account, from, till, func(c *rating.CDR) (bool, error) {
			if n++; n%10000 == 0 && ctx.Err() != nil {
				return false, ctx.Err()
			}
			if in, ok := late[c.ID]; ok && in != 0 {
				return true, nil
			}
			return true, draft.sum.AddCall(c, sideOf(side), false)
		})
		if err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(late)) {
		switch {
		case late[id] != 0:
		case id.Milli() >= from && id.Milli() < till:
			draft.home = append(draft.home, id)
		case inv.Type != rating.InvoiceManual:
			draft.late = append(draft.late, id)
			if err := tx.addBothSides(inv.Account, id, draft, true); err != nil {
				return err
			}
		}
	}
	return nil
}

func sideOf(b kv.Bucket) rating.Side {
	if b == bCDRVendor {
		return rating.VendorSide
	}
	return rating.CustomerSide
}

// addBothSides adds a call to each side on which the account takes part in it.
func (tx *Tx) addBothSides(a rating.AccountID, id rating.CDRID, draft *invoiceDraft, late bool) error {
	var c rating.CDR
	if err := tx.CDR(id, &c); err != nil {
		return err
	}
	if c.Customer() == a {
		if err := draft.sum.AddCall(&c, rating.CustomerSide, late); err != nil {
			return err
		}
	}
	if c.Vendor() == a {
		return draft.sum.AddCall(&c, rating.VendorSide, late)
	}
	return nil
}

// sumServices adds the period's postings that an invoice shows: transactions, plan charges, reversals.
func (tx *Tx) sumServices(inv *rating.Invoice, draft *invoiceDraft) error {
	l := rating.Ledger{Kind: rating.LedgerAccount, Currency: inv.Currency, Account: inv.Account}
	return tx.Postings.EachUnder(bPostingLedger, l.Key(), func(p *rating.Posting) (bool, error) {
		if p.At.Before(inv.Start) || !p.At.Before(inv.End) {
			return true, nil
		}
		return true, draft.sum.AddPosting(p)
	})
}

// writeInvoice adds what arrived since the draft was read and writes lines and totals.
func (tx *Tx) writeInvoice(inv *rating.Invoice, draft *invoiceDraft) error {
	if inv.State != rating.InvoiceNew {
		return rating.Errorf(rating.Conflict, "invoice", "invoice %d is already filled", inv.ID)
	}
	err := tx.EachLogged(draft.seq+1, func(seq uint64, id rating.CDRID) (bool, error) {
		draft.seq = seq // should this run again, the call is in the sum
		if id.Milli() < inv.Start.UnixMilli() || id.Milli() >= inv.End.UnixMilli() {
			return true, nil
		}
		return true, tx.addBothSides(inv.Account, id, draft, false)
	})
	if err != nil {
		return err
	}
	lines, err := draft.sum.Lines(inv)
	if err != nil {
		return err
	}
	was := tx.quiet
	tx.quiet = true // the lines say what the calls do; the invoice's own row is in the audit trail
	for _, l := range lines {
		if err := tx.Lines.Put(l); err != nil {
			return err
		}
	}
	tx.quiet = was
	for _, id := range draft.late {
		if err := tx.putLate(inv.Account, id, inv.ID); err != nil {
			return err
		}
	}
	for _, id := range draft.home {
		if err := tx.Txn.Delete(bCDRLate, lateKey(inv.Account, id)); err != nil {
			return err
		}
	}
	if inv.Data, err = tx.invoiceData(inv, draft.sum); err != nil {
		return err
	}
	inv.State = rating.InvoicePending
	if err := tx.Invoices.Put(inv); err != nil {
		return err
	}
	a, err := tx.Accounts.Get(uint64(inv.Account))
	if err != nil {
		return err
	}
	if inv.End.After(a.InvoicedTill) {
		a.InvoicedTill = inv.End
		return tx.Accounts.Put(a)
	}
	return nil
}

// dropLines removes an invoice's lines and lets its late calls wait again. Drafts that were read
// before are read anew.
func (tx *Tx) dropLines(inv *rating.Invoice) error {
	if err := tx.rewrote(); err != nil {
		return err
	}
	var doomed []uint64
	err := tx.LinesOf(inv.ID, 0, func(l *rating.InvoiceLine) (bool, error) {
		doomed = append(doomed, l.ID)
		return true, nil
	})
	if err != nil {
		return err
	}
	was := tx.quiet
	tx.quiet = true
	for _, id := range doomed {
		if err := tx.Lines.Delete(id); err != nil {
			return err
		}
	}
	tx.quiet = was
	var late []rating.CDRID
	err = tx.eachLate(inv.Account, func(id rating.CDRID, in uint64) error {
		if in == inv.ID {
			late = append(late, id)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range late {
		if err := tx.putLate(inv.Account, id, 0); err != nil {
			return err
		}
	}
	return nil
}

// FillNew fills every invoice that is still New and not imported; with auto-approve on, it approves
// them too. It returns those it filled. One that cannot be filled is an error, and the others go on.
func (db *DB) FillNew(ctx context.Context) (filled []*rating.Invoice, err error) {
	var waiting []uint64
	err = db.View(ctx, func(tx *Tx) error {
		return tx.Invoices.Each(0, func(inv *rating.Invoice) (bool, error) {
			if inv.State == rating.InvoiceNew && inv.Origin == rating.Own {
				waiting = append(waiting, inv.ID)
			}
			return true, nil
		})
	})
	if err != nil {
		return nil, err
	}
	var failed []error
	for _, id := range waiting {
		if err := ctx.Err(); err != nil {
			return filled, err
		}
		inv, err := db.fillAndApprove(ctx, id)
		switch kind := rating.KindOf(err); {
		case err == nil:
			filled = append(filled, inv)
		case kind != rating.Conflict && kind != rating.NotFound: // else another one filled or deleted it first
			failed = append(failed, fmt.Errorf("invoice %d: %w", id, err))
		}
	}
	return filled, errors.Join(failed...)
}

func (db *DB) fillAndApprove(ctx context.Context, id uint64) (*rating.Invoice, error) {
	inv, err := db.FillInvoice(ctx, id)
	if err != nil || !db.Settings().AutoApprove || inv.Type == rating.InvoiceManual {
		return inv, err
	}
	err = db.Update(ctx, func(tx *Tx) (err error) {
		if inv, err = tx.ApproveInvoice(id); err != nil {
			return err
		}
		return tx.SendInvoice(inv)
	})
	return inv, err
}
