package ui

import (
	"net/url"
	"strconv"

	"billd/rating"
	"billd/storage"

	"github.com/gofiber/fiber/v2"
)

// invoiceRow is an invoice as lists show it.
type invoiceRow struct {
	*rating.Invoice
	Account accountLink
	Zone    string
	From    string // first and last day, in the account's zone
	Till    string
	Total   rating.Money // spent less earned
	Calls   int64
}

// invoiceList is the page of invoices.
type invoiceList struct {
	Account string
	Names   []string
	Problem string
	Rows    []invoiceRow
	Next    string
}

func (u *UI) invoices(c *fiber.Ctx, s *session) error {
	l := invoiceList{Account: c.Query("account")}
	below, err := number(c, "before")
	if err != nil {
		return err
	}
	err = u.DB.View(c.UserContext(), func(tx *storage.Tx) error {
		if l.Names, err = accountNames(tx); err != nil {
			return err
		}
		if l.Account != "" {
			return l.ofAccount(tx)
		}
		return l.all(tx, below)
	})
	if rating.KindOf(err) == rating.NotFound && err != nil && l.Account != "" {
		l.Problem, err = sentence(err.Error()), nil
		c.Status(fiber.StatusBadRequest)
	}
	if err != nil {
		return err
	}
	return u.render(c, s, "invoices", page{Title: "Invoices", Nav: "invoices", Data: l})
}

func (l *invoiceList) ofAccount(tx *storage.Tx) error {
	a, err := tx.AccountByRef(l.Account)
	if err != nil {
		return err
	}
	list, err := invoicesOf(tx, a.ID)
	if err != nil {
		return err
	}
	l.Rows, err = invoiceRows(tx, list)
	return err
}

func invoiceRows(tx *storage.Tx, list []*rating.Invoice) (rows []invoiceRow, err error) {
	for _, inv := range list {
		r, err := newInvoiceRow(tx, inv)
		if err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func (l *invoiceList) all(tx *storage.Tx, below uint64) error {
	return tx.NewestInvoices(below, func(inv *rating.Invoice) (bool, error) {
		if len(l.Rows) == pageRows {
			l.Next = again("/invoices", url.Values{}, "before", strconv.FormatUint(inv.ID+1, 10))
			return false, nil
		}
		r, err := newInvoiceRow(tx, inv)
		l.Rows = append(l.Rows, r)
		return true, err
	})
}

func newInvoiceRow(tx *storage.Tx, inv *rating.Invoice) (r invoiceRow, err error) {
	a, err := tx.Accounts.Get(uint64(inv.Account))
	if err != nil {
		return r, err
	}
	loc := tx.Location(a)
	r = invoiceRow{Invoice: inv, Account: accountLink{a.ID, a.Name}, Zone: a.Timezone, Calls: inv.Originated.Calls + inv.Terminated.Calls,
		From: rating.DayOf(inv.Start, loc).String(), Till: rating.DayOf(inv.End.Add(-1), loc).String()}
	r.Total, err = inv.Spent.Sub(inv.Earned)
	return r, err
}

// invoicePage is one invoice with its lines.
type invoicePage struct {
	invoiceRow
	Tables []lineTable
}

// lineTable is the lines of one kind.
type lineTable struct {
	Title string
	Lines []*rating.InvoiceLine
	More  int // lines beyond what a page shows
}

// maxLines bounds how many lines of a kind a page shows.
const maxLines = 500

func (u *UI) invoice(c *fiber.Ctx, s *session) error {
	id, err := rowID(c, "invoice")
	if err != nil {
		return err
	}
	var p invoicePage
	err = u.DB.View(c.UserContext(), func(tx *storage.Tx) error {
		inv, err := tx.Invoices.Get(id)
		if err != nil {
			return err
		}
		if p.invoiceRow, err = newInvoiceRow(tx, inv); err != nil {
			return err
		}
		p.Tables, err = lineTables(tx, id)
		return err
	})
	if err != nil {
		return err
	}
	title := p.Reference
	if title == "" {
		title = strconv.FormatUint(id, 10)
	}
	return u.render(c, s, "invoice", page{Title: "Invoice " + title, Nav: "invoices", Data: p})
}

func lineTables(tx *storage.Tx, invoice uint64) (tables []lineTable, err error) {
	for _, kind := range []struct {
		kind  rating.LineKind
		title string
	}{
		{rating.OriginatedDestination, "Calls by destination"},
		{rating.TerminatedDestination, "Terminated calls by destination"},
		{rating.ServiceLine, "Services"},
	} {
		t := lineTable{Title: kind.title}
		err := tx.LinesOf(invoice, kind.kind, func(l *rating.InvoiceLine) (bool, error) {
			if len(t.Lines) == maxLines {
				t.More++
				return true, nil
			}
			t.Lines = append(t.Lines, l)
			return true, nil
		})
		if err != nil {
			return nil, err
		}
		if len(t.Lines) > 0 {
			tables = append(tables, t)
		}
	}
	return tables, nil
}
