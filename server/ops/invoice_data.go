package ops

import (
	"fmt"
	"io"
	"slices"
	"strconv"

	"billd/rating"
	"billd/server/paper"
)

// data is what subscriptions used: what the data charges among the services are for.
func (p *invoicePaper) data() paper.Table {
	places := p.inv.Currency.MinorUnits()
	for i := range p.inv.Data {
		places = max(places, p.places(p.inv.Data[i].Amount))
	}
	t := paper.Table{Title: "Data (amounts are part of the services)", Columns: []paper.Column{{Name: "User and plan", Width: 4}, {Name: "Days", Width: 2.3},
		{Name: "Down", Width: 1.7, Right: true}, {Name: "Up", Width: 1.7, Right: true}, {Name: "Period so far", Width: 2.4, Right: true}, {Name: "Units", Width: 1.1, Right: true}, {Name: "Amount", Width: 1.6, Right: true}}}
	sum := rating.Money(0)
	for i := range p.inv.Data {
		d := &p.inv.Data[i]
		sum += d.Amount // as part of the services, it was Money
		t.Rows = append(t.Rows, []string{d.User + ", " + d.Plan, dataDays(d),
			rating.Bytes(d.Used.Down).Short(d.Unit), rating.Bytes(d.Used.Up).Short(d.Unit), dataCounted(d), strconv.FormatUint(chargedUnits(d), 10), amountText(d.Amount, places)})
	}
	t.Sums = [][]string{{"Sum", "", "", "", "", "", amountText(sum, places)}}
	return t
}

// dataNotes say what each plan costs and how many bytes its unit has.
func (p *invoicePaper) dataNotes() (notes []string) {
	for i := range p.inv.Data {
		d := &p.inv.Data[i]
		note := fmt.Sprintf("Data plan %s: %s, net; %s.", d.Plan, d.Terms, d.Unit.Definition())
		if !slices.Contains(notes, note) {
			notes = append(notes, note)
		}
	}
	return notes
}

// dataDays says which days a row is about.
func dataDays(d *rating.InvoiceData) string {
	switch {
	case d.From == "":
		return "late, period from " + d.Period
	case d.From == d.To:
		return d.From
	}
	return d.From + " to " + d.To
}

// dataCounted says what of the plan's period is counted so far, and of how much.
func dataCounted(d *rating.InvoiceData) string {
	if d.Allowance == 0 {
		return d.Counted.Short(d.Unit)
	}
	return d.Counted.Short(d.Unit) + " of " + d.Allowance.In(d.Unit)
}

// chargedUnits is the started units that bear the price: those beyond the allowance where there is one and
// what is up to it is included.
func chargedUnits(d *rating.InvoiceData) uint64 {
	if d.Allowance > 0 && d.Charge.Over > 0 {
		return d.Charge.Over
	}
	if d.Charge.Net == 0 {
		return 0
	}
	return d.Charge.Units()
}

// invoiceDataTable prints what subscriptions used.
func invoiceDataTable(w io.Writer, data []rating.InvoiceData) error {
	t := NewTable(w, "user", "plan", "days", "down", "up", "period so far", "units", "amount", "terms")
	for i := range data {
		d := &data[i]
		t.Row(d.User, d.Plan, dataDays(d), rating.Bytes(d.Used.Down).Short(d.Unit), rating.Bytes(d.Used.Up).Short(d.Unit), dataCounted(d), chargedUnits(d), d.Amount, d.Terms+"; "+d.Unit.Definition())
	}
	return t.Close()
}
