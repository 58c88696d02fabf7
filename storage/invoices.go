package storage

import (
	"context"
	"fmt"
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

// Late calls: cdr.late holds account ‖ cdr → the Auto invoice that took the call, 0 while it waits.
