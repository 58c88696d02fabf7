package plan

import (
	"encoding/json"
	"maps"
	"slices"

	"billd/rating"
)

// Quantities counts things by category and item.
type Quantities map[string]map[string]int64

// Counts is what an account has: counted from its own objects, put in by hand, and counted in its
// descendants.
type Counts struct {
	Account, Manual, Cascade Quantities
}

// Prorate is advice to the bookkeeper: whether a change in mid-month is charged or credited in part.
type Prorate struct {
	Additions bool `json:"additions"`
	Removals  bool `json:"removals"`
}

// Discounts is what was taken off a line.
type Discounts struct {
	single, each, total rating.Money
	units               int64
}

// Item is a line of an invoice. Name is the item as published, under its masquerade.
type Item struct {
	Category   string
	Name       string
	Display    string
	Quantity   int64
	Billable   int64
	Rate       rating.Money // the price applied
	Discounts  Discounts
	Minimum    int64
	Maximum    int64
	Prorate    Prorate
	Taxes      []any
	Total      rating.Money
	Activation rating.Money // per billable unit added
	Changes    *Changes

	key        string // in the plan
	exceptions []string
}

// Line is a one-time charge of an invoice.
type Line struct {
	Category, Name, Display string
	Billable                int64
	Rate, Total             rating.Money

	key string // in the plan
}

// Bookkeeper is who collects an invoice.
type Bookkeeper struct {
	Type   string `json:"type"`
	ID     string `json:"id"`
	Vendor string `json:"vendor_id"`
}

// Invoice is what one bookkeeper collects from an account every month.
type Invoice struct {
	Items      []Item
	Activation []Line
	Plan       Object // the merged plan behind it
	Bookkeeper Bookkeeper
}

// Recurring returns the sum of the lines. Fails with Range.
func (v *Invoice) Recurring() (sum rating.Money, err error) {
	for i := range v.Items {
		if sum, err = sum.Add(v.Items[i].Total); err != nil {
			return 0, err
		}
	}
	return sum, nil
}

// Today returns the sum of the activation charges. Fails with Range.
func (v *Invoice) Today() (sum rating.Money, err error) {
	for _, l := range v.Activation {
		if sum, err = sum.Add(l.Total); err != nil {
			return 0, err
		}
	}
	return sum, nil
}

// Changed reports whether any line differs from before.
func (v *Invoice) Changed() bool {
	return slices.ContainsFunc(v.Items, func(it Item) bool { return it.Changes != nil })
}

// Grows reports whether any line gains billable units.
func (v *Invoice) Grows() bool {
	return slices.ContainsFunc(v.Items, func(it Item) bool { return it.Changes != nil && it.Changes.Billable > 0 })
}

// quantity returns how many of an item an account has (contract 6.2).
func (c Counts) quantity(s *spec) int64 {
	if s.key != All {
		n, manual := c.Manual[s.category][s.key]
		if !manual {
			n = c.Account[s.category][s.key]
		}
		if s.cascade {
			n += c.Cascade[s.category][s.key]
		}
		return n
	}
	has := maps.Clone(c.Account[s.category])
	if has == nil {
		has = map[string]int64{}
	}
	maps.Copy(has, c.Manual[s.category])
	sum := s.sum(has)
	if s.cascade {
		sum += s.sum(c.Cascade[s.category])
	}
	return sum
}

// sum adds up a category but for the exceptions.
func (s *spec) sum(has map[string]int64) (n int64) {
	for item, count := range has {
		if !slices.Contains(s.exceptions, item) {
			n += count
		}
	}
	return n
}

// bill fills the lines of an invoice from its merged plan, in order of categories and items.
func (v *Invoice) bill(c Counts) error {
	for _, category := range slices.Sorted(maps.Keys(v.Plan)) {
		items := object(v.Plan, category)
		for _, key := range slices.Sorted(maps.Keys(items)) {
			doc, ok := items[key].(Object)
			if !ok {
				continue
			}
			s, err := newSpec(category, key, doc)
			if err != nil {
				return err
			}
			it, err := s.bill(c.quantity(s))
			if err != nil {
				return err
			}
			v.Items = append(v.Items, it)
		}
	}
	return nil
}

