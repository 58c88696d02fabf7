package storage

import (
	"reflect"

	"billd/rating"
	"billd/rating/plan"
)

// HoldBooks charges the months that are due and remembers what the account is billed for, for
// SettleBooks to compare with.
func (tx *Tx) HoldBooks(b *Books) (err error) {
	if b.held, err = b.Invoices(); err != nil {
		return err
	}
	if b.moved, err = tx.chargeMonths(b); err != nil {
		return err
	}
	b.was = *b.Services
	return nil
}

// SettleBooks compares the books with what HoldBooks found: it writes an audit for each invoice that
// changed, posts what the change costs now, and stores the services. from is the account where the
// change began. The master is neither audited nor charged; of the others above a change only resellers
// are audited. Source: contract Kazoo, 7.1 and 7.2.
func (tx *Tx) SettleBooks(b *Books, from *rating.Account) error {
	next, err := b.Invoices()
	if err != nil {
		return err
	}
	if next, err = plan.Compare(b.held, next); err != nil {
		return err
	}
	if b.Account.ID != rating.MasterAccount {
		if b.Account.ID == from.ID || b.Account.Reseller {
			types := b.movedQuantities()
			for _, v := range next {
				if !v.Changed() {
					continue
				}
				if err := tx.AuditServices(b.Account, v, types, from); err != nil {
					return err
				}
			}
		}
		if err := tx.chargeChange(b, next); err != nil {
			return err
		}
	}
	if !b.moved && reflect.DeepEqual(&b.was, b.Services) {
		return nil
	}
	return tx.Services.Put(b.Services)
}

// movedQuantities names the quantities that differ from those held.
func (b *Books) movedQuantities() (types []string) {
	for _, m := range []struct {
		name    string
		was, is Quantities
	}{{"manual", b.was.Manual, b.Services.Manual}, {"account", b.was.Counted, b.Services.Counted}, {"cascade", b.was.Cascade, b.Services.Cascade}} {
		if !m.was.Same(m.is) {
			types = append(types, m.name)
		}
	}
	return types
}

// CarryUp adds what changed in an account, or came and went with it, to the cascade of those above it
// and settles their books.
func (tx *Tx) CarryUp(above []*rating.Account, from *rating.Account, delta Quantities) error {
	if len(delta) == 0 {
		return nil
	}
	for i, p := range above {
		s, err := tx.ServicesOf(p.ID)
		if err != nil {
			return err
		}
		if s.Idle() || p.ID == rating.MasterAccount {
			s.Cascade = s.Cascade.Add(delta, 1)
			if err := tx.Services.Put(s); err != nil {
				return err
			}
			continue
		}
		b, err := tx.OpenBooksOf(p, above[i+1:], s)
		if err != nil {
			return err
		}
		if err := tx.HoldBooks(b); err != nil {
			return err
		}
		b.Services.Cascade = b.Services.Cascade.Add(delta, 1)
		if err := tx.SettleBooks(b, from); err != nil {
			return err
		}
	}
	return nil
}

// moveServices takes what an account and those below it count from its old ancestors to its new ones.
func (tx *Tx) moveServices(old, now *rating.Account) error {
	s, err := tx.ServicesOf(old.ID)
	if err != nil {
		return err
	}
	has := s.Counted.Add(s.Cascade, 1)
	if len(has) == 0 {
		return nil
	}
	above, err := tx.Ancestors(now.ID) // stored already
	if err != nil {
		return err
	}
	left, err := tx.lineOf(old.Parent)
	if err != nil {
		return err
	}
	if err := tx.CarryUp(left, now, Quantities{}.Add(has, -1)); err != nil {
		return err
	}
	return tx.CarryUp(above, now, has)
}

// lineOf returns an account and its ancestors.
func (tx *Tx) lineOf(id rating.AccountID) ([]*rating.Account, error) {
	a, err := tx.Accounts.Get(uint64(id))
	if err != nil {
		return nil, err
	}
	above, err := tx.Ancestors(id)
	return append([]*rating.Account{a}, above...), err
}

// closeServices ends what an account is billed for when it closes: the months that have begun are
// charged, nothing is given back, and what the account has counts nowhere any more.
func (tx *Tx) closeServices(a *rating.Account) error {
	b, err := tx.OpenBooks(a)
	if err != nil {
		return err
	}
	if s := b.Services; !s.ChargeAt.IsZero() {
		if err := tx.HoldBooks(b); err != nil {
			return err
		}
		s.ChargeAt, s.Kept = noMonth, nil
		if err := tx.Services.Put(s); err != nil {
			return err
		}
	}
	return tx.CarryUp(b.Above, a, Quantities{}.Add(b.Services.Counted, -1))
}
