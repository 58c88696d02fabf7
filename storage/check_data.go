package storage

import (
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"time"

	"billd/rating"
)

// dataSums is what the walk over broadband data derives.
type dataSums struct {
	sessions map[string]rating.Octets    // by user
	counted  map[string]rating.Octets    // by user: days of its subscriptions and what is unassigned
	days     map[dataPart]rating.Octets  // by subscription and period
	posted   map[string][2]rating.Money  // net and tax, by source
	posts    map[string]uint64           // how many net ones
	plans    map[uint64]*rating.DataPlan // by subscription
}

type dataPart struct {
	subscription uint64
	first        rating.Day
}

// dataPosting gathers a charge of data.
func (c *checker) dataPosting(p *rating.Posting) {
	if p.Kind != rating.PostingData {
		return
	}
	if c.data.posted == nil {
		c.data.posted, c.data.posts = map[string][2]rating.Money{}, map[string]uint64{}
	}
	sums := c.data.posted[p.Source]
	part := 0
	switch {
	case p.Debit.Kind != rating.LedgerAccount:
		c.fault("posting %d: a charge of data that is given back", p.ID)
	case p.Credit.Kind == rating.LedgerTax:
		part = 1
	default:
		c.data.posts[p.Source]++
	}
	sums[part] += p.Amount
	c.data.posted[p.Source] = sums
}

// dataUsage proves that what sessions used is what days and unassigned usage hold, that periods are the sum
// of their days, that they are charged what their plan says, and that this is posted.
func (c *checker) dataUsage() error {
	tx := c.tx
	c.data.sessions, c.data.counted = map[string]rating.Octets{}, map[string]rating.Octets{}
	c.data.days, c.data.plans = map[dataPart]rating.Octets{}, map[uint64]*rating.DataPlan{}
	tx.DataSessions.EachSound(c.dataSession)
	users := map[uint64]string{}
	tx.DataSubscriptions.EachSound(func(s *DataSubscription) {
		users[s.ID] = s.User
		c.dataSubscription(s)
	})
	c.dataDays(users)
	err := tx.EachUnassigned("", func(user string, _ time.Time, used rating.Octets) (bool, error) {
		c.addOctets(c.data.counted, user, used)
		return true, nil
	})
	if err != nil {
		c.fault("unassigned data: %v", err)
	}
	for _, user := range slices.Sorted(maps.Keys(c.data.sessions)) {
		if got, want := c.data.counted[user], c.data.sessions[user]; got != want {
			c.fault("data of user %s: %d octets up and %d down are counted, the sessions used %d and %d", user, got.Up, got.Down, want.Up, want.Down)
		}
		delete(c.data.counted, user)
	}
	for _, user := range slices.Sorted(maps.Keys(c.data.counted)) {
		if used := c.data.counted[user]; !used.IsZero() {
			c.fault("data of user %s: %d octets up and %d down are counted, and there is no session", user, used.Up, used.Down)
		}
	}
	c.dataPeriods()
	for _, source := range slices.Sorted(maps.Keys(c.data.posted)) {
		c.fault("ledger: %s is posted for %s, which is no period of a subscription", c.data.posted[source][0], source)
	}
	return c.ctx.Err()
}

// addOctets adds to a sum; what leaves the count is a fault.
func (c *checker) addOctets(sums map[string]rating.Octets, user string, used rating.Octets) {
	sum, err := sums[user].Add(used)
	if err != nil {
		c.fault("data of user %s: %v", user, err)
	}
	sums[user] = sum
}

// dataSession checks one session by itself: its points are in order and, while none was dropped, make what
// it used.
func (c *checker) dataSession(s *DataSession) {
	c.addOctets(c.data.sessions, s.User, s.Used)
	if len(s.Points) == 0 || len(s.Points) > rating.KeptPoints {
		c.fault("data session %d: keeps %d points, want 1 to %d", s.ID, len(s.Points), rating.KeptPoints)
	}
	if last := len(s.Points) - 1; last >= 0 && s.Used.Total() == 0 && s.Points[last].Total != (rating.Octets{}) {
		c.fault("data session %d: used nothing, its counters show %d octets", s.ID, s.Points[last].Total.Total())
	}
}

