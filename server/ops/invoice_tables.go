package ops

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"billd/rating"
	"billd/server/paper"
)

// callSums are the figures of one or many rows of calls.
type callSums struct {
	calls, answered, billed int64
	amount                  rating.Money
}

// add counts a line: what was earned is below 0. A sum beyond Money has failed when the invoice was
// filled.
func (s *callSums) add(l *rating.InvoiceLine) {
	s.calls += value(l.Calls)
	s.answered += value(l.Successful)
	s.billed += value(l.BillingDuration)
	s.amount += signed(l)
}

func signed(l *rating.InvoiceLine) rating.Money {
	if l.Spent {
		return value(l.Amount)
	}
	return -value(l.Amount)
}

func (s callSums) cells(places int) []string {
	return []string{strconv.FormatInt(s.calls, 10), strconv.FormatInt(s.answered, 10), clockText(s.billed), amountText(s.amount, places)}
}

// callColumns are the columns that every table of calls ends with.
var callColumns = []paper.Column{{Name: "Calls", Width: 1.3, Right: true}, {Name: "Answered", Width: 1.4, Right: true}, {Name: "Billed time", Width: 1.8, Right: true}, {Name: "Amount", Width: 2.2, Right: true}}

// sections is the breakdown: calls of each side by country, network and destination, then services.
func (p *invoicePaper) sections() (list []paper.Table) {
	for _, side := range []struct {
		of                    string
		destinations, network rating.LineKind
	}{{"Calls made", rating.OriginatedDestination, rating.OriginatedNetwork}, {"Calls terminated for us", rating.TerminatedDestination, rating.TerminatedNetwork}} {
		if lines := p.lines[side.destinations]; len(lines) > 0 {
			list = append(list, p.byCountry(side.of+", by country", lines), p.byNetwork(side.of+", by network", p.lines[side.network]), p.byDestination(side.of+", by destination", lines))
		}
	}
	if lines := p.lines[rating.ServiceLine]; len(lines) > 0 {
		list = append(list, p.services(lines))
	}
	if len(p.inv.Data) > 0 {
		list = append(list, p.data())
	}
	return list
}

func (p *invoicePaper) byCountry(title string, lines []*rating.InvoiceLine) paper.Table {
	sums := map[string]*callSums{}
	for _, l := range lines {
		name := p.country(l)
		if sums[name] == nil {
			sums[name] = &callSums{}
		}
		sums[name].add(l)
	}
	names := make([]string, 0, len(sums))
	for name := range sums {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(sums[b].amount, sums[a].amount), cmp.Compare(a, b)) // the dearest first
	})
	t := p.callTable(title, lines, paper.Column{Name: "Country", Width: 5})
	for _, name := range names {
		t.Rows = append(t.Rows, append([]string{name}, sums[name].cells(p.linePlaces(lines))...))
	}
	return t
}

func (p *invoicePaper) byNetwork(title string, lines []*rating.InvoiceLine) paper.Table {
	t := p.callTable(title, lines, paper.Column{Name: "Country", Width: 2.6}, paper.Column{Name: "Network", Width: 3.2}, paper.Column{Name: "Per minute", Width: 1.8, Right: true})
	return p.rows(t, lines, func(l *rating.InvoiceLine) []string { return []string{p.country(l), p.network(l), priceText(l.Rate)} })
}

func (p *invoicePaper) byDestination(title string, lines []*rating.InvoiceLine) paper.Table {
	t := p.callTable(title, lines, paper.Column{Name: "Prefix", Width: 1.8}, paper.Column{Name: "Country", Width: 2.2}, paper.Column{Name: "Network", Width: 2.4}, paper.Column{Name: "Per minute", Width: 1.7, Right: true})
	return p.rows(t, lines, func(l *rating.InvoiceLine) []string {
		prefix := "–"
		if l.Prefix != nil {
			prefix = *l.Prefix
		}
		return []string{prefix, p.country(l), p.network(l), priceText(l.Rate)}
	})
}

