package storage

import (
	"cmp"
	"slices"
	"time"

	"billd/rating"
)

// invoiceData returns what an account's subscriptions used on the days of an invoice, and what the invoice
// asks for it. A day is the invoice's that begins in it. A period of an earlier invoice for which something
// came late is a row without days.
func (tx *Tx) invoiceData(inv *rating.Invoice, sum *rating.InvoiceSum) (list []rating.InvoiceData, err error) {
	a, err := tx.Accounts.Get(uint64(inv.Account))
	if err != nil {
		return nil, err
	}
	zone := tx.Location(a)
	from, till := firstDayFrom(inv.Start, zone), firstDayFrom(inv.End, zone)
	err = tx.DataSubscriptionsOf(inv.Account, func(s *DataSubscription) (bool, error) {
		rows, err := tx.subscriptionData(s, from, till, sum)
		list = append(list, rows...)
		return true, err
	})
	slices.SortStableFunc(list, func(a, b rating.InvoiceData) int {
		return cmp.Or(cmp.Compare(a.User, b.User), cmp.Compare(a.Subscription, b.Subscription), cmp.Compare(a.Period, b.Period))
	})
	return list, err
}

// firstDayFrom returns the first day that begins at an instant or later.
func firstDayFrom(t time.Time, zone *time.Location) rating.Day {
	day := rating.DayOf(t, zone)
	if day.Start(zone).Before(t) {
		day++
	}
	return day
}

// subscriptionData is invoiceData of one subscription.
func (tx *Tx) subscriptionData(s *DataSubscription, from, till rating.Day, sum *rating.InvoiceSum) (list []rating.InvoiceData, err error) {
	plan, err := tx.DataPlans.Get(s.Plan)
	if err != nil {
		return nil, err
	}
	err = tx.EachDataPeriod(s.ID, func(first rating.Day, p DataPeriod) (bool, error) {
		counted := plan.Count.Of(p.Used)
		charge, err := plan.Charge(counted)
		if err != nil {
			return false, err
		}
		d := rating.InvoiceData{Subscription: s.ID, User: s.User, Plan: plan.Name, Terms: plan.Terms(), Unit: plan.Unit, Period: first.String(),
			Counted: rating.Bytes(counted), Allowance: plan.Allowance, Charge: charge, Amount: sum.Charged(dataChargeSource(s.ID, first))}
		_, next := plan.Period.Days(first)
		begin, end := max(first, from), min(next, till)
		err = tx.EachDataDay(s.ID, begin, max(begin, end), func(day rating.Day, used rating.Octets) (bool, error) {
			if d.From == "" {
				d.From = day.String()
			}
			d.To = day.String()
			d.Used, err = d.Used.Add(used)
			return true, err
		})
		if err == nil && (d.From != "" || d.Amount != 0) {
			list = append(list, d)
		}
		return true, err
	})
	return list, err
}
