package ops

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"billd/rating"
	"billd/server/paper"
	"billd/storage"
)

// papersPerRun bounds how many papers one run of the job makes.
const papersPerRun = 200

// PaperOf returns the paper of an invoice: the one that is kept, else drawn from what the store says.
// Fails with NotFound if there is none: the invoice is not filled yet, or came from elsewhere without.
func PaperOf(tx *storage.Tx, id uint64) (*storage.Document, error) {
	inv, err := tx.Invoices.Get(id)
	if err != nil {
		return nil, err
	}
	doc, err := tx.Documents.Get(id)
	if err == nil || rating.KindOf(err) != rating.NotFound {
		return doc, err
	}
	if inv.Origin != rating.Own || inv.State == rating.InvoiceNew {
		return nil, rating.Errorf(rating.NotFound, "invoice", "invoice %d has no document", id)
	}
	d, err := newInvoicePaper(tx, inv)
	if err != nil {
		return nil, err
	}
	body, err := paper.Draw(d)
	return &storage.Document{ID: id, Name: paperName(inv), Type: "application/pdf", Body: body}, err
}

// HasPaper reports whether an invoice shows a paper to the APIs: one that is kept, that of an approved
// invoice, or a draft if the account has a template. Source of the last: Yeti, contract 6.6.
func HasPaper(tx *storage.Tx, inv *rating.Invoice) bool {
	switch {
	case tx.Documents.Has(inv.ID):
		return true
	case inv.Origin != rating.Own || inv.State == rating.InvoiceNew:
		return false
	case inv.State == rating.InvoiceApproved:
		return true
	}
	a, err := tx.Accounts.Get(uint64(inv.Account))
	return err == nil && a.InvoiceTemplate != nil
}

// paperName is the file's name: what a mail server or a disk could misread becomes a hyphen.
func paperName(inv *rating.Invoice) string {
	safe := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune("._-", r) {
			return r
		}
		return '-'
	}, inv.Reference)
	return "invoice-" + safe + ".pdf"
}

// MakePapers draws and keeps the papers of invoices that were approved, and returns how many. What
// fails for one invoice is reported and does not keep another from its paper.
func MakePapers(ctx context.Context, env *Env) (made int, err error) {
	var due []uint64
	if err := env.DB.View(ctx, func(tx *storage.Tx) error {
		due = tx.PapersDue(papersPerRun)
		return nil
	}); err != nil {
		return 0, err
	}
	var failed []error
	for _, id := range due {
		if ctx.Err() != nil {
			break
		}
		if _, err := keepPaper(ctx, env, id); err != nil {
			failed = append(failed, fmt.Errorf("invoice %d: %w", id, err))
			continue
		}
		made++
	}
	return made, errors.Join(failed...)
}

// keepPaper returns the paper of an approved invoice and keeps it for good: what is sent out does not
// change afterwards, whatever becomes of names and addresses.
func keepPaper(ctx context.Context, env *Env, id uint64) (doc *storage.Document, err error) {
	if err := env.DB.View(ctx, func(tx *storage.Tx) (err error) {
		doc, err = PaperOf(tx, id)
		return err
	}); err != nil {
		return nil, err
	}
	err = env.DB.Update(ctx, func(tx *storage.Tx) (err error) {
		if err = tx.KeepPaper(doc); err == nil {
			doc, err = tx.Documents.Get(id) // another may have been first
		}
		return err
	})
	return doc, err
}

// InvoicePDFArgs are `billd invoice pdf ID FILE|-`.
type InvoicePDFArgs struct {
	ID uint64 `json:"id"`
}

// invoicePDF writes an invoice's paper to the output.
func invoicePDF(ctx context.Context, env *Env, args InvoicePDFArgs, o *IO) (int, error) {
	var doc *storage.Document
	if err := env.DB.View(ctx, func(tx *storage.Tx) (err error) {
		doc, err = PaperOf(tx, args.ID)
		return err
	}); err != nil {
		return ExitFailed, err
	}
	if _, err := o.Out.Write(doc.Body); err != nil {
		return ExitFailed, err
	}
	return ExitOK, nil
}
