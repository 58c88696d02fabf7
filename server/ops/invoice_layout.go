package ops

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"billd/rating"
	"billd/server/paper"
	"billd/storage"
)

// maxPaperRows bounds a table on paper; further rows are summed in one.
const maxPaperRows = 5000

// invoicePaper gathers what an invoice's paper says.
type invoicePaper struct {
	tx      *storage.Tx
	inv     *rating.Invoice
	account *rating.Account
	zone    *time.Location
	due     rating.InvoiceDue
	lines   map[rating.LineKind][]*rating.InvoiceLine
	names   map[string]string // of countries and networks, read once
}

func newInvoicePaper(tx *storage.Tx, inv *rating.Invoice) (*paper.Document, error) {
	p := &invoicePaper{tx: tx, inv: inv, lines: map[rating.LineKind][]*rating.InvoiceLine{}, names: map[string]string{}}
	var err error
	if p.account, err = tx.Accounts.Get(uint64(inv.Account)); err != nil {
		return nil, err
	}
	if p.due, err = inv.Due(); err != nil {
		return nil, err
	}
	p.zone = tx.Location(p.account)
	err = tx.LinesOf(inv.ID, 0, func(l *rating.InvoiceLine) (bool, error) {
		p.lines[l.Kind] = append(p.lines[l.Kind], l)
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return p.document()
}

func (p *invoicePaper) document() (*paper.Document, error) {
	inv := p.inv
	d := &paper.Document{Title: "Invoice", Name: "Invoice " + inv.Reference, At: inv.ApprovedAt, BuyerIs: "Bill to", Summary: p.summary(),
		Due: paper.Fact{Label: "Total due", Value: p.total(p.due.Total)}}
	if inv.State != rating.InvoiceApproved {
		d.Mark, d.At = "DRAFT", inv.CreatedAt
	}
	if p.due.Total < 0 {
		d.Due = paper.Fact{Label: "In your favour", Value: p.total(-p.due.Total)}
	}
	master, err := p.tx.Accounts.Get(uint64(rating.MasterAccount))
	if err != nil {
		return nil, err
	}
	if d.Seller, err = p.company(master.Contractor); err != nil {
		return nil, err
	}
	if d.Buyer, err = p.company(inv.Contractor); err != nil {
		return nil, err
	}
	d.Buyer.Lines = append(d.Buyer.Lines, fmt.Sprintf("Account: %s (no. %d)", p.account.Name, p.account.ID))
	d.Facts = p.facts()
	d.Notes = p.notes()
	d.Sections = p.sections()
	return d, nil
}

// company is a contractor's name and address.
func (p *invoicePaper) company(id uint64) (who paper.Party, err error) {
	c, err := p.tx.Contractors.Get(id)
	if err != nil {
		return who, err
	}
	who.Name = c.Name
	for _, text := range []*string{c.Address, c.Phones} {
		if text == nil {
			continue
		}
		for line := range strings.Lines(*text) {
			if line = strings.TrimSpace(line); line != "" {
				who.Lines = append(who.Lines, line)
			}
		}
	}
	return who, nil
}

// facts are number, dates and period, in the account's zone.
func (p *invoicePaper) facts() []paper.Fact {
	inv := p.inv
	var facts []paper.Fact
	if inv.Number != 0 {
		facts = append(facts, paper.Fact{Label: "Invoice no.", Value: strconv.FormatUint(inv.Number, 10)})
	}
	facts = append(facts, paper.Fact{Label: "Reference", Value: inv.Reference})
	if !inv.ApprovedAt.IsZero() {
		facts = append(facts, paper.Fact{Label: "Date", Value: inv.ApprovedAt.In(p.zone).Format("2 January 2006")})
	}
	start, end := inv.Start.In(p.zone), inv.End.In(p.zone)
	if midnight(start) && midnight(end) { // then the last day is a whole one
		facts = append(facts, paper.Fact{Label: "From", Value: start.Format("2 January 2006")}, paper.Fact{Label: "To", Value: end.AddDate(0, 0, -1).Format("2 January 2006")})
	} else {
		facts = append(facts, paper.Fact{Label: "From", Value: start.Format("2 Jan 2006 15:04:05")}, paper.Fact{Label: "Until", Value: end.Format("2 Jan 2006 15:04:05")})
	}
	return append(facts, paper.Fact{Label: "Time zone", Value: p.account.Timezone}, paper.Fact{Label: "Currency", Value: inv.Currency.String()})
}

func midnight(t time.Time) bool {
	return t.Equal(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location()))
}

// summary is what the sum consists of, and below the line the sum by VAT rate.
func (p *invoicePaper) summary() *paper.Table {
	originated, terminated, services := p.split(rating.OriginatedDestination), p.split(rating.TerminatedDestination), p.split(rating.ServiceLine)
	parts := []struct {
		name string
		sums callSums
	}{
		{"Calls made", originated[0]}, {"Calls made, in your favour", originated[1]},
		{"Calls terminated for us", terminated[1]}, {"Calls terminated, charged", terminated[0]},
		{"Services and other charges", services[0]}, {"Services and other credits", services[1]},
	}
	t := &paper.Table{Columns: []paper.Column{{Name: "", Width: 5}, {Name: "Count", Width: 1.5, Right: true}, {Name: "Billed time", Width: 2, Right: true}, {Name: "Amount", Width: 2.5, Right: true}}}
	places := p.inv.Currency.MinorUnits()
	for _, part := range parts {
		places = max(places, p.places(part.sums.amount))
	}
	for i, part := range parts {
		if part.sums.calls == 0 {
			continue
		}
		billed := ""
		if i < 4 { // services take no time
			billed = clockText(part.sums.billed)
		}
		t.Rows = append(t.Rows, []string{part.name, strconv.FormatInt(part.sums.calls, 10), billed, amountText(part.sums.amount, places)})
	}
	if len(t.Rows) == 0 {
		t.Rows = append(t.Rows, []string{"Nothing was charged in this period", "", "", amountText(0, places)})
	}
	for _, s := range p.due.Shares {
		t.Sums = append(t.Sums, []string{"Net, " + rateText(s.Rate), "", "", p.plain(s.Net)})
		if s.Tax != 0 {
			t.Sums = append(t.Sums, []string{"VAT, " + rateText(s.Rate), "", "", p.plain(s.Tax)})
		}
	}
	if len(t.Sums) == 0 {
		t.Sums = append(t.Sums, []string{"Sum", "", "", p.plain(p.due.Total)})
	}
	return t
}

// split sums the lines of a kind: what was spent, and what was earned.
func (p *invoicePaper) split(kind rating.LineKind) (sums [2]callSums) {
	for _, l := range p.lines[kind] {
		if l.Spent {
			sums[0].add(l)
		} else {
			sums[1].add(l)
		}
	}
	return sums
}

// rateText names a VAT rate.
func rateText(rate rating.Percent) string {
	switch {
	case rate == rating.PostedVAT:
		return "recurring charges"
	case rate == 0:
		return "without VAT"
	}
	return strings.TrimSuffix(rate.String(), ".0") + " % VAT"
}

// notes say how exact amounts and the sum belong together.
func (p *invoicePaper) notes() (notes []string) {
	if p.due.Rounding != 0 {
		notes = append(notes, fmt.Sprintf("The exact sum is %s. It is rounded for each VAT rate to the currency's minor unit; the difference of %s is booked to the account.",
			p.exact(p.inv.Spent-p.inv.Earned), p.exact(p.due.Rounding)))
	}
	for _, s := range p.due.Shares {
		if s.Tax != 0 {
			notes = append(notes, "Amounts of calls include VAT.")
			break
		}
	}
	notes = append(notes, p.dataNotes()...)
	if p.inv.State != rating.InvoiceApproved {
		notes = append(notes, "This is a draft: its figures may change until it is approved.")
	}
	return notes
}

// total spells the sum as it is paid.
func (p *invoicePaper) total(m rating.Money) string {
	return p.inv.Currency.String() + " " + p.plain(m)
}

// plain spells a rounded amount.
func (p *invoicePaper) plain(m rating.Money) string {
	return amountText(m, p.inv.Currency.MinorUnits())
}

// exact spells an amount with every decimal that it has, at least those of the minor unit.
func (p *invoicePaper) exact(m rating.Money) string { return amountText(m, p.places(m)) }

// places is how many decimals an amount needs, at least those of the currency's minor unit.
func (p *invoicePaper) places(m rating.Money) int {
	_, fraction, _ := strings.Cut(m.String(), ".")
	return max(len(strings.TrimRight(fraction, "0")), p.inv.Currency.MinorUnits())
}

// amountText spells an amount with so many decimals, its thousands apart.
func amountText(m rating.Money, places int) string {
	whole, fraction, _ := strings.Cut(m.Abs().String(), ".")
	var b strings.Builder
	if m < 0 {
		b.WriteString("−")
	}
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString("\u00a0")
		}
		b.WriteRune(digit)
	}
	if places > 0 {
		b.WriteString("." + (fraction + "000000")[:places])
	}
	return b.String()
}

// clockText spells seconds as hours, minutes and seconds.
func clockText(seconds int64) string {
	return fmt.Sprintf("%d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
}
