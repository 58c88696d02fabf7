package plan

import (
	"cmp"
	"slices"

	"billd/rating"
)

// All is the item that prices its whole category.
const All = "_all"

// tier is a row of a price table: what a quantity of up to upTo costs.
type tier struct {
	upTo  int64
	price rating.Money
}

// tiers is a price table in order of quantities.
type tiers []tier

// at returns the price of the smallest tier that n fits in; false above all of them.
func (t tiers) at(n int64) (rating.Money, bool) {
	for _, row := range t {
		if n <= row.upTo {
			return row.price, true
		}
	}
	return 0, false
}

func (r *reader) tiers(key string) tiers {
	sub, ok := r.sub(key)
	if !ok {
		return nil
	}
	var t tiers
	for k := range sub.doc {
		n, ok := integer(k)
		if !ok || n < 0 || n > maxUnits {
			sub.fail(k, "type", "integer", "a whole number as key")
			continue
		}
		if m := sub.money(k); m != nil {
			t = append(t, tier{n, *m})
		}
	}
	r.join(sub)
	slices.SortFunc(t, func(a, b tier) int { return cmp.Compare(a.upTo, b.upTo) })
	return t
}

// discount is an amount off: once, or for each of at most Maximum units.
type discount struct {
	set     bool
	rate    *rating.Money // the item's own when not given
	rates   tiers
	maximum int64 // absent is 0, which is no discount
	minimum int64 // applies from this billable quantity
}

func (r *reader) discount(key string) discount {
	sub, ok := r.sub(key)
	if !ok {
		return discount{}
	}
	d := discount{set: true, rate: sub.money("rate"), rates: sub.tiers("rates"), maximum: sub.units("maximum", 0), minimum: sub.units("minimum", 1)}
	r.join(sub)
	return d
}

// spec is a plan's item, read.
type spec struct {
	category, key string
	name, as      string
	rate          rating.Money
	rates         tiers
	flatRate      rating.Money
	flatRates     tiers
	minimum       int64
	maximum       int64 // -1: none
	step          int64
	activation    rating.Money
	single        discount
	cumulative    discount
	exceptions    []string
	cascade       bool
	prorate       Prorate
	taxes         []any
}

// newSpec reads an item of a plan. Fails with Invalid, naming the field by its path.
func newSpec(category, key string, doc Object) (*spec, error) {
	r := &reader{doc: doc, path: "plan." + category + "." + key}
	s := &spec{category: category, key: key, name: text(doc, "name"), as: text(doc, "as"),
		rates: r.tiers("rates"), flatRates: r.tiers("flat_rates"), minimum: r.units("minimum", 0), maximum: r.units("maximum", -1),
		step: max(r.units("step", 1), 1), cascade: r.boolean("cascade", false)}
	for key, field := range map[string]*rating.Money{"rate": &s.rate, "flat_rate": &s.flatRate, "activation_charge": &s.activation} {
		if m := r.money(key); m != nil {
			*field = *m
		}
	}
	if discounts, ok := r.sub("discounts"); ok {
		s.single, s.cumulative = discounts.discount("single"), discounts.discount("cumulative")
		r.join(discounts)
	}
	p, _ := r.sub("prorate")
	s.prorate = Prorate{p.boolean("additions", true), p.boolean("removals", true)}
	r.join(p)
	for _, v := range list(doc["exceptions"]) {
		if e, ok := v.(string); ok {
			s.exceptions = append(s.exceptions, e)
		}
	}
	s.taxes = list(doc["taxes"])
	return s, r.err
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// published returns the name that invoices and summaries call the item by.
func (s *spec) published() string { return cmp.Or(s.as, s.key) }

func (s *spec) display() string {
	switch {
	case s.name != "":
		return s.name
	case s.key == All && s.as == "":
		return s.category
	}
	return s.category + "/" + s.published()
}

// up rounds a quantity up to a multiple of the step.
func (s *spec) up(n int64) int64 { return (n + s.step - 1) / s.step * s.step }

// billable returns how many units are billed for a quantity.
func (s *spec) billable(quantity int64) int64 {
	n := s.up(quantity)
	if low := s.up(s.minimum); n < low {
		return low
	}
	if s.maximum >= 0 {
		return min(n, s.up(s.maximum))
	}
	return n
}

// price returns what a unit costs and how many are billed: a flat price bills one.
func (s *spec) price(billable int64) (rate rating.Money, units int64) {
	if m, ok := s.flatRates.at(billable); ok {
		return m, 1
	}
	if s.flatRate > 0 {
		return s.flatRate, 1
	}
	if m, ok := s.rates.at(billable); ok {
		return m, billable
	}
	return s.rate, billable
}

// take returns what the discounts of billable units come to. An item without a rate of its own gets
// none, whatever its tables say (Kazoo: kz_services_item).
func (s *spec) take(billable int64) (*Discounts, error) {
	d := &Discounts{}
	if s.rate <= 0 {
		return d, nil
	}
	if s.single.set && billable >= s.single.minimum {
		d.single = s.rate
		if s.single.rate != nil {
			d.single = *s.single.rate
		}
	}
	if c := s.cumulative; c.set && billable >= c.minimum {
		d.units = min(billable, c.maximum)
		if m, ok := c.rates.at(d.units); ok {
			d.each = m
		} else if d.each = s.rate; c.rate != nil {
			d.each = *c.rate
		}
	}
	if d.units == 0 || d.each == 0 {
		d.units, d.each = 0, 0
	}
	sum, err := times(d.each, d.units)
	if err != nil {
		return nil, err
	}
	d.total, err = d.single.Add(sum)
	return d, err
}

// times returns m · n. Fails with Range if the product leaves Money.
func times(m rating.Money, n int64) (rating.Money, error) {
	if m == 0 || n == 0 {
		return 0, nil
	}
	p := m * rating.Money(n)
	if p/rating.Money(n) != m || p.Abs() > rating.MaxMoney {
		return 0, rating.Errorf(rating.Range, "total", "%d units at %s come to more than an amount can be", n, m)
	}
	return p, nil
}

// bill makes the invoice line of a quantity.
func (s *spec) bill(quantity int64) (Item, error) {
	it := Item{Category: s.category, Name: s.published(), Display: s.display(), Quantity: quantity, Minimum: s.minimum,
		Maximum: s.maximum, Prorate: s.prorate, Taxes: s.taxes, Activation: s.activation, exceptions: s.exceptions, key: s.key}
	if it.Maximum < 0 {
		it.Maximum = quantity
	}
	it.Rate, it.Billable = s.price(s.billable(quantity))
	off, err := s.take(it.Billable)
	if err != nil {
		return it, err
	}
	it.Discounts = *off
	sum, err := times(it.Rate, it.Billable)
	if err != nil {
		return it, err
	}
	it.Total, err = sum.Sub(off.total)
	return it, err
}
