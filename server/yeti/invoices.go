package yeti

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"billd/rating"
	"billd/server/jsonapi"
	"billd/server/ops"
	"billd/storage"
)

// invoice is an invoice with the dates of a request, which are read once its account is known.
type invoice struct {
	rating.Invoice
	startText, endText *string
}

// The words of an invoice.
var (
	invoiceStates = []string{"Pending", "Approved", "New"}
	invoiceTypes  = []string{"Manual", "Auto Full", "Auto Partial"}
)

var invoices = jsonapi.Resource[invoice]{
	Type: "invoices", Verbs: jsonapi.ReadVerbs | jsonapi.Create | jsonapi.Delete,
	Key:  func(v *invoice) string { return decimal(v.ID) },
	Each: eachInvoice, Load: loadInvoice,
	Attrs: invoiceAttrs(),
	Rels: []jsonapi.Rel[invoice]{
		jsonapi.One("account", "accounts", func(v *invoice) *rating.AccountID { return &v.Account }, jsonapi.Linkage, jsonapi.CreateOnly),
		invoiceLines("originated-destinations", "invoice-originated-destinations", rating.OriginatedDestination),
		invoiceLines("originated-networks", "invoice-originated-networks", rating.OriginatedNetwork),
		invoiceLines("terminated-destinations", "invoice-terminated-destinations", rating.TerminatedDestination),
		invoiceLines("terminated-networks", "invoice-terminated-networks", rating.TerminatedNetwork),
		invoiceLines("service-data", "invoice-service-data", rating.ServiceLine),
	},
	Filters: []jsonapi.Filter[invoice]{
		{Name: "account_id", Ops: jsonapi.ExactOps, Value: func(_ *jsonapi.Request, v *invoice) jsonapi.Value { return jsonapi.IntegerValue(int64(v.Account)) }},
	},
	Check:  checkInvoice,
	Insert: insertInvoice,
	Remove: removeInvoice,
	Actions: []jsonapi.Action[invoice]{{Name: "pdf", Serve: func(r *jsonapi.Request, c *fiber.Ctx, v *invoice) error {
		return sendPaper(r, c, v.ID, fmt.Sprintf("invoice-%d.pdf", v.ID))
	}}},
}

func invoiceAttrs() []jsonapi.Attr[invoice] {
	type v = invoice
	attrs := []jsonapi.Attr[v]{
		jsonapi.View("reference", emptyText, func(_ *jsonapi.Request, i *v) (string, error) { return i.Reference, nil }),
		jsonapi.View("state", jsonapi.EnumOf(invoiceStates, rating.InvoiceState.String), func(_ *jsonapi.Request, i *v) (rating.InvoiceState, error) { return i.State, nil }, jsonapi.NoSort),
		jsonapi.View("invoice-type", jsonapi.EnumOf(invoiceTypes, rating.InvoiceType.String), func(_ *jsonapi.Request, i *v) (rating.InvoiceType, error) { return i.Type, nil }, jsonapi.NoSort),
		invoiceDate("start-date", func(i *v) *time.Time { return &i.Start }, func(i *v) **string { return &i.startText }),
		invoiceDate("end-date", func(i *v) *time.Time { return &i.End }, func(i *v) **string { return &i.endText }),
		jsonapi.View("pdf-path", emptyText, pdfPath, jsonapi.NoSort, jsonapi.NoFilter),
		jsonapi.View("odt-path", emptyText, func(*jsonapi.Request, *v) (string, error) { return "", nil }, jsonapi.NoSort, jsonapi.NoFilter),
		invoiceAmount("amount-spent", func(i *v) rating.Money { return i.Spent }),
		invoiceAmount("amount-earned", func(i *v) rating.Money { return i.Earned }),
	}
	attrs = append(attrs, invoiceSide("originated-", func(i *v) *rating.InvoiceSide { return &i.Originated })...)
	attrs = append(attrs, invoiceSide("terminated-", func(i *v) *rating.InvoiceSide { return &i.Terminated })...)
	return append(attrs,
		invoiceAmount("services-amount-spent", func(i *v) rating.Money { return i.ServiceSpent }),
		invoiceAmount("services-amount-earned", func(i *v) rating.Money { return i.ServiceEarned }),
		invoiceCount("service-transactions-count", func(i *v) int64 { return i.ServiceCount }))
}