func (c *checker) dataSubscription(s *DataSubscription) {
	tx := c.tx
	c.refer("data subscription", s.ID, "account", uint64(s.Account), tx.Accounts.Has)
	c.refer("data subscription", s.ID, "data plan", s.Plan, tx.DataPlans.Has)
	if s.Service != 0 {
		c.refer("data subscription", s.ID, "service", s.Service, tx.YetiServices.Has)
	}
	if p, err := tx.DataPlans.Get(s.Plan); err == nil {
		c.data.plans[s.ID] = p
		if err := p.Valid(); err != nil {
			c.fault("data plan %d: %v", p.ID, err)
		}
	}
	err := tx.DataSubscriptions.EachUnder(bDataSubscriptionUser, textKey(s.User), func(o *DataSubscription) (bool, error) {
		if o.ID > s.ID && (o.Till.IsZero() || s.From.Before(o.Till)) && (s.Till.IsZero() || o.From.Before(s.Till)) {
			c.fault("data subscription %d: overlaps subscription %d of the same user", s.ID, o.ID)
		}
		return true, nil
	})
	if err != nil {
		c.fault("data subscription %d: %v", s.ID, err)
	}
}

// dataDays sums what subscriptions used by user and by period.
func (c *checker) dataDays(users map[uint64]string) {
	cur := c.tx.Txn.Cursor(bDataDay)
	for k, v := cur.First(); k != nil; k, v = cur.Next() {
		used, err := decodeOctets(v)
		if err != nil || len(k) != 12 {
			c.fault("data usage: the row of key %x is damaged", k)
			continue
		}
		id, day := binary.BigEndian.Uint64(k), rating.Day(binary.BigEndian.Uint32(k[8:]))
		user, ok := users[id]
		plan := c.data.plans[id]
		if !ok || plan == nil {
			c.fault("data usage of %s: refers to data subscription %d, which does not exist or has no plan", day, id)
			continue
		}
		c.addOctets(c.data.counted, user, used)
		first, _ := plan.Period.Days(day)
		sum, err := c.data.days[dataPart{id, first}].Add(used)
		if err != nil {
			c.fault("data subscription %d: %v", id, err)
		}
		c.data.days[dataPart{id, first}] = sum
	}
}

// dataPeriods compares each period with its days, its plan's price and what was posted for it.
func (c *checker) dataPeriods() {
	cur := c.tx.Txn.Cursor(bDataPeriod)
	for k, v := cur.First(); k != nil; k, v = cur.Next() {
		p, err := decodeDataPeriod(v)
		if err != nil || len(k) != 12 {
			c.fault("data period: the row of key %x is damaged", k)
			continue
		}
		part := dataPart{binary.BigEndian.Uint64(k), rating.Day(binary.BigEndian.Uint32(k[8:]))}
		if want := c.data.days[part]; want != p.Used {
			c.fault("data subscription %d: %d octets up and %d down in the period from %s, its days make %d and %d", part.subscription, p.Used.Up, p.Used.Down, part.first, want.Up, want.Down)
		}
		delete(c.data.days, part)
		source := dataChargeSource(part.subscription, part.first)
		posted, posts := c.data.posted[source], c.data.posts[source]
		delete(c.data.posted, source)
		if posted != [2]rating.Money{p.Net, p.Tax} || posts != p.Charges {
			c.fault("data subscription %d: charged %s and tax %s in %d postings for the period from %s, the ledger has %s and %s in %d", part.subscription, p.Net, p.Tax, p.Charges, part.first, posted[0], posted[1], posts)
		}
		if plan := c.data.plans[part.subscription]; plan != nil {
			if charge, err := plan.Charge(plan.Count.Of(p.Used)); err != nil || charge.Net != p.Net {
				c.fault("data subscription %d: charged %s for the period from %s, its octets cost %s", part.subscription, p.Net, part.first, charge.Net)
			}
		}
	}
	left := slices.SortedFunc(maps.Keys(c.data.days), func(a, b dataPart) int {
		return slices.Compare(dataDayKey(a.subscription, a.first), dataDayKey(b.subscription, b.first))
	})
	for _, part := range left {
		c.fault("data subscription %d: used something in the period from %s, and the period is not there", part.subscription, part.first)
	}
}

// invoiceData checks what an invoice says of data: each subscription is there, and its amounts are those
// of the postings that the invoice sums.
func (c *checker) invoiceData(inv *rating.Invoice, sum *rating.InvoiceSum) {
	want := map[string]bool{}
	for i := range inv.Data {
		d := &inv.Data[i]
		c.refer("invoice", inv.ID, "data subscription", d.Subscription, c.tx.DataSubscriptions.Has)
		source := "data/" + decimalText(d.Subscription) + "/" + d.Period
		want[source] = true
		if got := sum.Charged(source); got != d.Amount {
			c.fault("invoice %d: asks %s for the data of user %s, its postings make %s", inv.ID, d.Amount, d.User, got)
		}
	}
	for _, source := range sum.Sources() {
		if strings.HasPrefix(source, "data/") && !want[source] {
			c.fault("invoice %d: its postings for %s are not among its data", inv.ID, source)
		}
	}
}
