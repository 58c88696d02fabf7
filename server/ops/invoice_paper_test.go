package ops

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"billd/rating"
	"billd/server/mailtest"
	"billd/storage"
)

// billed is a store with one filled invoice of a Ukrainian customer with a Polish seller: calls at two
// VAT rates, reverse-billed and terminated ones, a service and a recurring charge.
func billed(t *testing.T) *post {
	p := newPost(t)
	text := func(s string) *string { return &s }
	p.update(func(tx *storage.Tx) error {
		seller, err := tx.Contractors.Get(1)
		if err != nil {
			return err
		}
		seller.Name, seller.Address, seller.Phones = "Łódź Telekom Sp. z o.o.", text("ul. Piotrkowska 100\n90-001 Łódź\nNIP 725-000-00-00"), text("+48 42 000 00 00")
		if err := tx.Contractors.Put(seller); err != nil {
			return err
		}
		buyer := &storage.Contractor{Name: "Київські мережі ТОВ", Enabled: true, Customer: true, Address: text("вул. Хрещатик 1, Київ")}
		if err := tx.Contractors.Put(buyer); err != nil {
			return err
		}
		if err := tx.Contacts.Put(&storage.Contact{Contractor: buyer.ID, Email: "рахунки@example.com"}); err != nil {
			return err
		}
		if err := tx.Contacts.Put(&storage.Contact{Contractor: buyer.ID, Email: "bills@example.com"}); err != nil {
			return err
		}
		a := &rating.Account{Name: "Головний", Contractor: buyer.ID, VAT: 23_000_000, Timezone: "Europe/Kyiv", InvoiceContacts: []int64{2}}
		if err := tx.CreateAccount(a); err != nil {
			return err
		}
		greece := &storage.Country{Name: "Ελλάδα", ISO2: "XG"}
		if err := tx.Countries.Put(greece); err != nil {
			return err
		}
		for i := range 60 {
			c := &rating.Call{Rated: true}
			c.SetTime(rating.CDRTimeStart, p.clock.AddDate(0, 0, -20).Add(time.Duration(i)*time.Hour/10))
			c.SetInt(rating.CDRCustomerAccID, int64(a.ID))
			c.SetInt(rating.CDRCustomerAccVAT, 23_000_000)
			if i%7 == 3 {
				c.SetInt(rating.CDRCustomerAccVAT, 8_000_000)
			}
			c.SetInt(rating.CDRCustomerPriceNoVAT, int64(1_234_567*(i+1)))
			c.SetInt(rating.CDRCustomerPrice, int64(1_234_567*(i+1))*(100+c.Int(rating.CDRCustomerAccVAT)/1_000_000)/100)
			c.SetInt(rating.CDRDuration, int64(61+i*60))
			c.SetInt(rating.CDRCustomerDuration, int64(120+i*60))
			c.SetBool(rating.CDRSuccess, i%5 != 0)
			c.SetBool(rating.CDRDestinationReverseBilling, i%20 == 19)
			c.SetText(rating.CDRDestinationPrefix, []string{"30", "30210", "48", "4822", "380"}[i%5])
			c.SetInt(rating.CDRDestinationNextRate, int64(12_300_000*(i%3+1)))
			if i%5 < 2 {
				c.SetInt(rating.CDRDstCountryID, int64(greece.ID))
			}
			if i%4 == 0 {
				c.SetInt(rating.CDRVendorAccID, int64(a.ID))
				c.SetInt(rating.CDRVendorPrice, 100_000)
				c.SetText(rating.CDRDialpeerPrefix, "48")
			}
			if _, err := tx.Charge(c); err != nil {
				return err
			}
		}
		_, err = tx.Transact(a, 12_500_000, "Line rental", 0, "")
		return err
	})
	p.wait(36 * time.Hour)
	p.run(ExitOK, "invoice-run", `{"account":"Головний","from":"2026-11-01","to":"2026-11-22"}`, "")
	return p
}

func (p *post) pdf(id uint64) []byte {
	p.t.Helper()
	var body []byte
	if err := p.env.DB.View(p.t.Context(), func(tx *storage.Tx) error {
		doc, err := PaperOf(tx, id)
		if err == nil {
			body = doc.Body
		}
		return err
	}); err != nil {
		p.t.Fatal(err)
	}
	return body
}

// readPDF is a paper as pdftotext reads it.
func readPDF(t *testing.T, body []byte) string {
	t.Helper()
	if _, err := exec.LookPath("pdftotext"); err != nil {
		t.Skip("needs pdftotext of poppler-utils to read the PDF")
	}
	file := filepath.Join(t.TempDir(), "a.pdf")
	if err := os.WriteFile(file, body, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "pdftotext", "-layout", file, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(out), "\u00a0", " ")
}

func TestAnInvoicesPaperIsTheSameEachTime(t *testing.T) {
	p := billed(t)
	draft := p.pdf(1)
	if !bytes.Equal(draft, p.pdf(1)) {
		t.Error("two drawings of one draft differ")
	}
	p.run(ExitOK, "invoice-approve", `{"id":1}`, "")
	drawn := p.pdf(1)
	if bytes.Equal(drawn, draft) {
		t.Error("the approved paper is the draft")
	}
	if n, err := MakePapers(t.Context(), p.env); n != 1 || err != nil {
		t.Errorf("made %d papers, %v; want 1", n, err)
	}
	if n, err := MakePapers(t.Context(), p.env); n != 0 || err != nil {
		t.Errorf("made %d papers again, %v", n, err)
	}
	p.update(func(tx *storage.Tx) error { // what is out does not change
		c, err := tx.Contractors.Get(2)
		if err != nil {
			return err
		}
		c.Name = "Renamed"
		return tx.Contractors.Put(c)
	})
	if !bytes.Equal(drawn, p.pdf(1)) {
		t.Error("the kept paper is not the one that was drawn at approval")
	}
	if got := p.run(ExitOK, "invoice-pdf", `{"id":1}`, ""); got != string(drawn) {
		t.Errorf("the command wrote %d bytes, want the paper's %d", len(got), len(drawn))
	}
	p.run(ExitFailed, "invoice-pdf", `{"id":9}`, "")
}

