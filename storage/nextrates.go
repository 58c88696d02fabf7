package storage

import (
	"slices"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// NextRate is a change of a rate that waits for its time.
type NextRate struct {
	ID         uint64        `json:"id"`
	Rate       rating.RateID `json:"rate"`
	Terms      NextTerms     `json:"terms"`
	ApplyAt    time.Time     `json:"apply_at"`
	Applied    bool          `json:"applied,omitempty"`
	ExternalID *int64        `json:"external_id,omitempty"`
	CreatedAt  time.Time     `json:"created_at"`
	UpdatedAt  time.Time     `json:"updated_at"`
}

// NextTerms are what a NextRate changes.
type NextTerms struct {
	First      rating.Step  `json:"first"`
	Next       rating.Step  `json:"next"`
	ConnectFee rating.Money `json:"connect_fee"`
}

// On returns the rate as the change leaves it.
func (n *NextRate) On(r rating.Rate) rating.Rate {
	r.Terms.First, r.Terms.Next, r.Terms.ConnectFee = n.Terms.First, n.Terms.Next, n.Terms.ConnectFee
	return r
}

type nextRateTables struct{ nextRates kv.Table[NextRate] }

// NextRateRows is the table of scheduled changes.
type NextRateRows struct{ NextRates Rows[NextRate] }

func newNextRateTables() nextRateTables {
	t := jsonTable("next rate", bNextRate, func(v *NextRate) *uint64 { return &v.ID })
	t.Index = []kv.Index[NextRate]{
		{Bucket: bNextRateRate, Keys: func(v *NextRate) [][]byte { return one(kv.Key(nil).U64(uint64(v.Rate))) }},
		{Bucket: bNextRateDue, Keys: func(v *NextRate) [][]byte {
			if v.Applied {
				return nil
			}
			return one(kv.Key(nil).Milli(v.ApplyAt))
		}},
	}
	return nextRateTables{t}
}

func bindNextRates(tx *Tx) NextRateRows { return NextRateRows{bind(tx, &schema.nextRates)} }

// nextRates finds scheduled changes of rates that are not there.
func (c *checker) nextRates() {
	c.tx.NextRates.EachSound(func(n *NextRate) { c.refer("next rate", n.ID, "rate", uint64(n.Rate), c.tx.Rates.Has) })
}

// NextRatesOf calls fn with the scheduled changes of a rate until it returns false.
func (tx *Tx) NextRatesOf(id rating.RateID, fn func(*NextRate) (bool, error)) error {
	return tx.NextRates.EachUnder(bNextRateRate, kv.Key(nil).U64(uint64(id)), fn)
}

// forgetNextRates deletes the scheduled changes of a rate that is deleted.
func (tx *Tx) forgetNextRates(id rating.RateID) error {
	var gone []uint64
	if err := tx.NextRatesOf(id, func(n *NextRate) (bool, error) {
		gone = append(gone, n.ID)
		return true, nil
	}); err != nil {
		return err
	}
	for _, n := range gone {
		if err := tx.NextRates.Delete(n); err != nil {
			return err
		}
	}
	return nil
}

// NextRateDue reports whether the time of a scheduled change has come.
func (tx *Tx) NextRateDue() bool {
	k, _ := tx.Txn.Cursor(bNextRateDue).First()
	return k != nil && slices.Compare(k[:8], kv.Key(nil).Milli(tx.now)) <= 0
}

// ApplyNextRates writes the changes whose time has come into their rates, the earliest first and at
// most limit of them, and returns how many it wrote. The trail shows each rate's change.
func (tx *Tx) ApplyNextRates(limit int) (applied int, err error) {
	var due []uint64
	end := kv.Key(nil).Milli(tx.now)
	c := tx.Txn.Cursor(bNextRateDue)
	for k, _ := c.First(); k != nil && len(due) < limit && slices.Compare(k[:8], end) <= 0; k, _ = c.Next() {
		due = append(due, kv.ID(k))
	}
	for _, id := range due {
		n, err := tx.NextRates.Get(id)
		if err != nil {
			return applied, err
		}
		if n.ApplyAt.After(tx.now) {
			continue // within the millisecond
		}
		r, err := tx.Rates.Get(uint64(n.Rate))
		if err != nil {
			return applied, err
		}
		changed := n.On(*r)
		if err := tx.Rates.Put(&changed); err != nil {
			return applied, err
		}
		n.Applied, n.UpdatedAt = true, tx.now
		if err := tx.NextRates.Put(n); err != nil {
			return applied, err
		}
		applied++
	}
	return applied, nil
}
