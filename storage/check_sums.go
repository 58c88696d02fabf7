package storage

import (
	"maps"
	"slices"

	"billd/rating"
)

func (c *checker) postings() error {
	c.tx.Postings.EachSound(func(p *rating.Posting) {
		if err := p.Valid(); err != nil {
			c.fault("posting %d: %v", p.ID, err)
			return
		}
		for _, l := range [...]rating.Ledger{p.Debit, p.Credit} {
			if l.Kind == rating.LedgerAccount {
				c.refer("posting", p.ID, "account", uint64(l.Account), c.tx.Accounts.Has)
			}
		}
		c.dataPosting(p)
		shadow := &Tx{moves: c.balances}
		err := shadow.move(p.Debit, rating.Balance{Debits: p.Amount})
		if err == nil {
			err = shadow.move(p.Credit, rating.Balance{Credits: p.Amount})
		}
		if err != nil {
			c.fault("posting %d: %v", p.ID, err)
		}
	})
	return nil
}

func (c *checker) compareBalances() error {
	debits, credits := map[rating.Currency]rating.Money{}, map[rating.Currency]rating.Money{}
	cur := c.tx.Txn.Cursor(bBalance)
	for k, _ := cur.First(); k != nil; k, _ = cur.Next() {
		l, err := rating.LedgerFromKey(k)
		if err != nil {
			c.fault("balance: %v", err)
			continue
		}
		if l.Kind == rating.LedgerAccount && !c.tx.Accounts.Has(uint64(l.Account)) {
			c.fault("balance of %s: the account does not exist", l)
		}
		b, err := c.tx.storedBalance(k)
		if err != nil {
			c.fault("balance of %s: %v", l, err)
			delete(c.balances, l)
			continue
		}
		if want := c.balances[l]; want != b {
			c.fault("balance of %s: %s", l, differentBalance(b, want))
		}
		delete(c.balances, l)
		debits[l.Currency] += b.Debits + b.CallDebits
		credits[l.Currency] += b.Credits + b.CallCredits
	}
	left := slices.SortedFunc(maps.Keys(c.balances), func(a, b rating.Ledger) int { return slices.Compare(a.Key(), b.Key()) })
	for _, l := range left {
		if want := c.balances[l]; want != (rating.Balance{}) {
			c.fault("balance of %s: none stored, its calls and postings make %s", l, want.Amount())
		}
	}
	for _, cur := range slices.SortedFunc(maps.Keys(debits), func(a, b rating.Currency) int { return slices.Compare(a[:], b[:]) }) {
		if debits[cur] != credits[cur] {
			c.fault("ledger: all balances in %s sum to %s, want 0", cur, credits[cur]-debits[cur])
		}
	}
	return nil
}

// differentBalance says how a stored balance is off, and in which of its parts when the amounts agree.
func differentBalance(got, want rating.Balance) string {
	if got.Amount() != want.Amount() {
		return "stored " + got.Amount().String() + ", its calls and postings make " + want.Amount().String()
	}
	return "stored " + sides(got) + ", its calls and postings make " + sides(want)
}

func sides(b rating.Balance) string {
	return "calls +" + b.CallCredits.String() + " -" + b.CallDebits.String() + ", postings +" + b.Credits.String() + " -" + b.Debits.String()
}

func (c *checker) compareTallies() error {
	cur := c.tx.Txn.Cursor(bTally)
	for k, v := cur.First(); k != nil; k, v = cur.Next() {
		key, ok := tallyKeyFrom(k)
		if !ok {
			c.fault("tally: key %x is damaged", k)
			continue
		}
		t, err := decodeTally(v)
		want := c.tallies[key]
		delete(c.tallies, key)
		switch {
		case err != nil:
			c.fault("tally of account %d on %s: %v", key.Account, key.Day, err)
		case want != t:
			c.fault("tally of account %d on %s, %s side, %s: %s; its calls make %s", key.Account, key.Day, sideName(key.Side), key.Origin, tallyText(t), tallyText(want))
		}
	}
	left := slices.SortedFunc(maps.Keys(c.tallies), func(a, b tallyKey) int { return slices.Compare(a.bytes(), b.bytes()) })
	for _, key := range left {
		if t := c.tallies[key]; !t.IsZero() {
			c.fault("tally of account %d on %s, %s side, %s: none stored; its calls make %s", key.Account, key.Day, sideName(key.Side), key.Origin, tallyText(t))
		}
	}
	return nil
}