func TestAnInvoicesPaperAddsUp(t *testing.T) {
	p := billed(t)
	p.run(ExitOK, "invoice-approve", `{"id":1}`, "")
	var inv *rating.Invoice
	var balance rating.Money
	if err := p.env.DB.View(t.Context(), func(tx *storage.Tx) (err error) {
		if inv, err = tx.Invoices.Get(1); err != nil {
			return err
		}
		a, err := tx.Accounts.Get(uint64(inv.Account))
		if err == nil {
			balance, err = tx.AccountBalance(a)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	due, err := inv.Due()
	if err != nil {
		t.Fatal(err)
	}
	if inv.Origin == rating.Own && len(due.Shares) != 3 {
		t.Errorf("shares = %v, want 23 %%, 8 %% and none", due.Shares)
	}
	got := readPDF(t, p.pdf(1))
	for _, want := range []string{"Łódź Telekom Sp. z o.o.", "90-001 Łódź", "Київські мережі ТОВ", "вул. Хрещатик 1, Київ", "Account: Головний (no. 2)", "Ελλάδα",
		"1 November 2026", "21 November 2026", "Europe/Kyiv", "Net, 23 % VAT", "VAT, 23 % VAT", "Net, 8 % VAT", "Net, without VAT", "Other charges", "12.50",
		"Calls made, by country", "Calls made, by network", "Calls made, by destination", "Calls terminated for us, by destination",
		strings.ReplaceAll("EUR "+amountText(due.Total, 2), "\u00a0", " "), "Page 1 of "} {
		if !strings.Contains(got, want) {
			t.Errorf("the paper lacks %q:\n%s", want, got)
		}
	}
	for _, want := range []string{`Calls made +57 `, `Calls made, in your favour +3 `, `Calls terminated for us +15 `, `Services and other charges +1 `} {
		if !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("the summary lacks %q", want)
		}
	}
	if strings.Contains(got, "DRAFT") {
		t.Error("an approved invoice is marked as a draft")
	}
	// the calls are history and moved nothing: what the paper asks for beyond them, the account owes
	if calls := inv.Originated.Spent - inv.Originated.Earned - inv.Terminated.Earned; due.Total-calls != -balance {
		t.Errorf("the paper asks for %s with calls of %s, the account owes %s", due.Total, calls, -balance)
	}
}

func TestAnApprovedInvoiceIsMailedWithItsPaper(t *testing.T) {
	p := billed(t)
	s := mailtest.Start(t, nil)
	p.mailServer(s.Host, s.Port)
	p.deliver(0)
	for range 2 { // approving again mails nothing
		p.run(ExitOK, "invoice-approve", `{"id":1}`, "")
	}
	p.deliver(1)
	l := s.Letters()
	if len(l) != 1 || l[0].To != "bills@example.com" || !strings.Contains(l[0].Data, `filename="invoice-1.pdf"`) || !strings.Contains(l[0].Data, "application/pdf") {
		t.Fatalf("letters = %d, want one with invoice-1.pdf", len(l))
	}
	if err := p.env.DB.View(t.Context(), func(tx *storage.Tx) error {
		d, err := tx.Documents.Get(1)
		if err == nil && (d.Name != "invoice-1.pdf" || !bytes.HasPrefix(d.Body, []byte("%PDF"))) {
			t.Errorf("kept paper = %s of %d bytes", d.Name, len(d.Body))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestAmountsAreSpelledInFull(t *testing.T) {
	for _, tt := range []struct {
		m      rating.Money
		places int
		want   string
	}{
		{0, 2, "0.00"}, {1_234_567_890_000, 2, "1\u00a0234\u00a0567.89"}, {-1_500_000, 2, "−1.50"}, {123, 6, "0.000123"}, {1_000_000, 0, "1"},
		{999_999_000_000, 3, "999\u00a0999.000"}, {rating.MaxMoney, 2, "9\u00a0000\u00a0000\u00a0000\u00a0000.00"},
	} {
		if got := amountText(tt.m, tt.places); got != tt.want {
			t.Errorf("amountText(%s, %d) = %q, want %q", tt.m, tt.places, got, tt.want)
		}
	}
	if got, want := clockText(3_723_600), "1034:20:00"; got != want {
		t.Errorf("clockText = %s, want %s", got, want)
	}
}

func TestALongTableEndsInOneRowThatSumsTheRest(t *testing.T) {
	p := &invoicePaper{inv: &rating.Invoice{Currency: rating.Currency{'E', 'U', 'R'}}, names: map[string]string{}}
	lines := make([]*rating.InvoiceLine, maxPaperRows+7)
	for i := range lines {
		amount, calls := rating.Money(1_000_000), int64(2)
		lines[i] = &rating.InvoiceLine{Spent: true, Amount: &amount, Calls: &calls}
	}
	table := p.byDestination("x", lines)
	last := table.Rows[len(table.Rows)-1]
	if len(table.Rows) != maxPaperRows+1 || last[0] != "7 more" || last[4] != "14" || last[7] != "7.00" {
		t.Errorf("%d rows, the last %q; want %d and the rest summed", len(table.Rows), last, maxPaperRows+1)
	}
	if got := table.Sums[0]; got[4] != "10014" || got[7] != "5\u00a0007.00" {
		t.Errorf("sum = %q, want that of all", got)
	}
}
