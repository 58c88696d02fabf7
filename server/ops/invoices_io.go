package ops

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"billd/rating"
	"billd/storage"
)

// invoiceNames are the columns of an invoice file, in the order in which an export writes them.
var invoiceNames = []string{
	"format", "id", "uuid", "account_id", "account", "reference", "number", "state", "invoice_type", "start_date", "end_date", "created_at", "approved_at",
	"currency", "amount_spent", "amount_earned", "services_amount_spent", "services_amount_earned", "service_transactions_count", "vat",
	"originated_amount_spent", "originated_amount_earned", "originated_calls_count", "originated_successful_calls_count", "originated_calls_duration",
	"originated_billing_duration", "originated_first_call_at", "originated_last_call_at",
	"terminated_amount_spent", "terminated_amount_earned", "terminated_calls_count", "terminated_successful_calls_count", "terminated_calls_duration",
	"terminated_billing_duration", "terminated_first_call_at", "terminated_last_call_at",
	"originated_destinations", "originated_networks", "terminated_destinations", "terminated_networks", "services", "pdf", "pdf_base64",
}

// lineTables are the columns that hold an invoice's lines, by rating.LineKind.
var lineTables = [...]string{"", "originated_destinations", "originated_networks", "terminated_destinations", "terminated_networks", "services"}

// invoiceLine is a line as files hold it; "" is null.
type invoiceLine struct {
	Prefix     text `json:"dst_prefix,omitempty"`
	Country    text `json:"country_id,omitempty"`
	Network    text `json:"network_id,omitempty"`
	Service    text `json:"service_id,omitempty"`
	Rate       text `json:"rate,omitempty"`
	Spent      bool `json:"spent"`
	Amount     text `json:"amount,omitempty"`
	Calls      text `json:"calls_count,omitempty"`
	Successful text `json:"successful_calls_count,omitempty"`
	Duration   text `json:"calls_duration,omitempty"`
	Billed     text `json:"billing_duration,omitempty"`
	First      text `json:"first_call_at,omitempty"`
	Last       text `json:"last_call_at,omitempty"`
}

// ImportedInvoice is what became of one imported invoice: its number and those of its lines, in the
// order in which they were given.
type ImportedInvoice struct {
	ID                     string   `json:"id"`
	UUID                   string   `json:"uuid"`
	OriginatedDestinations []string `json:"originated_destination_ids"`
	OriginatedNetworks     []string `json:"originated_network_ids"`
	TerminatedDestinations []string `json:"terminated_destination_ids"`
	TerminatedNetworks     []string `json:"terminated_network_ids"`

	fill uint64 // the invoice is to be filled from calls
}

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

// ImportInvoice stores an invoice of another system with its lines as they are given, nulls included.
// It is history, of billd's own exports too: what it describes is not all here. A record that asks to
// be filled is an invoice of billd's own, still New; Fill finishes it after the transaction.
//
// same says that the invoice is there already. Fails with Conflict when it is there with other figures.
func ImportInvoice(tx *storage.Tx, f map[string]json.RawMessage) (made ImportedInvoice, same bool, err error) {
	r := &fieldReader{f: f}
	ref := r.text("account")
	if ref == "" {
		ref = r.text("account_id")
	}
	if ref == "" {
		return made, false, rating.Broken("account_id", "required", "", "account_id is missing")
	}
	a, err := tx.AccountByRef(ref)
	if err != nil {
		return made, false, err
	}
	inv, lines, document, err := r.invoice(a)
	if err != nil {
		return made, false, err
	}
	if fill := r.text("fill"); fill == "true" || fill == "1" {
		inv.Origin, inv.State, lines = rating.Own, rating.InvoiceNew, nil
	}
	if !inv.UUID.IsZero() {
		if there, err := tx.InvoiceByUUID(inv.UUID); err == nil {
			return sameInvoice(tx, there, inv, lines)
		} else if rating.KindOf(err) != rating.NotFound {
			return made, false, err
		}
	}
	if err := tx.PutImportedInvoice(inv, lines, document); err != nil {
		return made, false, err
	}
	made = listLines(inv, lines)
	if inv.Origin == rating.Own {
		made.fill = inv.ID
	}
	return made, false, nil
}

// listLines makes the answer for an invoice.
func listLines(inv *rating.Invoice, lines []*rating.InvoiceLine) ImportedInvoice {
	ids := [len(lineTables)][]string{}
	for i := range ids {
		ids[i] = []string{}
	}
	for _, l := range lines {
		ids[l.Kind] = append(ids[l.Kind], strconv.FormatUint(l.ID, 10))
	}
	return ImportedInvoice{ID: strconv.FormatUint(inv.ID, 10), UUID: inv.UUID.String(), OriginatedDestinations: ids[rating.OriginatedDestination],
		OriginatedNetworks: ids[rating.OriginatedNetwork], TerminatedDestinations: ids[rating.TerminatedDestination], TerminatedNetworks: ids[rating.TerminatedNetwork]}
}

