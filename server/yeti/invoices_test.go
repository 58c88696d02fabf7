package yeti

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"billd/rating"
	"billd/storage"
)

const invoiceDoc = `{"data":{"type":"invoices","attributes":{"start-date":"%s","end-date":"%s"},"relationships":{"account":{"data":{"type":"accounts","id":"%s"}}}}}`

func TestRulesOfInvoices(t *testing.T) {
	r := newRig(t)
	con := r.contractor("Northfield")
	acc, auto := r.account(con, "one", `,"timezone":"Europe/Kyiv"`), r.account(con, "auto", `,"invoice-period-id":4`)
	r.create("/invoices", fmt.Sprintf(invoiceDoc, "2026-10-01", "2026-11-01", acc))
	for _, tt := range []struct{ name, doc, want string }{
		{"everything is required", `{"data":{"type":"invoices","attributes":{}}}`, "account - can't be blank; start-date - can't be blank; end-date - can't be blank"},
		{"the account exists", fmt.Sprintf(invoiceDoc, "2026-09-01", "2026-10-01", "99"), "account - can't be blank"},
		{"a date is one", fmt.Sprintf(invoiceDoc, "x", "2026-10-01", acc), "start-date - is invalid"},
		{"the end comes after the start", fmt.Sprintf(invoiceDoc, "2026-10-01", "2026-10-01", acc), "end-date - must be greater than start date"},
		{"the end has come", fmt.Sprintf(invoiceDoc, "2026-11-01", "2026-12-01", acc), "data: end_time can't be in future"},
		{"a period is invoiced once", fmt.Sprintf(invoiceDoc, "2026-10-31", "2026-11-02", acc), "data: have invoice inside provided period"},
		{"an account that is invoiced by itself is left alone", fmt.Sprintf(invoiceDoc, "2026-09-01", "2026-10-01", auto), "account - have invoices auto generation enabled"},
		{"nothing else is set", `{"data":{"type":"invoices","attributes":{"state":"Approved"}}}`, ": state is not allowed."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := r.admin("POST", "/invoices", tt.doc).details(); got != tt.want {
				t.Errorf("details = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestAnInvoiceIsReadFilteredAndDeleted(t *testing.T) {
	r := newRig(t)
	con := r.contractor("Northfield")
	acc, other := r.account(con, "one", `,"timezone":"America/Los_Angeles"`), r.account(con, "two", "")
	at := time.Date(2026, 10, 1, 7, 0, 0, 0, time.UTC)
	call := r.history(acc, "", at, func(c *rating.Call) {
		c.SetInt(rating.CDRDuration, 60)
		c.SetBool(rating.CDRSuccess, true)
		c.SetInt(rating.CDRCustomerDuration, 60)
		c.SetText(rating.CDRDestinationPrefix, "48")
		r.must(c.Parse(rating.CDRDestinationNextRate, "1"))
		r.must(c.Parse(rating.CDRCustomerPrice, "1.23"))
	})
	r.history(acc, "", at.Add(-time.Second), nil) // the day before, in the account's zone
	made := r.admin("POST", "/invoices", fmt.Sprintf(invoiceDoc, "2026-10-01", "2026-11-01", acc))
	for _, want := range []string{`"state":"New"`, `"start-date":"2026-10-01T07:00:00.000Z"`, `"end-date":"2026-11-01T07:00:00.000Z"`, `"pdf-path":null`, `"originated-first-call-at":null`} {
		if !strings.Contains(made.body, want) {
			t.Errorf("created: %s, want %s in it", made.body, want)
		}
	}
	id := "1"
	if _, err := r.db.FillNew(t.Context()); err != nil {
		t.Fatal(err)
	}
	self := r.base + AdminBase + "/invoices/" + id
	rel := func(name string) string {
		return `"` + name + `":{"links":{"self":"` + self + `/relationships/` + name + `","related":"` + self + `/` + name + `"}`
	}
	figures := func(prefix, spent, calls, successful, seconds, moment string) string {
		return fmt.Sprintf(`"%[1]samount-spent":"%[2]s","%[1]samount-earned":"0.0","%[1]scalls-count":%[3]s,"%[1]ssuccessful-calls-count":%[4]s,"%[1]scalls-duration":%[5]s,"%[1]sbilling-duration":%[5]s,"%[1]sfirst-call-at":%[6]s,"%[1]slast-call-at":%[6]s,`,
			prefix, spent, calls, successful, seconds, moment)
	}
	want := `{"data":{"id":"1","type":"invoices","links":{"self":"` + self + `"},"attributes":{"reference":"1","state":"Pending","invoice-type":"Manual",` +
		`"start-date":"2026-10-01T07:00:00.000Z","end-date":"2026-11-01T07:00:00.000Z","pdf-path":null,"odt-path":null,"amount-spent":"1.23","amount-earned":"0.0",` +
		figures("originated-", "1.23", "1", "1", "60", `"2026-10-01T07:00:00.000Z"`) + figures("terminated-", "0.0", "0", "0", "0", "null") +
		`"services-amount-spent":"0.0","services-amount-earned":"0.0","service-transactions-count":0},"relationships":{` +
		rel("account") + `,"data":{"type":"accounts","id":"` + acc + `"}},` + rel("originated-destinations") + `},` + rel("originated-networks") + `},` +
		rel("terminated-destinations") + `},` + rel("terminated-networks") + `},` + rel("service-data") + `}}}}`
	if got := r.admin("GET", "/invoices/"+id, "").body; got != want {
		t.Errorf("document\n got %s\nwant %s", got, want)
	}
	if got := r.attribute("/cdrs/"+call, "customer-invoice-id"); got != "1" {
		t.Errorf("the call's invoice = %s, want 1", got)
	}
	for _, tt := range []struct{ name, path, want string }{
		{"of an account", "/invoices?filter[account_id_eq]=" + acc, "1 of 1"},
		{"of another account", "/invoices?filter[account-id-in]=" + other, " of 0"},
		{"by state", "/invoices?filter[state_eq]=Pending", "1 of 1"},
		{"the case of a state matters", "/invoices?filter[state_eq]=pending", "error 107"},
		{"by type", "/invoices?filter[invoice_type_in]=Auto%20Full,Manual", "1 of 1"},
		{"by amount", "/invoices?filter[amount_spent_gt]=1.229", "1 of 1"},
		{"by first call", "/invoices?filter[originated_first_call_at_lt]=2026-10-01", " of 0"},
		{"states do not sort", "/invoices?sort=state", "error 114"},
		{"account.id is no filter", "/invoices?filter[account.id]=1", "error 102"},
		{"lines of all invoices of an account (quirk Q7)", "/invoice-originated-destinations?filter[invoice_account_id_eq]=" + acc, "1 of 1"},
		{"lines of an account without any", "/invoice-originated-destinations?filter[invoice_account_id_eq]=" + other, " of 0"},
		{"lines by prefix", "/invoice-originated-destinations?filter[dst_prefix_start]=4&filter[invoice_id_eq]=1", "1 of 1"},
		{"networks have no prefix", "/invoice-originated-networks?filter[dst_prefix_start]=4", "error 102"},
		{"lines of an invoice", "/invoices/1/originated-networks?filter[spent_eq]=true", "2 of 1"},
		{"terminated lines", "/invoices/1/terminated-networks", " of 0"},
		{"the calls on it", "/cdrs?filter[customer_invoice_id_eq]=1", call + " of 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := r.admin("GET", brackets.Replace(tt.path), "").listed(t); got != tt.want {
				t.Errorf("%s = %s, want %s", tt.path, got, tt.want)
			}
		})
	}
	if a := r.admin("GET", "/invoices/1?include=originated-destinations.country,account.contractor", ""); strings.Count(a.body, `"type":"contractors","links"`) != 1 {
		t.Errorf("nested include = %s", a.body)
	}
	if a := r.admin("GET", "/invoices/1/pdf", ""); a.StatusCode != 404 || a.body != "" {
		t.Errorf("no document = %d %q, want an empty 404", a.StatusCode, a.body)
	}
	r.update(func(tx *storage.Tx) error {
		return tx.Documents.Put(&storage.Document{ID: 1, Name: "Northfield 1.pdf", Type: "application/pdf", Body: []byte("%PDF")})
	})
	if a := r.admin("GET", "/invoices/1/pdf", ""); a.body != "%PDF" || a.Header.Get("Content-Type") != "application/pdf" || a.Header.Get("Content-Disposition") != `attachment; filename="invoice-1.pdf"` {
		t.Errorf("document = %v %q", a.Header, a.body)
	}
	if got, want := r.attribute("/invoices/1", "pdf-path"), "/api/rest/admin/files/invoice-1.pdf"; strings.Trim(got, `"`) != want {
		t.Errorf("pdf-path = %s, want %s", got, want)
	}
	for path, want := range map[string]int{"/files/invoice-1.pdf": 200, "/files/invoice-2.pdf": 404, "/files/": 404, "/files/invoice-01.pdf": 404} {
		if a := r.admin("GET", path, ""); a.StatusCode != want {
			t.Errorf("GET %s = %d, want %d", path, a.StatusCode, want)
		}
	}
	r.customerReadsInvoices(con, acc, other)
	if got, want := r.admin("DELETE", "/invoices/1", "").details(), "data: Approved invoice cannot be deleted"; got != want {
		t.Errorf("deleting an approved invoice = %s, want %s", got, want)
	}
	again := r.create("/invoices", fmt.Sprintf(invoiceDoc, "2026-09-01", "2026-10-01", acc))
	if a := r.admin("DELETE", "/invoices/"+again, ""); a.StatusCode != 204 {
		t.Errorf("deleting a new invoice = %d %s, want 204", a.StatusCode, a.body)
	}
	clean(t, r.db)
}

// customerReadsInvoices approves invoice 1 and reads it as its customer and as others.
func (r *rig) customerReadsInvoices(con, acc, other string) {
	t, token := r.t, r.customer(con, "")
	if got, want := r.own(token, "/invoices").listed(t), " of 0"; got != want {
		t.Errorf("before approval = %s, want %s", got, want)
	}
	var uuid string
	r.update(func(tx *storage.Tx) error {
		inv, err := tx.ApproveInvoice(1)
		if err == nil {
			uuid = inv.UUID.String()
		}
		return err
	})
	if got, want := r.own(token, "/invoices?"+brackets.Replace("filter[account_id_not_eq]=00000000-0000-0000-0000-000000000001")).listed(t), uuid+" of 1"; got != want {
		t.Errorf("after approval = %s, want %s", got, want)
	}
	if a := r.own(token, "/invoices/"+uuid); !strings.Contains(a.body, `"attributes":{"reference":"1","start-date":"2026-10-01T07:00:00.000Z","end-date":"2026-11-01T07:00:00.000Z","has-pdf":true,"amount-spent":"1.23","originated-amount-spent":"1.23",`) {
		t.Errorf("the customer's view = %s", a.body)
	}
	if a := r.own(token, "/invoices/"+uuid+"/download"); a.body != "%PDF" {
		t.Errorf("download = %d %q", a.StatusCode, a.body)
	}
	for _, stranger := range []string{r.customer(con, other), r.customer(r.contractor("Stranger"), "")} {
		if a := r.own(stranger, "/invoices/"+uuid+"/download"); a.StatusCode != 404 || !strings.Contains(a.body, "Record not found") {
			t.Errorf("a stranger's download = %d %s, want 404", a.StatusCode, a.body)
		}
		if got, want := r.own(stranger, "/invoices").listed(t), " of 0"; got != want {
			t.Errorf("a stranger's list = %s, want %s", got, want)
		}
	}
}
