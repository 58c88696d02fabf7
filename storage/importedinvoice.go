package storage

import (
	"strconv"

	"billd/rating"
)

// InvoiceByUUID finds an invoice.
func (tx *Tx) InvoiceByUUID(u rating.UUID) (*rating.Invoice, error) {
	return tx.Invoices.Find(bInvoiceUUID, uuidKey(u))
}

// PutImportedInvoice stores an invoice that billd did not work out, with its lines in their order and
// its paper (nil for none). Its number is kept where that is free; the
// lines get numbers. Calls of its period are on it, so that rerating leaves their figures alone.
func (tx *Tx) PutImportedInvoice(inv *rating.Invoice, lines []*rating.InvoiceLine, paper *Document) error {
	if inv.ID != 0 && tx.Invoices.Has(inv.ID) {
		inv.ID = 0
	}
	if inv.UUID.IsZero() {
		inv.UUID = rating.NewUUID(tx.now)
	}
	if inv.CreatedAt.IsZero() {
		inv.CreatedAt = tx.now
	}
	inv.HasDocument = paper != nil
	if err := tx.Invoices.Put(inv); err != nil {
		return err
	}
	if inv.Reference == "" {
		inv.Reference = strconv.FormatUint(inv.ID, 10)
		if err := tx.Invoices.Put(inv); err != nil {
			return err
		}
	}
	for _, l := range lines {
		l.Invoice = inv.ID
		if err := tx.Lines.Put(l); err != nil {
			return err
		}
	}
	if paper != nil {
		paper.ID, paper.Name = inv.ID, "invoice-"+strconv.FormatUint(inv.ID, 10)+".pdf"
		if err := tx.Documents.Put(paper); err != nil {
			return err
		}
	}
	a, err := tx.Accounts.Get(uint64(inv.Account))
	if err != nil || inv.State == rating.InvoiceNew || !inv.End.After(a.InvoicedTill) {
		return err
	}
	a.InvoicedTill = inv.End
	return tx.Accounts.Put(a)
}