// sameInvoice compares an invoice with the one that has its UUID.
func sameInvoice(tx *storage.Tx, there, inv *rating.Invoice, lines []*rating.InvoiceLine) (ImportedInvoice, bool, error) {
	was, err := invoiceLines(tx, there.ID)
	if err != nil {
		return ImportedInvoice{}, false, err
	}
	is := *inv
	is.ID, is.Origin, is.Contractor, is.HasDocument = there.ID, there.Origin, there.Contractor, there.HasDocument
	if is.CreatedAt.IsZero() {
		is.CreatedAt = there.CreatedAt
	}
	if is.Reference == "" {
		is.Reference = there.Reference
	}
	same := is.Same(there) && len(was) == len(lines)
	for i := 0; same && i < len(lines); i++ {
		x, _ := json.Marshal(lineRow(was[i]))
		y, _ := json.Marshal(lineRow(lines[i]))
		same = string(x) == string(y) && was[i].Kind == lines[i].Kind
	}
	if !same {
		return ImportedInvoice{}, false, rating.Errorf(rating.Conflict, "uuid", "invoice %d is there with other figures", there.ID)
	}
	return listLines(there, was), true, nil
}

func invoiceLines(tx *storage.Tx, id uint64) (lines []*rating.InvoiceLine, err error) {
	err = tx.LinesOf(id, 0, func(l *rating.InvoiceLine) (bool, error) {
		lines = append(lines, l)
		return true, nil
	})
	return lines, err
}

