package storage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"billd/rating"
	"billd/rating/plan"
	"billd/storage/kv"
)

// Service plans are charged as postings. A month is charged in advance, from local midnight of its
// first day in the account's zone, once per account, line and month: the posting's reference says so. A
// change in mid-month is charged in the transaction that makes it. Both happen before the books
// change, so months that were missed are charged for what the account had in them.

// noMonth is the ChargeAt of an account that is charged nothing.
var noMonth time.Time

// monthOf returns the month of an account that holds an instant.
func (tx *Tx) monthOf(a *rating.Account, t time.Time) rating.Period {
	return rating.PeriodMonthly.Containing(t, tx.Location(a))
}

// chargeMonths charges the months that have begun since the last one that was charged, and reports
// whether there were any.
func (tx *Tx) chargeMonths(b *Books) (moved bool, err error) {
	s := b.Services
	for !s.ChargeAt.IsZero() && !s.ChargeAt.After(tx.now) && b.Account.ID != rating.MasterAccount {
		month := tx.monthOf(b.Account, s.ChargeAt)
		at := month.Start
		if at.Before(b.Account.InvoicedTill) || at.Before(b.Account.CreatedAt) {
			at = tx.now // its own days are on paper already
		}
		for _, c := range plan.Month(b.held) {
			if err := tx.postCharge(b.Account, &c, month, at); err != nil {
				return false, err
			}
		}
		if at.Before(tx.now) {
			if err := tx.rewrote(); err != nil { // an invoice that is being read is read again
				return false, err
			}
		}
		s.ChargeAt, s.Kept, moved = month.End, nil, true
	}
	return moved, nil
}

// chargeChange posts what going from the held invoices to next costs for the rest of the month, and
// says when the next month is charged.
func (tx *Tx) chargeChange(b *Books, next []*plan.Invoice) error {
	s := b.Services
	month := tx.monthOf(b.Account, tx.now)
	y, m, _ := month.Start.In(tx.Location(b.Account)).Date()
	charges, kept, err := plan.Change(b.held, next, plan.Remaining(tx.now, y, m), s.Kept)
	if err != nil {
		return err
	}
	for _, c := range charges {
		if err := tx.postCharge(b.Account, &c, month, tx.now); err != nil {
			return err
		}
	}
	if s.Kept = kept; len(kept) == 0 {
		s.Kept = nil
	}
	switch {
	case len(b.Plans) == 0:
		s.ChargeAt, s.Kept = noMonth, nil
	case s.ChargeAt.IsZero():
		s.ChargeAt = month.End
	}
	return nil
}

// maxPlanText bounds in bytes what a posting repeats of a plan's free text.
const maxPlanText = 120

// chargeText is what a charge is called on statements.
func chargeText(c *plan.Charge) string {
	name := clipText(c.Name, maxPlanText)
	switch c.Kind {
	case plan.Activation:
		return name + ", activation"
	case plan.Proration:
		if c.Amount < 0 {
			return name + ", given back"
		}
		return name + ", part of a month"
	}
	return name
}

// postCharge posts a charge and the VAT on it; one below 0 is given back. A month's is posted once.
func (tx *Tx) postCharge(a *rating.Account, c *plan.Charge, month rating.Period, at time.Time) error {
	tax, err := a.VAT.Of(c.Amount)
	if err != nil {
		return err
	}
	ref := ""
	if c.Kind == plan.Recurring {
		sum := sha256.Sum256([]byte(c.Key))
		ref = fmt.Sprintf("plan/%d/%s/%s", a.ID, month.Start.In(tx.Location(a)).Format("2006-01"), hex.EncodeToString(sum[:16]))
	}
	net := transfer(rating.PostingPlan, a, SystemLedger(rating.LedgerRevenue, a.Currency), -c.Amount)
	net.At, net.Ref, net.Text, net.Source = at, ref, chargeText(c), c.Kind.String()+" "+clipText(c.Category, maxPlanText)+"/"+clipText(c.Item, maxPlanText)
	fresh, err := tx.Post(net)
	if err != nil || !fresh {
		return err
	}
	if tax != 0 {
		vat := transfer(rating.PostingPlan, a, SystemLedger(rating.LedgerTax, a.Currency), -tax)
		vat.At, vat.Text, vat.Source = at, "VAT: "+net.Text, net.Source
		if _, err := tx.Post(vat); err != nil {
			return err
		}
	}
	balance, err := tx.AccountBalance(a)
	if err != nil {
		return err
	}
	kept := *c
	return tx.LedgerNotes.Put(&LedgerNote{ID: net.ID, Charge: &kept, Month: month.Start, MonthEnd: month.End, Balance: balance})
}

// dueServices returns the accounts whose next month has begun, those first that have waited longest.
func (tx *Tx) dueServices() (due []rating.AccountID) {
	end := kv.Key(nil).Milli(tx.now)
	c := tx.Txn.Cursor(bServicesDue)
	for k, _ := c.First(); len(k) == 16 && slices.Compare(k[:8], end) <= 0; k, _ = c.Next() {
		due = append(due, rating.AccountID(kv.ID(k)))
	}
	return due
}

// chargeBatch is how many accounts are charged in one transaction.
const chargeBatch = 20

// ChargePlans charges every account on service plans whose next month has begun, month after month
// where several were missed. It returns how many accounts it charged. What fails for one account does
// not keep another from being charged.
func (db *DB) ChargePlans(ctx context.Context) (charged int, err error) {
	var due []rating.AccountID
	err = db.View(ctx, func(tx *Tx) error {
		due = tx.dueServices()
		return nil
	})
	if err != nil {
		return 0, err
	}
	var failed []error
	for batch := range slices.Chunk(due, chargeBatch) {
		if err := ctx.Err(); err != nil {
			return charged, errors.Join(append(failed, err)...)
		}
		n, err := db.chargeAccounts(ctx, batch)
		charged += n
		for i := 0; err != nil && i < len(batch) && ctx.Err() == nil; i++ {
			n, e := db.chargeAccounts(ctx, batch[i:i+1])
			charged += n
			if e != nil {
				failed = append(failed, fmt.Errorf("account %d: %w", batch[i], e))
			}
		}
	}
	return charged, errors.Join(failed...)
}

// chargeAccounts charges accounts what is due, in one transaction.
func (db *DB) chargeAccounts(ctx context.Context, ids []rating.AccountID) (charged int, err error) {
	err = db.Update(ctx, func(tx *Tx) error {
		charged = 0
		for _, id := range ids {
			a, err := tx.Accounts.Get(uint64(id))
			if err != nil {
				return err
			}
			b, err := tx.OpenBooks(a)
			if err != nil {
				return err
			}
			if err := tx.HoldBooks(b); err != nil {
				return err
			}
			if !b.moved {
				continue
			}
			charged++
			if err := tx.Services.Put(b.Services); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return charged, nil
}
