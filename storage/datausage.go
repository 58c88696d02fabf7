package storage

import (
	"encoding/binary"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// Usage is kept in three buckets of its own:
//
//	data.day         subscription day             octets up and down
//	data.period      subscription first-day       octets up and down, net, tax, charges, the allowance's share last told of
//	data.unassigned  user 00 quarter-hour (ms)    octets up and down of nobody's subscription
//
// Days are those of the account's zone. A quarter of an hour lies in one day of every zone there is.

// quarter is how finely the time of unassigned usage is kept.
const quarter = 15 * time.Minute

// DataPeriod is what a subscription used in one period of its plan, and what that was charged.
type DataPeriod struct {
	Used    rating.Octets
	Net     rating.Money // posted
	Tax     rating.Money // posted
	Charges uint64       // how many times something was posted
	Told    uint64       // percent of the allowance that a notice told of last
}

// usagePlan is what counting octets will write: decided before anything is written.
type usagePlan struct {
	sub     *DataSubscription // nil: the usage is nobody's
	plan    *rating.DataPlan
	account *rating.Account
	at      time.Time
	day     rating.Day
	first   rating.Day // of the period
	used    rating.Octets
	dayUsed rating.Octets // with used
	period  DataPeriod    // with used, before the charge
	charge  rating.DataCharge
	net     rating.Money // beyond what was posted
	tax     rating.Money
}

// dataSubscriptionAt returns whose subscription a user's octets of an instant are, nil for nobody's.
func (tx *Tx) dataSubscriptionAt(user string, at time.Time) (found *DataSubscription, err error) {
	err = tx.DataSubscriptions.EachUnder(bDataSubscriptionUser, textKey(user), func(s *DataSubscription) (bool, error) {
		if s.Holds(at) {
			found = s
		}
		return found == nil, nil
	})
	if err != nil || found == nil {
		return nil, err
	}
	a, err := tx.account(found.Account)
	if err != nil || a.Closed() {
		return nil, err // nobody can be charged: it waits as unassigned
	}
	return found, nil
}

// planUsage decides what counting a user's octets at an instant writes and charges. It fails with Range if
// a sum or a price leaves what can be stored.
func (tx *Tx) planUsage(user string, at time.Time, used rating.Octets) (*usagePlan, error) {
	s, err := tx.dataSubscriptionAt(user, at)
	if err != nil {
		return nil, err
	}
	if s == nil {
		was, err := decodeOctets(tx.Txn.Get(bDataUnassigned, unassignedKey(user, at)))
		if err == nil {
			_, err = was.Add(used)
		}
		return &usagePlan{}, err
	}
	return tx.planSubscribed(s, at, used)
}

func (tx *Tx) planSubscribed(s *DataSubscription, at time.Time, used rating.Octets) (*usagePlan, error) {
	u := &usagePlan{sub: s, at: at, used: used}
	var err error
	if u.plan, err = tx.DataPlans.Get(s.Plan); err != nil {
		return nil, err
	}
	if u.account, err = tx.account(s.Account); err != nil {
		return nil, err
	}
	u.day = rating.DayOf(at, tx.Location(u.account))
	u.first, _ = u.plan.Period.Days(u.day)
	if u.dayUsed, err = decodeOctets(tx.Txn.Get(bDataDay, dataDayKey(s.ID, u.day))); err != nil {
		return nil, err
	}
	if u.dayUsed, err = u.dayUsed.Add(used); err != nil {
		return nil, err
	}
	if u.period, err = tx.DataPeriodOf(s.ID, u.first); err != nil {
		return nil, err
	}
	if u.period.Used, err = u.period.Used.Add(used); err != nil {
		return nil, err
	}
	if u.charge, err = u.plan.Charge(u.plan.Count.Of(u.period.Used)); err != nil {
		return nil, err
	}
	if u.net, err = u.charge.Net.Sub(u.period.Net); err != nil {
		return nil, err
	}
	if u.tax, err = u.account.VAT.Of(u.net); err != nil {
		return nil, err
	}
	_, err = u.period.Tax.Add(u.tax)
	return u, err
}

// applyUsage writes what was decided: the day, the period, the charge and a notice.
func (tx *Tx) applyUsage(u *usagePlan) error {
	if u.used.IsZero() {
		return nil
	}
	if err := tx.Txn.Put(bDataDay, dataDayKey(u.sub.ID, u.day), appendOctets(nil, u.dayUsed)); err != nil {
		return err
	}
	p := u.period
	if u.net > 0 {
		p.Charges++
		if err := tx.postDataCharge(u, p.Charges); err != nil {
			return err
		}
		p.Net += u.net // planSubscribed found both sums to be Money
		p.Tax += u.tax
	}
	var err error
	if p.Told, err = tx.tellAllowance(u, p); err != nil {
		return err
	}
	return tx.Txn.Put(bDataPeriod, dataDayKey(u.sub.ID, u.first), appendDataPeriod(nil, p))
}

// addUnassigned keeps octets that are nobody's subscription's.
func (tx *Tx) addUnassigned(user string, at time.Time, used rating.Octets) error {
	if used.IsZero() {
		return nil
	}
	key := unassignedKey(user, at)
	was, err := decodeOctets(tx.Txn.Get(bDataUnassigned, key))
	if err != nil {
		return err
	}
	if was, err = was.Add(used); err != nil {
		return err
	}
	return tx.Txn.Put(bDataUnassigned, key, appendOctets(nil, was))
}

// DataPeriodOf returns what a subscription used and was charged in the period that begins on a day.
func (tx *Tx) DataPeriodOf(subscription uint64, first rating.Day) (DataPeriod, error) {
	return decodeDataPeriod(tx.Txn.Get(bDataPeriod, dataDayKey(subscription, first)))
}

func dataDayKey(subscription uint64, day rating.Day) []byte {
	return kv.Key(nil).U64(subscription).U32(uint32(day))
}

func unassignedKey(user string, at time.Time) []byte {
	return kv.Key(nil).Text(user).Milli(at.UTC().Truncate(quarter))
}

func appendOctets(dst []byte, o rating.Octets) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(dst, o.Up), o.Down)
}

func decodeOctets(b []byte) (o rating.Octets, err error) {
	if b == nil {
		return o, nil
	}
	r := rowReader{b: b}
	o.Up, o.Down = r.uvarint(), r.uvarint()
	if r.failed || len(r.b) > 0 {
		return o, damagedRow("data usage", "it is not two numbers")
	}
	return o, nil
}

func appendDataPeriod(dst []byte, p DataPeriod) []byte {
	dst = appendOctets(dst, p.Used)
	for _, n := range [...]uint64{uint64(p.Net), uint64(p.Tax), p.Charges, p.Told} {
		dst = binary.AppendUvarint(dst, n)
	}
	return dst
}

func decodeDataPeriod(b []byte) (p DataPeriod, err error) {
	if b == nil {
		return p, nil
	}
	r := rowReader{b: b}
	p.Used.Up, p.Used.Down = r.uvarint(), r.uvarint()
	p.Net, p.Tax = rating.Money(r.uvarint()), rating.Money(r.uvarint())
	p.Charges, p.Told = r.uvarint(), r.uvarint()
	if r.failed || len(r.b) > 0 {
		return p, damagedRow("data period", "it is not six numbers")
	}
	return p, nil
}
