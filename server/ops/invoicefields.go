package ops

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"billd/rating"
	"billd/storage"
)

// reader reads a record's columns and keeps the first thing that is wrong.
type fieldReader struct {
	f   fields
	err error
}

func (r *fieldReader) text(name string) string {
	s, err := r.f.text(name)
	if err != nil && r.err == nil {
		r.err = err
	}
	return s
}

// parse reads what is not null with fn.
func parse[T any](r *fieldReader, name, s string, fn func(string) (T, error)) *T {
	if s == "" {
		return nil
	}
	v, err := fn(s)
	if err != nil {
		if r.err == nil {
			r.err = fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	return &v
}

func parseInt(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%.40q: want a whole number", s)
	}
	return n, nil
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func (r *fieldReader) money(name string) rating.Money {
	return value(parse(r, name, r.text(name), rating.ParseMoney))
}

func (r *fieldReader) int(name string) int64 { return value(parse(r, name, r.text(name), parseInt)) }

func (r *fieldReader) time(name string) time.Time {
	return value(parse(r, name, r.text(name), readInstant))
}

// readInstant reads what files say of an instant, to the nanosecond.
func readInstant(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t.UTC(), nil
	}
	return rating.ParseTime(s)
}

func (r *fieldReader) side(prefix string) rating.InvoiceSide {
	return rating.InvoiceSide{Spent: r.money(prefix + "_amount_spent"), Earned: r.money(prefix + "_amount_earned"), Calls: r.int(prefix + "_calls_count"),
		Successful: r.int(prefix + "_successful_calls_count"), Duration: r.int(prefix + "_calls_duration"), BillingDuration: r.int(prefix + "_billing_duration"),
		FirstCall: r.time(prefix + "_first_call_at"), LastCall: r.time(prefix + "_last_call_at")}
}

// invoice reads the record.
func (r *fieldReader) invoice(a *rating.Account) (*rating.Invoice, []*rating.InvoiceLine, *storage.Document, error) {
	inv := &rating.Invoice{Account: a.ID, Contractor: a.Contractor, Currency: a.Currency, Origin: rating.History, Reference: r.text("reference"),
		Number: uint64(r.int("number")), Start: r.time("start_date"), End: r.time("end_date"), CreatedAt: r.time("created_at"), ApprovedAt: r.time("approved_at"),
		Spent: r.money("amount_spent"), Earned: r.money("amount_earned"), ServiceSpent: r.money("services_amount_spent"),
		ServiceEarned: r.money("services_amount_earned"), ServiceCount: r.int("service_transactions_count"),
		Originated: r.side("originated"), Terminated: r.side("terminated"), VAT: r.vat(), Data: r.data()}
	if u := parse(r, "uuid", r.text("uuid"), rating.ParseUUID); u != nil {
		inv.UUID = *u
	}
	if c := parse(r, "currency", r.text("currency"), rating.ParseCurrency); c != nil {
		inv.Currency = *c
	}
	inv.State = wordOf(r, "state", rating.InvoiceApproved, rating.InvoiceNew, rating.InvoicePending, rating.InvoiceApproved)
	inv.Type = wordOf(r, "invoice_type", rating.InvoiceManual, rating.InvoiceManual, rating.InvoiceAutoFull, rating.InvoiceAutoPartial)
	switch {
	case r.text("format") == formatBilld:
		inv.ID = uint64(r.int("id"))
	case strings.HasPrefix(r.text("format"), "billd/"):
		return nil, nil, nil, rating.Errorf(rating.Unsupported, "format", "format %.40q: this billd reads %s", r.text("format"), formatBilld)
	}
	if r.err == nil && !inv.Start.Before(inv.End) {
		return nil, nil, nil, rating.Broken("start_date", "order", "", "want start_date and end_date, the start before the end")
	}
	lines := r.lines(a.ID)
	document, err := r.document()
	if r.err == nil {
		r.err = err
	}
	if r.err != nil && rating.KindOf(r.err) == rating.Internal {
		r.err = &rating.Error{Kind: rating.Invalid, Field: "invoice", Rule: "format", Msg: r.err.Error()}
	}
	return inv, lines, document, r.err
}

// wordOf finds the one of values that is written as the record says.
func wordOf[T fmt.Stringer](r *fieldReader, name string, otherwise T, values ...T) T {
	s := r.text(name)
	if s == "" {
		return otherwise
	}
	words := make([]string, len(values))
	for i, v := range values {
		if words[i] = v.String(); words[i] == s {
			return v
		}
	}
	if r.err == nil {
		r.err = fmt.Errorf("%s %.40q: want one of %s", name, s, strings.Join(words, ", "))
	}
	return otherwise
}

// vat reads the shares of an invoice by VAT rate, nil where the record has none.
func (r *fieldReader) vat() (shares []rating.VATShare) {
	raw := r.f["vat"]
	if len(raw) == 0 || string(raw) == "null" || string(raw) == `""` {
		return nil
	}
	if err := json.Unmarshal(raw, &shares); err != nil && r.err == nil {
		r.err = fmt.Errorf(`vat: want an array of {"rate","net","tax"} as texts`)
	}
	return shares
}

// data reads what subscriptions used, nil where the record says nothing of it.
func (r *fieldReader) data() (rows []rating.InvoiceData) {
	raw := r.f["data"]
	if len(raw) == 0 || string(raw) == "null" || string(raw) == `""` {
		return nil
	}
	if err := json.Unmarshal(raw, &rows); err != nil && r.err == nil {
		r.err = fmt.Errorf("data: want an array of rows as an export has them")
	}
	return rows
}

func (r *fieldReader) lines(account rating.AccountID) (lines []*rating.InvoiceLine) {
	for kind, table := range lineTables {
		raw := r.f[table]
		if table == "" || len(raw) == 0 || string(raw) == "null" {
			continue
		}
		var rows []invoiceLine
		if err := json.Unmarshal(raw, &rows); err != nil && r.err == nil {
			r.err = fmt.Errorf("%s: want an array of rows", table)
		}
		for i := range rows {
			l := &rows[i]
			at := fmt.Sprintf("%s row %d", table, i+1)
			line := &rating.InvoiceLine{Account: account, Kind: rating.LineKind(kind), Spent: l.Spent,
				Country: parse(r, at, string(l.Country), parseInt), Network: parse(r, at, string(l.Network), parseInt), Service: parse(r, at, string(l.Service), parseInt),
				Rate: parse(r, at, string(l.Rate), rating.ParsePrice), Amount: parse(r, at, string(l.Amount), rating.ParseMoney),
				Calls: parse(r, at, string(l.Calls), parseInt), Successful: parse(r, at, string(l.Successful), parseInt),
				Duration: parse(r, at, string(l.Duration), parseInt), BillingDuration: parse(r, at, string(l.Billed), parseInt),
				FirstCall: parse(r, at, string(l.First), readInstant), LastCall: parse(r, at, string(l.Last), readInstant)}
			if l.Prefix != "" {
				prefix := string(l.Prefix)
				line.Prefix = &prefix
			}
			if l.Text != "" {
				said := string(l.Text)
				line.Text = &said
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// document reads the paper, nil for none.
func (r *fieldReader) document() (*storage.Document, error) {
	body := []byte(r.text("pdf"))
	if coded := r.text("pdf_base64"); coded != "" {
		var err error
		if body, err = base64.StdEncoding.DecodeString(coded); err != nil {
			return nil, fmt.Errorf("pdf_base64: want base64")
		}
	}
	if len(body) == 0 {
		return nil, nil
	}
	return &storage.Document{Type: "application/pdf", Body: body}, nil
}
