package storage

import (
	"cmp"
	"slices"

	"billd/rating"
	"billd/storage/kv"
)

// InvoiceFinder tells which invoices calls are on, for many calls: it reads the invoices of an account
// once. It is valid during its transaction.
type InvoiceFinder struct {
	tx       *Tx
	accounts map[rating.AccountID]*invoicedPeriods
	last     rating.AccountID // whose periods are at hand
	at       *invoicedPeriods
}

// invoicedPeriods are the filled invoices of one account, and its calls that came after theirs was.
type invoicedPeriods struct {
	list   []invoicedPeriod // by start
	late   map[rating.CDRID]uint64
	recent invoicedPeriod // which held the last call: the next one is seldom in another
}

type invoicedPeriod struct {
	start, end int64 // unix microseconds, end exclusive
	invoice    uint64
}

// InvoiceFinder returns a finder that has read nothing yet.
func (tx *Tx) InvoiceFinder() *InvoiceFinder {
	return &InvoiceFinder{tx: tx, accounts: map[rating.AccountID]*invoicedPeriods{}}
}

// Of returns what Tx.InvoiceOf does: the number of the invoice that an account's call is on, 0 while it
// is on none. The call began at start, unix microseconds.
func (f *InvoiceFinder) Of(id rating.AccountID, call rating.CDRID, start int64) (uint64, error) {
	if f.at == nil || f.last != id {
		p, known := f.accounts[id]
		if !known {
			var err error
			if p, err = f.tx.invoicedPeriods(id); err != nil {
				return 0, err
			}
			f.accounts[id] = p
		}
		f.last, f.at = id, p
	}
	if len(f.at.late) > 0 {
		if n, late := f.at.late[call]; late {
			return n, nil
		}
	}
	return f.at.holding(start), nil
}

// holding returns the invoice whose period holds an instant, 0 for none: of two that do, the one that
// begins later.
func (p *invoicedPeriods) holding(t int64) uint64 {
	if p.recent.start <= t && t < p.recent.end {
		return p.recent.invoice
	}
	after, _ := slices.BinarySearchFunc(p.list, t, func(v invoicedPeriod, t int64) int {
		if v.start <= t {
			return -1
		}
		return 1
	})
	if after == 0 || t >= p.list[after-1].end {
		return 0
	}
	if p.recent = p.list[after-1]; after < len(p.list) {
		p.recent.end = min(p.recent.end, p.list[after].start)
	}
	return p.recent.invoice
}

// invoicedPeriods reads the invoices and the late calls of an account.
func (tx *Tx) invoicedPeriods(id rating.AccountID) (*invoicedPeriods, error) {
	p := &invoicedPeriods{}
	under := kv.Key(nil).U64(uint64(id))
	c := tx.Txn.Cursor(bInvoiceAccount)
	for k, _ := c.Seek(under); len(k) == 24 && string(k[:8]) == string(under); k, _ = c.Next() {
		inv, err := tx.Invoices.Get(kv.ID(k))
		if err != nil {
			return nil, err
		}
		v := invoicedPeriod{inv.Start.UnixMicro(), inv.End.UnixMicro(), inv.ID}
		if inv.State == rating.InvoiceNew {
			v.invoice = 0
		}
		p.list = append(p.list, v)
	}
	slices.SortStableFunc(p.list, func(a, b invoicedPeriod) int { return cmp.Compare(a.start, b.start) })
	return p, tx.eachLate(id, func(call rating.CDRID, invoice uint64) error {
		if p.late == nil {
			p.late = map[rating.CDRID]uint64{}
		}
		p.late[call] = invoice
		return nil
	})
}
