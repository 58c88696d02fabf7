package storage

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// CreateInvoice makes an invoice in state New for [start, end); FillInvoice gives it its figures.
//
// Fails with Invalid (fields start_time, end_time) or Conflict (field invoice: another one covers part
// of the period). Source: Yeti, contract 6.6.
func (tx *Tx) CreateInvoice(a *rating.Account, kind rating.InvoiceType, p rating.Period) (*rating.Invoice, error) {
	// calls are found by the millisecond of their start: a finer bound would put one on two invoices
	p.Start, p.End = p.Start.UTC().Truncate(time.Millisecond), p.End.UTC().Truncate(time.Millisecond)
	switch {
	case !p.Start.Before(p.End):
		return nil, rating.Broken("start_time", "order", "", "start_time must be before end_time")
	case p.End.After(tx.now):
		return nil, rating.Broken("end_time", "future", "", "end_time can't be in future")
	}
	taken, err := tx.invoiceOverlapping(a.ID, p)
	if err != nil {
		return nil, err
	}
	if taken != nil {
		return nil, rating.Errorf(rating.Conflict, "invoice", "account %d has invoice %d inside this period", a.ID, taken.ID)
	}
	inv := &rating.Invoice{UUID: rating.NewUUID(tx.now), Account: a.ID, Contractor: a.Contractor, Currency: a.Currency,
		Type: kind, Start: p.Start, End: p.End, CreatedAt: tx.now}
	if err := tx.Invoices.Put(inv); err != nil {
		return nil, err
	}
	inv.Reference = strconv.FormatUint(inv.ID, 10) // Yeti's default template "$id"
	return inv, tx.Invoices.Put(inv)
}

// invoiceOverlapping returns an invoice of the account that shares an instant with the period.
func (tx *Tx) invoiceOverlapping(id rating.AccountID, p rating.Period) (found *rating.Invoice, err error) {
	err = tx.InvoicesOf(id, func(inv *rating.Invoice) (bool, error) {
		if inv.Start.Before(p.End) && inv.End.After(p.Start) {
			found = inv
		}
		return found == nil && inv.Start.Before(p.End), nil
	})
	return found, err
}

// InvoicesOf calls fn with an account's invoices in order of their starts until it returns false.
func (tx *Tx) InvoicesOf(id rating.AccountID, fn func(*rating.Invoice) (bool, error)) error {
	return tx.Invoices.EachUnder(bInvoiceAccount, kv.Key(nil).U64(uint64(id)), fn)
}

