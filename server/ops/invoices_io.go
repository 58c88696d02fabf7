package ops

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"billd/rating"
	"billd/storage"
)

// invoiceNames are the columns of an invoice file, in the order in which an export writes them.
var invoiceNames = []string{
	"format", "id", "uuid", "account_id", "account", "reference", "number", "state", "invoice_type", "start_date", "end_date", "created_at", "approved_at",
	"currency", "amount_spent", "amount_earned", "services_amount_spent", "services_amount_earned", "service_transactions_count", "vat", "data",
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
	Text       text `json:"text,omitempty"`
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
	if len(inv.Data) > 0 {
		b, err := json.Marshal(inv.Data)
		if err != nil {
			return nil, err
		}
		row["data"] = json.RawMessage(b)
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
		Rate: textOf(l.Rate), Amount: textOf(l.Amount), Calls: textOf(l.Calls), Successful: textOf(l.Successful), Duration: textOf(l.Duration), Billed: textOf(l.BillingDuration), Text: text(value(l.Text))}
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
