package storage

import (
	"maps"
	"reflect"
	"slices"

	"billd/rating"
)

// ChangeSettings changes settings given by name, all of them or none, and puts them in force for
// everything after this transaction. The audit trail keeps who did it, what was and what is.
//
// The currency changes only while no call, posting or invoice is stored; accounts and decks that have the
// old one change with it. Fails with NotFound for a name that is none, Invalid for a value that is not
// taken, Conflict for a currency that is fixed.
func (tx *Tx) ChangeSettings(values map[string]string) (*rating.Settings, error) {
	was := tx.Settings()
	is := *was
	for _, name := range slices.Sorted(maps.Keys(values)) {
		d, err := rating.SettingNamed(name)
		if err != nil {
			return nil, err
		}
		if err := d.Set(&is, values[name]); err != nil {
			return nil, err
		}
	}
	if reflect.DeepEqual(is, *was) {
		return &is, nil
	}
	if is.Currency != was.Currency {
		if err := tx.changeCurrency(was.Currency, is.Currency); err != nil {
			return nil, err
		}
	}
	return &is, tx.SaveSettings(&is)
}

// changeCurrency gives every account, deck and data plan that has one currency another.
func (tx *Tx) changeCurrency(from, to rating.Currency) error {
	for _, kept := range [...]struct {
		in   func() bool
		what string
	}{
		{func() bool { k, _ := tx.Txn.Cursor(bCDR).First(); return k != nil }, "calls are charged"},
		{func() bool { return tx.Postings.Count() > 0 }, "amounts are posted"},
		{func() bool { return tx.Invoices.Count() > 0 }, "invoices are stored"},
	} {
		if kept.in() {
			return rating.Errorf(rating.Conflict, "currency", "currency %s is fixed: %s in it", from, kept.what)
		}
	}
	var accounts []*rating.Account
	err := tx.Accounts.Each(0, func(a *rating.Account) (bool, error) {
		if a.Currency == from {
			accounts = append(accounts, a)
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	for _, a := range accounts {
		a.Currency = to
		if err := tx.Accounts.Put(a); err != nil {
			return err
		}
	}
	var decks []*rating.Deck
	err = tx.Decks.Each(0, func(d *rating.Deck) (bool, error) {
		if d.Currency == from {
			decks = append(decks, d)
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	for _, d := range decks {
		d.Currency = to
		if err := tx.Decks.Put(d); err != nil {
			return err
		}
	}
	return tx.changePlanCurrency(from, to)
}
