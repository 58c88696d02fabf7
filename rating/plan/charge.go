package plan

import (
	"maps"
	"strconv"
	"time"

	"billd/rating"
)

// ChargeKind says why a line costs money now.
type ChargeKind uint8

// The kinds.
const (
	Recurring  ChargeKind = 1 + iota // a month, in advance
	Activation                       // once, for each billable unit that was added
	Proration                        // what a change in mid-month adds to the month, or takes back
)

var chargeNames = [...]string{Recurring: "recurring", Activation: "activation", Proration: "proration"}

// String returns the kind's word, "" for none.
func (k ChargeKind) String() string {
	if int(k) < len(chargeNames) {
		return chargeNames[k]
	}
	return ""
}

// Charge is what an account is charged for one line, once.
type Charge struct {
	Kind     ChargeKind   `json:"kind"`
	Key      string       `json:"key"` // names the line in every month
	Category string       `json:"category"`
	Item     string       `json:"item"` // as published
	Name     string       `json:"name"`
	Units    int64        `json:"units"` // billable ones behind the amount; below 0: fewer
	Rate     rating.Money `json:"rate"`
	Amount   rating.Money `json:"amount"` // below 0: given back
}

// Share is a part of a month in whole days.
type Share struct{ Left, Of int }

// Remaining returns the share of a month that is left at an instant: UTC days, the one at hand
// included. A month begins in the account's zone, so an instant may lie a day beside it in UTC; it then
// counts as the first or the last day. Source: contract Kazoo, 6.8.
func Remaining(at time.Time, year int, month time.Month) Share {
	days := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
	at = at.UTC()
	switch first := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC); {
	case at.Before(first):
		return Share{days, days}
	case !at.Before(first.AddDate(0, 1, 0)):
		return Share{1, days}
	}
	return Share{days - at.Day() + 1, days}
}

// of returns the share of an amount, rounded half away from zero. Left is at most Of, so it cannot
// leave Money.
func (s Share) of(m rating.Money) rating.Money {
	left, days := rating.Money(s.Left), rating.Money(s.Of)
	part, rest := m/days*left, m%days*left
	low := rest % days
	part += rest / days
	if 2*low.Abs() >= days {
		if low < 0 {
			return part - 1
		}
		return part + 1
	}
	return part
}

// Kept is what a month was paid for and not given back, by line: a unit that comes again before the
// month is over is not paid for twice.
type Kept map[string]rating.Money

// lineKey names a line in every month. Its parts are free text: their lengths keep two lines apart.
func lineKey(b Bookkeeper, category, item string) string {
	var k []byte
	for _, part := range [...]string{b.Type, b.ID, b.Vendor, category, item} {
		k = strconv.AppendInt(k, int64(len(part)), 10)
		k = append(append(k, ':'), part...)
	}
	return string(k)
}

func (it *Item) charge(kind ChargeKind, b Bookkeeper, units int64, amount rating.Money) Charge {
	return Charge{kind, lineKey(b, it.Category, it.key), it.Category, it.Name, it.Display, units, it.Rate, amount}
}

// Month returns what invoices charge for one month: a charge for each line that comes to anything.
func Month(invoices []*Invoice) (charges []Charge) {
	for _, v := range invoices {
		for i := range v.Items {
			if it := &v.Items[i]; it.Total != 0 {
				charges = append(charges, it.charge(Recurring, v.Bookkeeper, it.Billable, it.Total))
			}
		}
	}
	return charges
}

// Change returns what going from one set of invoices to another charges in mid-month. next is what
// Compare made of both; left is the share of the month that remains; kept is what the month's earlier
// changes kept, and becomes what this one keeps.
//
// Units that are added cost their activation, and each line the difference of its totals: prorated
// where the line says so, else in full. What a line comes to less is given back prorated where it says
// so, else kept. Fails with Range when a sum leaves Money.
func Change(now, next []*Invoice, left Share, kept Kept) ([]Charge, Kept, error) {
	was := map[string]*Item{}
	for _, v := range now {
		for i := range v.Items {
			was[lineKey(v.Bookkeeper, v.Items[i].Category, v.Items[i].key)] = &v.Items[i]
		}
	}
	var charges []Charge
	keep := Kept{}
	maps.Copy(keep, kept)
	for _, v := range next {
		for _, l := range v.Activation {
			charges = append(charges, Charge{Activation, lineKey(v.Bookkeeper, l.Category, l.key), l.Category, l.Name, l.Display, l.Billable, l.Rate, l.Total})
		}
		for i := range v.Items {
			it := &v.Items[i]
			key := lineKey(v.Bookkeeper, it.Category, it.key)
			old := was[key]
			if old == nil {
				old = &Item{}
			}
			amount, err := it.adjust(old, left, keep, key)
			if err != nil {
				return nil, nil, err
			}
			if amount != 0 {
				charges = append(charges, it.charge(Proration, v.Bookkeeper, it.Billable-old.Billable, amount))
			}
		}
	}
	return charges, keep, nil
}

// adjust returns what a line costs more, or less, for the rest of the month.
func (it *Item) adjust(old *Item, left Share, keep Kept, key string) (rating.Money, error) {
	by, err := it.Total.Sub(old.Total)
	if err != nil || by == 0 {
		return 0, err
	}
	if by < 0 {
		if it.Prorate.Removals {
			return left.of(by), nil
		}
		keep[key], err = keep[key].Sub(by)
		return 0, err
	}
	paid := min(keep[key], by)
	if keep[key] -= paid; keep[key] == 0 {
		delete(keep, key)
	}
	if by -= paid; it.Prorate.Additions {
		by = left.of(by)
	}
	return by, nil
}