// callTable starts a table of calls with its sum.
func (p *invoicePaper) callTable(title string, lines []*rating.InvoiceLine, columns ...paper.Column) paper.Table {
	sum := callSums{}
	for _, l := range lines {
		sum.add(l)
	}
	end := make([]string, len(columns))
	end[0] = "Sum"
	return paper.Table{Title: title, Columns: append(slices.Clone(columns), callColumns...), Sums: [][]string{append(end, sum.cells(p.linePlaces(lines))...)}}
}

// rows adds a row for each line, those beyond the limit in one.
func (p *invoicePaper) rows(t paper.Table, lines []*rating.InvoiceLine, cells func(*rating.InvoiceLine) []string) paper.Table {
	places := p.linePlaces(lines)
	shown := lines[:min(len(lines), maxPaperRows)]
	for _, l := range shown {
		one := callSums{}
		one.add(l)
		t.Rows = append(t.Rows, append(cells(l), one.cells(places)...))
	}
	if left := lines[len(shown):]; len(left) > 0 {
		rest := callSums{}
		for _, l := range left {
			rest.add(l)
		}
		row := make([]string, len(t.Columns)-len(callColumns))
		row[0] = fmt.Sprintf("%d more", len(left))
		t.Rows = append(t.Rows, append(row, rest.cells(places)...))
	}
	return t
}

func (p *invoicePaper) services(lines []*rating.InvoiceLine) paper.Table {
	places := p.linePlaces(lines)
	t := paper.Table{Title: "Services and other charges", Columns: []paper.Column{{Name: "Service", Width: 6}, {Name: "Count", Width: 1.5, Right: true}, {Name: "Amount", Width: 2.5, Right: true}}}
	count, sum := int64(0), rating.Money(0)
	for _, l := range lines {
		count += value(l.Calls)
		sum += signed(l)
		t.Rows = append(t.Rows, []string{p.service(l), strconv.FormatInt(value(l.Calls), 10), amountText(signed(l), places)})
	}
	t.Sums = [][]string{{"Sum", strconv.FormatInt(count, 10), amountText(sum, places)}}
	return t
}

// linePlaces is how many decimals the amounts of lines need.
func (p *invoicePaper) linePlaces(lines []*rating.InvoiceLine) (places int) {
	places = p.inv.Currency.MinorUnits()
	for _, l := range lines {
		places = max(places, p.places(value(l.Amount)))
	}
	return places
}

func (p *invoicePaper) country(l *rating.InvoiceLine) string {
	return p.named("country", l.Country, func(id uint64) (string, bool) {
		c, err := p.tx.Countries.Get(id)
		if err != nil {
			return "", false
		}
		return c.Name, true
	})
}

func (p *invoicePaper) network(l *rating.InvoiceLine) string {
	return p.named("network", l.Network, func(id uint64) (string, bool) {
		n, err := p.tx.Networks.Get(id)
		if err != nil {
			return "", false
		}
		return n.Name, true
	})
}

// service names what a line of services is about.
func (p *invoicePaper) service(l *rating.InvoiceLine) string {
	name := "Other charges"
	if !l.Spent {
		name = "Other credits"
	}
	switch {
	case l.Text != nil:
		return *l.Text
	case l.Service == nil:
		return name
	}
	s, err := p.tx.YetiServices.Get(uint64(*l.Service))
	if err != nil {
		return fmt.Sprintf("Service %d", *l.Service)
	}
	if s.Name != nil && *s.Name != "" {
		return *s.Name
	}
	if t, err := p.tx.ServiceTypes.Get(s.Type); err == nil {
		return t.Name
	}
	return fmt.Sprintf("Service %d", *l.Service)
}

// named reads a record's name once; a dash when there is none.
func (p *invoicePaper) named(kind string, id *int64, find func(uint64) (string, bool)) string {
	if id == nil {
		return "–"
	}
	key := fmt.Sprint(kind, *id)
	name, known := p.names[key]
	if !known {
		var ok bool
		if name, ok = find(uint64(*id)); !ok {
			name = "–"
		}
		p.names[key] = name
	}
	return name
}

// priceText spells a price per minute with at least four decimals.
func priceText(p *rating.Price) string {
	if p == nil {
		return "–"
	}
	whole, fraction, _ := strings.Cut(p.String(), ".")
	return whole + "." + fraction + strings.Repeat("0", max(0, 4-len(fraction)))
}