// invoice reads the record.
func (r *fieldReader) invoice(a *rating.Account) (*rating.Invoice, []*rating.InvoiceLine, *storage.Document, error) {
	inv := &rating.Invoice{Account: a.ID, Contractor: a.Contractor, Currency: a.Currency, Origin: rating.History, Reference: r.text("reference"),
		Number: uint64(r.int("number")), Start: r.time("start_date"), End: r.time("end_date"), CreatedAt: r.time("created_at"), ApprovedAt: r.time("approved_at"),
		Spent: r.money("amount_spent"), Earned: r.money("amount_earned"), ServiceSpent: r.money("services_amount_spent"),
		ServiceEarned: r.money("services_amount_earned"), ServiceCount: r.int("service_transactions_count"),
		Originated: r.side("originated"), Terminated: r.side("terminated"), VAT: r.vat()}
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

// FillImported finishes an invoice that asked to be filled from billd's own calls, as if its period
// had ended; approve makes it final too.
func FillImported(ctx context.Context, env *Env, made ImportedInvoice, approve bool) (ImportedInvoice, error) {
	if made.fill == 0 {
		return made, nil
	}
	inv, err := env.DB.FillInvoice(ctx, made.fill)
	if err != nil {
		return made, err
	}
	var lines []*rating.InvoiceLine
	err = env.DB.Update(ctx, func(tx *storage.Tx) error {
		if approve {
			if inv, err = tx.ApproveInvoice(inv.ID); err != nil {
				return err
			}
		}
		lines, err = invoiceLines(tx, inv.ID)
		return err
	})
	if err != nil {
		return made, err
	}
	return listLines(inv, lines), nil
}

// ImportInvoices stores invoices, all or none, and fills those that ask for it.
func ImportInvoices(ctx context.Context, env *Env, records []map[string]json.RawMessage) ([]ImportedInvoice, error) {
	made := make([]ImportedInvoice, len(records))
	err := env.DB.Update(ctx, func(tx *storage.Tx) (err error) {
		for i, f := range records {
			if made[i], _, err = ImportInvoice(tx, f); err != nil {
				return err
			}
		}
		return nil
	})
	for i := 0; err == nil && i < len(made); i++ {
		state, _ := fields(records[i]).text("state")
		made[i], err = FillImported(ctx, env, made[i], state == rating.InvoiceApproved.String())
	}
	return made, err
}

// importInvoices stores the invoices of a file in one transaction.
func importInvoices(ctx context.Context, env *Env, args ImportArgs, o *IO) (int, error) {
	var records []fields
	var at []int
	err := eachRecord(o.In, args.Format, "invoices", func(line int, f fields) error {
		records, at = append(records, f), append(at, line)
		return ctx.Err()
	})
	if err != nil {
		return ExitFailed, err
	}
	var report *ImportReport
	made := make([]ImportedInvoice, len(records))
	err = env.DB.Update(ctx, func(tx *storage.Tx) error {
		report = &ImportReport{Read: len(records)}
		for i, f := range records {
			m, same, err := ImportInvoice(tx, f)
			switch {
			case err != nil && rating.KindOf(err) == rating.Internal:
				return err
			case err != nil:
				report.reject(at[i], err)
			case same:
				report.Same++
			default:
				report.Added++
			}
			made[i] = m
		}
		return nil
	})
	for i := 0; err == nil && i < len(made); i++ {
		state, _ := records[i].text("state")
		_, err = FillImported(ctx, env, made[i], state == rating.InvoiceApproved.String())
	}
	if err != nil {
		return ExitFailed, err
	}
	return report.print(o, args.Input.Name, args.JSON)
}

// exportInvoices writes every invoice with its lines and paper.
func exportInvoices(ctx context.Context, env *Env, args ExportArgs, o *IO) (int, error) {
	w, err := newRecordWriter(o.Out, args.Format, invoiceNames)
	if err != nil {
		return ExitUsage, err
	}
	const page = 50 // invoices a View: each may have a paper and many lines
	from := uint64(1)
	for more := true; more; {
		var rows []map[string]any
		err := env.DB.View(ctx, func(tx *storage.Tx) error {
			return tx.Invoices.Each(from, func(inv *rating.Invoice) (bool, error) {
				row, err := invoiceRow(tx, inv)
				rows, from = append(rows, row), inv.ID+1
				return len(rows) < page, err
			})
		})
		if err != nil {
			return ExitFailed, err
		}
		for _, row := range rows {
			if err := w.write(row); err != nil {
				return ExitFailed, err
			}
		}
		more = len(rows) == page
	}
	return ExitOK, w.end()
}

func instantText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func invoiceRow(tx *storage.Tx, inv *rating.Invoice) (map[string]any, error) {
	a, err := tx.Accounts.Get(uint64(inv.Account))
	if err != nil {
		return nil, err
	}
	row := map[string]any{"format": formatBilld, "id": strconv.FormatUint(inv.ID, 10), "uuid": inv.UUID.String(), "account_id": fmt.Sprint(a.ID), "account": a.UUID.String(),
		"reference": inv.Reference, "number": strconv.FormatUint(inv.Number, 10), "state": inv.State.String(), "invoice_type": inv.Type.String(),
		"start_date": instantText(inv.Start), "end_date": instantText(inv.End), "created_at": instantText(inv.CreatedAt), "approved_at": instantText(inv.ApprovedAt),
		"currency": inv.Currency.String(), "amount_spent": inv.Spent.String(), "amount_earned": inv.Earned.String(), "services_amount_spent": inv.ServiceSpent.String(),
		"services_amount_earned": inv.ServiceEarned.String(), "service_transactions_count": strconv.FormatInt(inv.ServiceCount, 10)}
	for prefix, s := range map[string]*rating.InvoiceSide{"originated": &inv.Originated, "terminated": &inv.Terminated} {
		row[prefix+"_amount_spent"], row[prefix+"_amount_earned"] = s.Spent.String(), s.Earned.String()
		row[prefix+"_calls_count"], row[prefix+"_successful_calls_count"] = strconv.FormatInt(s.Calls, 10), strconv.FormatInt(s.Successful, 10)
		row[prefix+"_calls_duration"], row[prefix+"_billing_duration"] = strconv.FormatInt(s.Duration, 10), strconv.FormatInt(s.BillingDuration, 10)
		row[prefix+"_first_call_at"], row[prefix+"_last_call_at"] = instantText(s.FirstCall), instantText(s.LastCall)
	}
	lines, err := invoiceLines(tx, inv.ID)
	if err != nil {
		return nil, err
	}
	tables := [len(lineTables)][]invoiceLine{}
	for _, l := range lines {
		tables[l.Kind] = append(tables[l.Kind], lineRow(l))
	}
	for kind, rows := range tables {
		if len(rows) == 0 {
			continue
		}
		b, err := json.Marshal(rows)
		if err != nil {
			return nil, err
		}
		row[lineTables[kind]] = json.RawMessage(b)
	}
	if len(inv.VAT) > 0 {
		b, err := json.Marshal(inv.VAT)
		if err != nil {
			return nil, err
		}
		row["vat"] = json.RawMessage(b)
	}
	doc, err := tx.Documents.Get(inv.ID)
	switch {
	case err != nil && rating.KindOf(err) != rating.NotFound:
		return nil, err
	case err == nil && utf8.Valid(doc.Body):
		row["pdf"] = string(doc.Body)
	case err == nil:
		row["pdf_base64"] = base64.StdEncoding.EncodeToString(doc.Body)
	}
	return row, nil
}

func lineRow(l *rating.InvoiceLine) invoiceLine {
	row := invoiceLine{Spent: l.Spent, Prefix: text(value(l.Prefix)), Country: textOf(l.Country), Network: textOf(l.Network), Service: textOf(l.Service),
		Rate: textOf(l.Rate), Amount: textOf(l.Amount), Calls: textOf(l.Calls), Successful: textOf(l.Successful), Duration: textOf(l.Duration), Billed: textOf(l.BillingDuration)}
	if l.FirstCall != nil {
		row.First = text(instantText(*l.FirstCall))
	}
	if l.LastCall != nil {
		row.Last = text(instantText(*l.LastCall))
	}
	return row
}

// textOf is what a file says of a number, "" for null.
func textOf[T any](p *T) text {
	if p == nil {
		return ""
	}
	return text(fmt.Sprint(*p))
}
