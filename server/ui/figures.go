package ui

import (
	"cmp"
	"slices"

	"billd/rating"
	"billd/storage"
)

// sums are what calls of some days came to, in one currency.
type sums struct {
	Calls, Answered int64
	Seconds, Billed int64 // of the customers' side
	Revenue, Cost   rating.Money
	VendorCalls     int64 // the same calls, as their vendors see them
	VendorSeconds   int64
	VendorAnswered  int64
	Currency        rating.Currency
}

// add counts one day tally.
func (s *sums) add(side rating.Side, t rating.Tally) (err error) {
	if side == rating.VendorSide {
		s.VendorCalls += int64(t.Calls)
		s.VendorAnswered += int64(t.Answered)
		s.VendorSeconds += int64(t.Seconds)
		s.Cost, err = s.Cost.Add(t.Net)
		return err
	}
	s.Calls += int64(t.Calls)
	s.Answered += int64(t.Answered)
	s.Seconds += int64(t.Seconds)
	s.Billed += int64(t.Billed)
	s.Revenue, err = s.Revenue.Add(t.Net)
	return err
}

// Margin is revenue less cost.
func (s *sums) Margin() rating.Money { return s.Revenue - s.Cost }

// MarginShare is the margin in percent of the revenue.
func (s *sums) MarginShare() string { return share(int64(s.Margin()), int64(s.Revenue)) }

// AnsweredShare is the answer-seizure ratio in percent.
func (s *sums) AnsweredShare() string { return share(s.Answered, s.Calls) }

// VendorAnsweredShare is AnsweredShare of what an account terminated.
func (s *sums) VendorAnsweredShare() string { return share(s.VendorAnswered, s.VendorCalls) }

// Minutes is the customers' talk time.
func (s *sums) Minutes() int64 { return s.Seconds / 60 }

// VendorMinutes is the talk time that an account terminated.
func (s *sums) VendorMinutes() int64 { return s.VendorSeconds / 60 }

// Average is the average talk time of an answered call in seconds.
func (s *sums) Average() int64 {
	if s.Answered == 0 {
		return 0
	}
	return s.Seconds / s.Answered
}

// figures are the last 30 days: in all, today, by day and by account. Days are the accounts' own.
type figures struct {
	First     rating.Day // of chartDays
	Month     map[rating.Currency]*sums
	Today     map[rating.Currency]*sums
	Yesterday map[rating.Currency]*sums
	Days      map[rating.Currency][]sums
	Accounts  map[rating.AccountID]*sums
}

// lastDays reads the day tallies of accounts, all that the map holds.
func lastDays(tx *storage.Tx, accounts map[rating.AccountID]*rating.Account) (*figures, error) {
	f := &figures{Month: map[rating.Currency]*sums{}, Today: map[rating.Currency]*sums{}, Yesterday: map[rating.Currency]*sums{},
		Days: map[rating.Currency][]sums{}, Accounts: map[rating.AccountID]*sums{}}
	// the day has begun somewhere before it has in UTC; the newest of the accounts' days is the last
	last := rating.Day(0)
	today := make(map[rating.AccountID]rating.Day, len(accounts))
	for id, a := range accounts {
		d := rating.DayOf(tx.Now(), tx.Location(a))
		today[id] = d
		last = max(last, d)
	}
	f.First = last - (chartDays - 1)
	err := tx.EachTally(f.First, last+1, func(day rating.Day, id rating.AccountID, side rating.Side, _ rating.Origin, t rating.Tally) error {
		a := accounts[id]
		if a == nil {
			return nil
		}
		c := a.Currency
		if f.Days[c] == nil {
			f.Days[c] = make([]sums, chartDays)
		}
		into := []*sums{sumOf(f.Month, c), &f.Days[c][day-f.First], sumOf(f.Accounts, id)}
		switch day {
		case today[id]:
			into = append(into, sumOf(f.Today, c))
		case today[id] - 1:
			into = append(into, sumOf(f.Yesterday, c))
		}
		for _, s := range into {
			s.Currency = c
			if err := s.add(side, t); err != nil {
				return err
			}
		}
		return nil
	})
	return f, err
}

