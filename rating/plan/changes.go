package plan

import (
	"encoding/json"
	"slices"
	"strconv"

	"billd/rating"
)

// The kinds of change of a line.
const (
	Created  = "created"
	Modified = "modified"
	Removed  = "removed"
)

// Changes is how a line differs from the one before it. Differences are new less old.
type Changes struct {
	Type     string
	Billable int64

	difference Object
}

// MarshalJSON writes the changes as Kazoo shows them (contract 6.7).
func (c *Changes) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Type       string `json:"type"`
		Difference Object `json:"difference"`
	}{c.Type, c.difference})
}

func numeral(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }

// Compare fills in next, the invoices to come, how each line differs from those of now, and the
// activation charges that follow. It returns next, with an invoice of lines at 0 for each bookkeeper
// that now has and next has not, and a line at 0 for each item that is gone.
//
// Where a whole invoice comes or goes, its lines are Modified and differ in billable units alone;
// where it stays, what is on one side only is Created or Removed.
func Compare(now, next []*Invoice) ([]*Invoice, error) {
	for _, v := range next {
		i := slices.IndexFunc(now, func(o *Invoice) bool { return o.Bookkeeper == v.Bookkeeper })
		if i < 0 {
			for k := range v.Items {
				v.Items[k].Changes = unitsOnly(v.Items[k].Billable)
			}
		} else {
			v.compare(now[i])
		}
		if err := v.activate(); err != nil {
			return nil, err
		}
	}
	for _, o := range now {
		if slices.ContainsFunc(next, func(v *Invoice) bool { return v.Bookkeeper == o.Bookkeeper }) {
			continue
		}
		gone := &Invoice{Bookkeeper: o.Bookkeeper, Plan: Object{}}
		for _, it := range o.Items {
			left := it.none()
			left.Changes = unitsOnly(-it.Billable)
			gone.Items = append(gone.Items, left)
		}
		next = append(next, gone)
	}
	return next, nil
}

// none returns the line with nothing on it.
func (it Item) none() Item {
	return Item{Category: it.Category, Name: it.Name, Display: it.Display, Rate: it.Rate, Prorate: it.Prorate, key: it.key}
}

// unitsOnly is a change of billable units and nothing else; nil for none.
func unitsOnly(n int64) *Changes {
	if n == 0 {
		return nil
	}
	return &Changes{Type: Modified, Billable: n, difference: Object{"billable": numeral(n)}}
}

func (v *Invoice) compare(old *Invoice) {
	find := func(items []Item, it *Item) int {
		return slices.IndexFunc(items, func(o Item) bool { return o.Category == it.Category && o.key == it.key })
	}
	for i := range v.Items {
		it := &v.Items[i]
		if k := find(old.Items, it); k >= 0 {
			it.Changes = it.since(&old.Items[k], Modified)
			continue
		}
		// what it is called is new, but no difference
		it.Changes = it.since(&Item{Category: it.Category, Name: it.Name, Display: it.Display}, Created)
	}
	for _, o := range old.Items {
		if find(v.Items, &o) < 0 {
			left := o.none()
			left.Rate = 0
			left.Changes = left.since(&o, Removed)
			v.Items = append(v.Items, left)
		}
	}
}

// since returns how a line differs from an older one, nil when it does not.
func (it *Item) since(old *Item, kind string) *Changes {
	d := Object{}
	count := func(key string, now, was int64) {
		if now != was {
			d[key] = numeral(now - was)
		}
	}
	amount := func(doc Object, key string, now, was rating.Money) {
		if now != was {
			doc[key] = number(now - was) // both are within a line's bounds
		}
	}
	word := func(key, now, was string) {
		if now != was {
			d[key] = now
		}
	}
	count("quantity", it.Quantity, old.Quantity)
	count("billable", it.Billable, old.Billable)
	count("minimum", it.Minimum, old.Minimum)
	amount(d, "rate", it.Rate, old.Rate)
	amount(d, "activation_charge", it.Activation, old.Activation)
	word("name", it.Display, old.Display)
	word("item", it.Name, old.Name)
	word("category", it.Category, old.Category)
	if off := it.Discounts.since(old.Discounts, amount); len(off) > 0 {
		d["discounts"] = off
	}
	if e := difference(it.exceptions, old.exceptions); e != nil {
		d["exceptions"] = e
	}
	if len(d) == 0 {
		return nil
	}
	return &Changes{Type: kind, Billable: it.Billable - old.Billable, difference: d}
}

func (d Discounts) since(old Discounts, amount func(Object, string, rating.Money, rating.Money)) Object {
	out, single, cumulative := Object{}, Object{}, Object{}
	amount(single, "rate", d.single, old.single)
	amount(cumulative, "rate", d.each, old.each)
	if d.units != old.units {
		cumulative["quantity"] = numeral(d.units - old.units)
	}
	if len(single) > 0 {
		out["single"] = single
	}
	if len(cumulative) > 0 {
		out["cumulative"] = cumulative
	}
	return out
}

// difference returns what was added to and taken from a list; nil for nothing.
func difference(now, was []string) Object {
	added, removed := []string{}, []string{}
	for _, s := range now {
		if !slices.Contains(was, s) {
			added = append(added, s)
		}
	}
	for _, s := range was {
		if !slices.Contains(now, s) {
			removed = append(removed, s)
		}
	}
	if len(added)+len(removed) == 0 {
		return nil
	}
	return Object{"additions": added, "removals": removed}
}

// activate lists a one-time charge for each line that gains billable units.
func (v *Invoice) activate() error {
	v.Activation = nil
	for _, it := range v.Items {
		if it.Changes == nil || it.Changes.Billable <= 0 || it.Activation <= 0 {
			continue
		}
		total, err := times(it.Activation, it.Changes.Billable)
		if err != nil {
			return err
		}
		v.Activation = append(v.Activation, Line{it.Category, it.Name, it.Display, it.Changes.Billable, it.Activation, total, it.key})
	}
	return nil
}