func number(m rating.Money) json.Number { return json.Number(m.Number()) }

// MarshalJSON writes the line as Kazoo shows it (contract 6.6).
func (it Item) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Category  string      `json:"category"`
		Item      string      `json:"item"`
		Name      string      `json:"name"`
		Quantity  int64       `json:"quantity"`
		Billable  int64       `json:"billable"`
		Rate      json.Number `json:"rate"`
		Discounts Object      `json:"discounts,omitempty"`
		Minimum   int64       `json:"minimum,omitempty"`
		Maximum   int64       `json:"maximum,omitempty"`
		Prorate   Prorate     `json:"prorate"`
		Taxes     []any       `json:"taxes,omitempty"`
		Total     json.Number `json:"total"`
		Changes   *Changes    `json:"changes,omitempty"`
	}{it.Category, it.Name, it.Display, it.Quantity, it.Billable, number(it.Rate), it.Discounts.view(), it.Minimum, it.Maximum,
		it.Prorate, it.Taxes, number(it.Total), it.Changes})
}

// view returns the discounts without the parts that are zero; nil when all are.
func (d Discounts) view() Object {
	doc := Object{}
	if d.single != 0 {
		doc["single"] = Object{"rate": number(d.single)}
	}
	if d.units != 0 {
		doc["cumulative"] = Object{"rate": number(d.each), "quantity": d.units}
	}
	if len(doc) == 0 {
		return nil
	}
	doc["total"] = number(d.total)
	return doc
}

// MarshalJSON writes the charge as Kazoo shows it.
func (l Line) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Category string      `json:"category"`
		Item     string      `json:"item"`
		Name     string      `json:"name"`
		Billable int64       `json:"billable"`
		Rate     json.Number `json:"rate"`
		Total    json.Number `json:"total"`
	}{l.Category, l.Name, l.Display, l.Billable, number(l.Rate), number(l.Total)})
}

// Summary is an invoice in two figures.
type Summary struct {
	Today     json.Number `json:"today"`
	Recurring json.Number `json:"recurring"`
}

// Summary adds the invoice up. Fails with Range.
func (v *Invoice) Summary() (Summary, error) {
	today, err := v.Today()
	if err != nil {
		return Summary{}, err
	}
	recurring, err := v.Recurring()
	return Summary{number(today), number(recurring)}, err
}

// MarshalJSON writes the invoice as Kazoo shows it. Fails with Range when it cannot be added up.
func (v *Invoice) MarshalJSON() ([]byte, error) {
	sum, err := v.Summary()
	if err != nil {
		return nil, err
	}
	taxes := []any{}
	for _, it := range v.Items {
		taxes = append(taxes, it.Taxes...)
	}
	out := struct {
		Items      []Item     `json:"items"`
		Activation []Line     `json:"activation_charges"`
		Taxes      []any      `json:"taxes"`
		Summary    Summary    `json:"summary"`
		Plan       Object     `json:"plan"`
		Bookkeeper Bookkeeper `json:"bookkeeper"`
	}{v.Items, v.Activation, taxes, sum, v.Plan, v.Bookkeeper}
	if out.Items == nil {
		out.Items = []Item{}
	}
	if out.Activation == nil {
		out.Activation = []Line{}
	}
	return json.Marshal(out)
}

// Single returns what is taken off once.
func (d Discounts) Single() rating.Money { return d.single }

// Cumulative returns what is taken off for each of Units.
func (d Discounts) Cumulative() rating.Money { return d.each }

// Units returns how many units Cumulative is taken off for.
func (d Discounts) Units() int64 { return d.units }

// Growth returns what the billable units that the line gained cost a month. Fails with Range.
func (it *Item) Growth() (rating.Money, error) {
	if it.Changes == nil || it.Changes.Billable <= 0 {
		return 0, nil
	}
	return times(it.Rate, it.Changes.Billable)
}