// invoiceSide are the eight figures of one side's calls.
func invoiceSide(prefix string, side func(*invoice) *rating.InvoiceSide) []jsonapi.Attr[invoice] {
	moment := func(name string, at func(*rating.InvoiceSide) time.Time) jsonapi.Attr[invoice] {
		return jsonapi.View(prefix+name, jsonapi.Instant, func(_ *jsonapi.Request, i *invoice) (time.Time, error) { return at(side(i)), nil }, jsonapi.NoSort)
	}
	return []jsonapi.Attr[invoice]{
		invoiceAmount(prefix+"amount-spent", func(i *invoice) rating.Money { return side(i).Spent }),
		invoiceAmount(prefix+"amount-earned", func(i *invoice) rating.Money { return side(i).Earned }),
		invoiceCount(prefix+"calls-count", func(i *invoice) int64 { return side(i).Calls }),
		invoiceCount(prefix+"successful-calls-count", func(i *invoice) int64 { return side(i).Successful }),
		invoiceCount(prefix+"calls-duration", func(i *invoice) int64 { return side(i).Duration }),
		invoiceCount(prefix+"billing-duration", func(i *invoice) int64 { return side(i).BillingDuration }),
		moment("first-call-at", func(s *rating.InvoiceSide) time.Time { return s.FirstCall }),
		moment("last-call-at", func(s *rating.InvoiceSide) time.Time { return s.LastCall }),
	}
}

func invoiceAmount(name string, at func(*invoice) rating.Money) jsonapi.Attr[invoice] {
	return jsonapi.View(name, jsonapi.Amount, func(_ *jsonapi.Request, i *invoice) (rating.Money, error) { return at(i), nil })
}

func invoiceCount(name string, at func(*invoice) int64) jsonapi.Attr[invoice] {
	return jsonapi.View(name, jsonapi.Integer, func(_ *jsonapi.Request, i *invoice) (int64, error) { return at(i), nil })
}

// invoiceDate is a moment that a request gives as text, to be read in the account's time zone.
func invoiceDate(name string, at func(*invoice) *time.Time, text func(*invoice) **string) jsonapi.Attr[invoice] {
	kind := jsonapi.Kind[*string]{Ops: jsonapi.DatetimeOps, Value: func(s *string) jsonapi.Value { return jsonapi.Value{} },
		Parse: func(in jsonapi.Input) (*string, string) {
			s, ok := in.Scalar()
			if !ok {
				return nil, "is invalid"
			}
			return &s, ""
		}}
	return jsonapi.Mixed(jsonapi.View(name, jsonapi.Instant, func(_ *jsonapi.Request, i *invoice) (time.Time, error) { return *at(i), nil }),
		jsonapi.Virtual(name, kind, func(*jsonapi.Request, *invoice) (*string, error) { return nil, nil }, func(i *invoice, s *string) { *text(i) = s }, jsonapi.CreateOnly))
}

// pdfPath is where a front-end web server offers the document (quirk Q5).
func pdfPath(r *jsonapi.Request, i *invoice) (string, error) {
	if !ops.HasPaper(r.Tx, &i.Invoice) {
		return "", nil
	}
	return fmt.Sprintf("/api/rest/admin/files/invoice-%d.pdf", i.ID), nil
}

// invoiceLines are one kind of an invoice's rows.
func invoiceLines(name, typ string, kind rating.LineKind) jsonapi.Rel[invoice] {
	return jsonapi.Many(name, typ, func(r *jsonapi.Request, i *invoice) (ids []string, err error) {
		err = r.Tx.LinesOf(i.ID, kind, func(l *rating.InvoiceLine) (bool, error) {
			ids = append(ids, decimal(l.ID))
			return true, nil
		})
		return ids, err
	}, nil)
}

func loadInvoice(r *jsonapi.Request, id string) (*invoice, error) {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return nil, jsonapi.NoRecord(id)
	}
	inv, err := r.Tx.Invoices.Get(n)
	if err != nil {
		return nil, err
	}
	return &invoice{Invoice: *inv}, nil
}

// eachInvoice goes by account's index when the query names one account.
func eachInvoice(r *jsonapi.Request, q *jsonapi.Query, fn func(*invoice) (bool, error)) error {
	each := func(inv *rating.Invoice) (bool, error) { return fn(&invoice{Invoice: *inv}) }
	ids, ok := q.Values("account_id_eq")
	if !ok {
		return r.Tx.Invoices.Each(0, each)
	}
	n, err := strconv.ParseUint(ids[0], 10, 64)
	if err != nil {
		return nil
	}
	return eachInvoiceOf(r.Tx, []rating.AccountID{rating.AccountID(n)}, each)
}

// eachInvoiceOf calls fn with the invoices of accounts in order of number.
func eachInvoiceOf(tx *storage.Tx, ids []rating.AccountID, fn func(*rating.Invoice) (bool, error)) error {
	var found []*rating.Invoice
	for _, id := range ids {
		if err := tx.InvoicesOf(id, func(inv *rating.Invoice) (bool, error) {
			found = append(found, inv)
			return true, nil
		}); err != nil {
			return err
		}
	}
	sortByID(found, func(inv *rating.Invoice) uint64 { return inv.ID })
	for _, inv := range found {
		if more, err := fn(inv); err != nil || !more {
			return err
		}
	}
	return nil
}