// sumOf returns the sums under key, new ones when there are none.
func sumOf[K comparable](m map[K]*sums, key K) *sums {
	s := m[key]
	if s == nil {
		s = &sums{}
		m[key] = s
	}
	return s
}

// charts draws what all accounts of a currency did: calls, and money in and out.
func (f *figures) charts(c rating.Currency) []chart {
	return []chart{
		f.draw(c, drawing{"Calls a day", "calls", "answered", count64, func(d *sums) (int64, int64) { return d.Calls, d.Answered }}),
		f.draw(c, drawing{"Revenue and cost a day", "revenue", "cost", moneyIn(c), func(d *sums) (int64, int64) { return int64(d.Revenue), int64(d.Cost) }}),
	}
}

// accountCharts draws what one account did, as the party that it is.
func (f *figures) accountCharts(c rating.Currency, vendor bool) []chart {
	if vendor {
		return []chart{
			f.draw(c, drawing{"Terminated calls a day", "calls", "answered", count64, func(d *sums) (int64, int64) { return d.VendorCalls, d.VendorAnswered }}),
			f.draw(c, drawing{"Charged to us a day", "cost", "", moneyIn(c), func(d *sums) (int64, int64) { return int64(d.Cost), 0 }}),
		}
	}
	return []chart{
		f.draw(c, drawing{"Calls a day", "calls", "answered", count64, func(d *sums) (int64, int64) { return d.Calls, d.Answered }}),
		f.draw(c, drawing{"Revenue a day", "revenue", "", moneyIn(c), func(d *sums) (int64, int64) { return int64(d.Revenue), 0 }}),
	}
}

// drawing says what a chart takes of a day and how it reads. Without a name the part is left out.
type drawing struct {
	title, whole, part string
	text               func(int64) string
	of                 func(*sums) (whole, part int64)
}

func count64(n int64) string { return count(n) }

// moneyIn writes amounts of a currency that came through a chart as plain numbers.
func moneyIn(c rating.Currency) func(int64) string {
	return func(n int64) string { return amount{rating.Money(n), c, c.MinorUnits()}.Text() + " " + c.String() }
}

// draw makes a chart of the days of currency c.
func (f *figures) draw(c rating.Currency, g drawing) chart {
	days := f.Days[c]
	if days == nil {
		days = make([]sums, chartDays)
	}
	points := make([]point, len(days))
	for i := range days {
		whole, part := g.of(&days[i])
		points[i] = point{whole, part, g.text(whole), g.text(part)}
	}
	return newChart(g, f.First, points)
}

// allAccounts reads every account, closed ones too: calls outlive them.
func allAccounts(tx *storage.Tx) (map[rating.AccountID]*rating.Account, error) {
	m := map[rating.AccountID]*rating.Account{}
	err := tx.Accounts.Each(0, func(a *rating.Account) (bool, error) {
		m[a.ID] = a
		return true, nil
	})
	return m, err
}

// vendorOnly reports whether an account's contractor sells to us and buys nothing.
func vendorOnly(tx *storage.Tx, a *rating.Account) (bool, error) {
	o, err := tx.Contractors.Get(a.Contractor)
	if err != nil {
		return false, err
	}
	return o.Vendor && !o.Customer, nil
}

// currencies returns the keys of m, first leading, the rest by name.
func currencies[V any](m map[rating.Currency]V, first rating.Currency) []rating.Currency {
	list := []rating.Currency{first}
	for c := range m {
		if c != first {
			list = append(list, c)
		}
	}
	slices.SortFunc(list[1:], func(a, b rating.Currency) int { return cmp.Compare(a.String(), b.String()) })
	return list
}
