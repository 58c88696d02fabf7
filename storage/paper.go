package storage

import (
	"fmt"

	"billd/rating"
	"billd/storage/kv"
)

// An invoice's paper is made once, after approval, and kept as a Document: invoice.paper holds the
// numbers of approved invoices that wait for theirs.

// PapersDue returns the numbers of approved invoices without their paper, at most limit.
func (tx *Tx) PapersDue(limit int) (ids []uint64) {
	c := tx.Txn.Cursor(bInvoicePaper)
	for k, _ := c.First(); k != nil && len(ids) < limit; k, _ = c.Next() {
		ids = append(ids, kv.ID(k))
	}
	return ids
}

// KeepPaper stores the paper of an approved invoice of billd's own. The first one stays: what a
// customer may hold in hand does not change.
func (tx *Tx) KeepPaper(paper *Document) error {
	inv, err := tx.Invoices.Get(paper.ID)
	if err != nil {
		return err
	}
	if inv.State != rating.InvoiceApproved {
		return rating.Errorf(rating.Conflict, "invoice", "invoice %d is not approved", inv.ID)
	}
	if !tx.Documents.Has(inv.ID) {
		if err := tx.Documents.Put(paper); err != nil {
			return err
		}
		inv.HasDocument = true
		if err := tx.Invoices.Put(inv); err != nil {
			return err
		}
	}
	return tx.Txn.Delete(bInvoicePaper, kv.Key(nil).U64(inv.ID))
}

// wantPaper notes that an invoice's paper is to be made.
func (tx *Tx) wantPaper(invoice uint64) error {
	return tx.Txn.Put(bInvoicePaper, kv.Key(nil).U64(invoice), []byte{})
}

// SendInvoice queues an approved invoice for the contacts that the account sends invoices to. Each
// hears of it once, however often it is asked for.
func (tx *Tx) SendInvoice(inv *rating.Invoice) error {
	a, err := tx.Accounts.Get(uint64(inv.Account))
	if err != nil {
		return err
	}
	zone := tx.Location(a)
	due, err := inv.Due()
	if err != nil {
		return err
	}
	from, till := inv.Start.In(zone).Format("2006-01-02"), inv.End.In(zone).Format("2006-01-02")
	m := Message{Event: "InvoiceApproved", Account: a.ID}
	mail := Mail{Invoice: inv.ID, Subject: fmt.Sprintf("Invoice %s for %s", inv.Reference, a.Name),
		Text: fmt.Sprintf("Invoice: %s\nAccount: %s (id %d)\nPeriod: %s to %s (not included), %s\nTotal: %s %s\n\nThe invoice is attached.\n",
			inv.Reference, a.Name, a.ID, from, till, a.Timezone, due.Total, inv.Currency)}
	for _, contact := range a.InvoiceContacts {
		if err := tx.QueueMail(contact, fmt.Sprintf("invoice/%d", inv.ID), m, mail); err != nil {
			return err
		}
	}
	return nil
}

// papers finds waiting papers of invoices that are not there or not approved.
func (c *checker) papers() {
	cur := c.tx.Txn.Cursor(bInvoicePaper)
	for k, _ := cur.First(); k != nil; k, _ = cur.Next() {
		if inv, err := c.tx.Invoices.Get(kv.ID(k)); err != nil || inv.State != rating.InvoiceApproved {
			c.fault("invoice %d: its paper is due, but it is not approved", kv.ID(k))
		}
	}
}
