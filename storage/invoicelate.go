package storage

import (
	"time"

	"billd/rating"
	"billd/storage/kv"
)

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