// checkInvoice reads the period in the account's zone. Source of the words: contract 5.
func checkInvoice(r *jsonapi.Request, i *invoice, _ *jsonapi.Body) (ps jsonapi.Problems) {
	zone := time.UTC
	a, err := r.Tx.OpenAccount(i.Account)
	r.Fail(ignoreMissing(err))
	if err != nil {
		ps = append(ps, jsonapi.AttrProblem("account", "can't be blank"))
	} else {
		zone = r.Tx.Location(a)
		if a.InvoicePeriod != rating.PeriodNone {
			ps = append(ps, jsonapi.AttrProblem("account", "have invoices auto generation enabled"))
		}
	}
	for _, d := range []struct {
		name string
		text *string
		at   *time.Time
	}{{"start-date", i.startText, &i.Start}, {"end-date", i.endText, &i.End}} {
		ok := false
		switch {
		case d.text == nil || *d.text == "":
			ps = append(ps, jsonapi.AttrProblem(d.name, "can't be blank"))
			continue
		default:
			*d.at, ok = jsonapi.ParseInstant(*d.text, zone)
		}
		if !ok || d.at.Before(firstInvoice) {
			ps = append(ps, jsonapi.AttrProblem(d.name, "is invalid"))
		}
	}
	if len(ps) > 0 {
		return ps
	}
	if !i.Start.Before(i.End) {
		return jsonapi.Problems{jsonapi.AttrProblem("end-date", "must be greater than start date")}
	}
	if i.End.After(r.Tx.Now()) {
		return jsonapi.Problems{jsonapi.BaseProblem("end_time can't be in future")}
	}
	return nil
}

// firstInvoice is the earliest start of a period: calls begin in 1970 at the earliest (R16).
var firstInvoice = time.Unix(0, 0).UTC().Add(-24 * time.Hour) // in every zone

func insertInvoice(r *jsonapi.Request, i *invoice) error {
	a, err := r.Tx.OpenAccount(i.Account)
	if err != nil {
		return err
	}
	made, err := r.Tx.CreateInvoice(a, rating.InvoiceManual, rating.Period{Start: i.Start, End: i.End})
	switch {
	case is(err, rating.Conflict):
		return jsonapi.Refuse("have invoice inside provided period")
	case is(err, rating.Invalid): // less than a millisecond lies between them
		return jsonapi.Refuse("start_time must be less then end_time")
	case err != nil:
		return err
	}
	i.Invoice = *made
	return nil
}

func removeInvoice(r *jsonapi.Request, i *invoice) error {
	err := r.Tx.DeleteInvoice(i.ID)
	if is(err, rating.Conflict) {
		return jsonapi.Refuse("Approved invoice cannot be deleted")
	}
	return err
}

// adminRoutes are the admin API's endpoints beside its resources.
var adminRoutes = []jsonapi.Route{{Method: fiber.MethodGet, Path: "files/*", Serve: serveFile}}

// serveFile answers at the pdf-path of an invoice.
func serveFile(r *jsonapi.Request, c *fiber.Ctx) error {
	name := c.Path()[strings.LastIndexByte(c.Path(), '/')+1:]
	id, isPDF := strings.CutSuffix(strings.TrimPrefix(name, "invoice-"), ".pdf")
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil || !isPDF || name != fmt.Sprintf("invoice-%d.pdf", n) {
		return jsonapi.NoRoute
	}
	return sendPaper(r, c, n, name)
}

// is reports whether an error is a refusal of a kind.
func is(err error, kind rating.Kind) bool { return err != nil && rating.KindOf(err) == kind }

// sendPaper answers with an invoice's paper, under a name or, when that is empty, under its own; without
// one, 404 and nothing.
func sendPaper(r *jsonapi.Request, c *fiber.Ctx, invoice uint64, name string) error {
	inv, err := r.Tx.Invoices.Get(invoice)
	if is(err, rating.NotFound) || err == nil && !ops.HasPaper(r.Tx, inv) {
		return jsonapi.NoRoute
	}
	if err != nil {
		return err
	}
	doc, err := ops.PaperOf(r.Tx, invoice)
	if err != nil {
		return err
	}
	if name == "" {
		name = doc.Name
	}
	c.Set("Content-Type", doc.Type)
	c.Set("Content-Disposition", `attachment; filename="`+url.PathEscape(name)+`"`)
	c.Set("Cache-Control", "no-cache")
	return c.Status(fiber.StatusOK).Send(doc.Body)
}