// LinesOf calls fn with an invoice's lines of one kind (0: every kind) in order until it returns false.
func (tx *Tx) LinesOf(invoice uint64, kind rating.LineKind, fn func(*rating.InvoiceLine) (bool, error)) error {
	under := kv.Key(nil).U64(invoice)
	if kind != 0 {
		under = under.U8(uint8(kind))
	}
	return tx.Lines.EachUnder(bInvoiceLineInvoice, under, fn)
}

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
		err = db.Update(ctx, func(tx *Tx) error {
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
	err := tx.EachLogged(draft.seq+1, func(_ uint64, id rating.CDRID) (bool, error) {
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
	for _, l := range lines {
		if err := tx.Lines.Put(l); err != nil {
			return err
		}
	}
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
	for _, id := range doomed {
		if err := tx.Lines.Delete(id); err != nil {
			return err
		}
	}
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

// DeleteInvoice removes an invoice with its lines and document. One that billd made and approved is
// paper that somebody holds: Conflict (R14).
func (tx *Tx) DeleteInvoice(id uint64) error {
	inv, err := tx.Invoices.Get(id)
	if err != nil {
		return err
	}
	if inv.State == rating.InvoiceApproved && inv.Origin == rating.Own {
		return rating.Errorf(rating.Conflict, "invoice", "invoice %d is approved and cannot be deleted", id)
	}
	if err := tx.dropLines(inv); err != nil {
		return err
	}
	if tx.Documents.Has(id) {
		if err := tx.Documents.Delete(id); err != nil {
			return err
		}
	}
	return tx.Invoices.Delete(id)
}

// ApproveInvoice makes a Pending invoice final: it takes its legal number and posts, once, what
// rounding each VAT rate's lines to the currency's minor unit changes, so that balance and paper agree
// (R14).
func (tx *Tx) ApproveInvoice(id uint64) (*rating.Invoice, error) {
	inv, err := tx.Invoices.Get(id)
	if err != nil {
		return nil, err
	}
	switch inv.State {
	case rating.InvoiceApproved:
		return inv, nil
	case rating.InvoiceNew:
		return nil, rating.Errorf(rating.Conflict, "invoice", "invoice %d is not filled yet", id)
	}
	if inv.Origin == rating.Own {
		if inv.Number, err = tx.sequences().Next("invoice number", 1); err != nil {
			return nil, err
		}
		if err := tx.roundInvoice(inv); err != nil {
			return nil, err
		}
	}
	inv.State, inv.ApprovedAt = rating.InvoiceApproved, tx.now
	if err := tx.Invoices.Put(inv); err != nil || inv.Origin != rating.Own {
		return inv, err
	}
	return inv, tx.wantPaper(inv.ID)
}

// roundInvoice posts the difference between what the paper asks for and what was charged exactly.
func (tx *Tx) roundInvoice(inv *rating.Invoice) error {
	a, err := tx.Accounts.Get(uint64(inv.Account))
	if err != nil {
		return err
	}
	diff, err := roundingOf(inv)
	if err != nil || diff == 0 {
		return err
	}
	p := transfer(rating.PostingRounding, a, SystemLedger(rating.LedgerAdjustment, a.Currency), -diff)
	p.Ref, p.Text = roundingRef(inv.ID), "Rounding of invoice "+inv.Reference
	_, err = tx.Post(p)
	return err
}

// roundingOf returns what the paper asks for beyond the exact sum.
func roundingOf(inv *rating.Invoice) (rating.Money, error) {
	due, err := inv.Due()
	return due.Rounding, err
}

func roundingRef(invoice uint64) string { return fmt.Sprintf("rounding/%d", invoice) }

// DueInvoices returns the accounts whose current period and the longest call in it are over.
func (tx *Tx) DueInvoices() (due []rating.AccountID, err error) {
	err = tx.Accounts.Each(0, func(a *rating.Account) (bool, error) {
		if !a.Closed() && a.InvoicePeriod != 0 && !a.NextInvoiceAt.IsZero() && !tx.now.Before(a.NextInvoiceAt.Add(a.InvoiceWait(tx.Settings().CallSeconds()))) {
			due = append(due, a.ID)
		}
		return true, nil
	})
	return due, err
}

// RunInvoice makes the next due invoice of an account and moves its schedule on, in one transaction,
// so that no period is made twice. due is false when nothing was due; inv is nil when a manual invoice
// already covers the period. The invoice is New: FillInvoice follows.
func (db *DB) RunInvoice(ctx context.Context, id rating.AccountID) (inv *rating.Invoice, due bool, err error) {
	err = db.Update(ctx, func(tx *Tx) error {
		inv, due = nil, false
		a, err := tx.OpenAccount(id)
		if err != nil {
			return err
		}
		if a.InvoicePeriod == 0 || tx.now.Before(a.NextInvoiceAt.Add(a.InvoiceWait(tx.Settings().CallSeconds()))) {
			return nil
		}
		due = true
		loc := tx.Location(a)
		p := rating.Period{Start: a.InvoicedFrom, End: a.NextInvoiceAt}
		err = tx.InvoicesOf(id, func(earlier *rating.Invoice) (bool, error) {
			if earlier.End.After(p.Start) && earlier.Start.Before(p.End) {
				p.Start = earlier.End // moved up to the last invoice's end, contract 6.5
			}
			return true, nil
		})
		if err != nil {
			return err
		}
		kind := rating.InvoiceAutoFull
		if a.InvoicePeriod.Partial(p) {
			kind = rating.InvoiceAutoPartial
		}
		if p.Start.Before(p.End) {
			if inv, err = tx.CreateInvoice(a, kind, p); err != nil {
				return err
			}
		}
		a.InvoicedFrom = a.NextInvoiceAt
		a.NextInvoiceAt = a.InvoicePeriod.EndAfter(a.NextInvoiceAt, loc)
		return tx.Accounts.Put(a)
	})
	return inv, due, err
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

// Late calls: cdr.late holds account ‖ cdr → the Auto invoice that took the call, 0 while it waits.

// noteLate remembers a call that arrives for a period whose invoice is already filled (R11).
func (tx *Tx) noteLate(c *rating.CDR) error {
	start := c.Time(rating.CDRTimeStart)
	for _, id := range [...]rating.AccountID{c.Customer(), c.Vendor()} {
		if id == 0 {
			continue
		}
		a, err := tx.account(id)
		if err != nil {
			return err
		}
		if a.InvoicedTill.IsZero() || !start.Before(a.InvoicedTill) {
			continue
		}
		inv, err := tx.invoiceAt(id, start)
		if err != nil {
			return err
		}
		if inv == nil || inv.State == rating.InvoiceNew || inv.Origin == rating.History {
			continue
		}
		if err := tx.putLate(id, c.ID, 0); err != nil {
			return err
		}
	}
	return nil
}

// invoiceAt returns the account's invoice whose period holds t, nil if there is none.
func (tx *Tx) invoiceAt(id rating.AccountID, t time.Time) (*rating.Invoice, error) {
	c := tx.Txn.Cursor(bInvoiceAccount)
	after := kv.Key(nil).U64(uint64(id)).Milli(t).U64(^uint64(0))
	k, _ := c.Seek(after)
	if k == nil {
		k, _ = c.Last()
	} else {
		k, _ = c.Prev()
	}
	if len(k) != 24 || string(k[:8]) != string(after[:8]) {
		return nil, nil
	}
	inv, err := tx.Invoices.Get(kv.ID(k))
	if err != nil || !t.Before(inv.End) || t.Before(inv.Start) {
		return nil, err
	}
	return inv, nil
}

// InvoiceOf returns the number of the invoice that an account's call is on, 0 while it is on none.
func (tx *Tx) InvoiceOf(id rating.AccountID, c *rating.CDR) (uint64, error) {
	if v := tx.Txn.Get(bCDRLate, lateKey(id, c.ID)); v != nil {
		return kv.ID(v), nil
	}
	inv, err := tx.invoiceAt(id, c.Time(rating.CDRTimeStart))
	if err != nil || inv == nil || inv.State == rating.InvoiceNew {
		return 0, err
	}
	return inv.ID, nil
}

func (tx *Tx) putLate(id rating.AccountID, cdr rating.CDRID, invoice uint64) error {
	return tx.Txn.Put(bCDRLate, lateKey(id, cdr), kv.Key(nil).U64(invoice))
}

func lateKey(id rating.AccountID, cdr rating.CDRID) []byte {
	return kv.Key(nil).U64(uint64(id)).U64(uint64(cdr))
}

func (tx *Tx) eachLate(id rating.AccountID, fn func(cdr rating.CDRID, invoice uint64) error) error {
	under := kv.Key(nil).U64(uint64(id))
	c := tx.Txn.Cursor(bCDRLate)
	for k, v := c.Seek(under); len(k) == 16 && string(k[:8]) == string(under); k, v = c.Next() {
		if err := fn(rating.CDRID(kv.ID(k)), kv.ID(v)); err != nil {
			return err
		}
	}
	return nil
}

// lastLogged returns the ingest sequence of the newest call, 0 when there is none.
func lastLogged(t kv.Txn) uint64 {
	k, v := t.Cursor(bCDRLog).Last()
	if k == nil {
		return 0
	}
	return kv.ID(k) + uint64(len(v)/8) - 1
}

// rewrites counts transactions that changed stored calls or their postings after the fact; a draft
// that was read before such a one is read again.
func (tx *Tx) rewrites() uint64 { return kv.ID(tx.Txn.Get(bMeta, []byte("rewrites"))) }

func (tx *Tx) rewrote() error {
	return tx.Txn.Put(bMeta, []byte("rewrites"), kv.Key(nil).U64(tx.rewrites()+1))
}
