package storage

import (
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// BalanceAt returns what an account held when an instant began: its balance without the postings and
// own calls from then on. It reads those postings, the day tallies since, and the calls of one day.
func (tx *Tx) BalanceAt(a *rating.Account, t time.Time) (rating.Money, error) {
	balance, err := tx.AccountBalance(a)
	if err != nil {
		return 0, err
	}
	own := AccountLedger(a)
	err = tx.PostingsOf(own, 0, func(p *rating.Posting) (bool, error) {
		if p.At.Before(t) {
			return true, nil // numbers follow the commits, not always At
		}
		by := p.Amount
		if p.Credit == own {
			by = -by
		}
		balance, err = balance.Add(by)
		return err == nil, err
	})
	if err != nil {
		return 0, err
	}
	moved, err := tx.callsSince(a, t)
	if err != nil {
		return 0, err
	}
	return balance.Sub(moved)
}

// callsSince sums what own calls that start at t or later did to an account's balance: the rest of the
// local day of t call by call, the days after it by their tallies.
func (tx *Tx) callsSince(a *rating.Account, t time.Time) (sum rating.Money, err error) {
	loc := tx.Location(a)
	day := rating.DayOf(t, loc)
	next := (day + 1).Start(loc)
	for side, bucket := range [...]kv.Bucket{bCDRCustomer, bCDRVendor} {
		err := tx.EachCallOf(bucket, a.ID, t.UnixMilli(), next.UnixMilli(), func(c *rating.CDR) (bool, error) {
			if c.Origin != rating.Own {
				return true, nil
			}
			net, tax := c.Effect(rating.Side(side))
			if sum, err = sum.Add(net); err == nil {
				sum, err = sum.Add(tax)
			}
			return err == nil, err
		})
		if err != nil {
			return 0, err
		}
	}
	c := tx.Txn.Cursor(bTally)
	for day++; ; day++ {
		k, _ := c.Seek(kv.Key(nil).U32(uint32(day)))
		if k == nil {
			return sum, nil
		}
		last, ok := tallyKeyFrom(k)
		if !ok {
			return 0, rating.Errorf(rating.Internal, "tally", "a tally's key is damaged")
		}
		day = last.Day // days without a call are passed over
		for _, side := range [...]rating.Side{rating.CustomerSide, rating.VendorSide} {
			tally, err := decodeTally(tx.Txn.Get(bTally, tallyKey{day, a.ID, side, rating.Own}.bytes()))
			if err != nil {
				return 0, err
			}
			by, err := tally.Net.Add(tally.Tax)
			if err != nil {
				return 0, err
			}
			if side == rating.CustomerSide {
				by = -by
			}
			if sum, err = sum.Add(by); err != nil {
				return 0, err
			}
		}
	}
}
