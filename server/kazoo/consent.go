package kazoo

import (
	"net/http"
	"slices"

	"billd/rating"
	"billd/rating/plan"
	"billd/storage"
)

// change stores a countable object in a transaction of its own; see changeIn.
func (x *exchange) change(was, is share, store func(*storage.Tx) error) error {
	return x.update(func(tx *storage.Tx) error { return x.changeIn(tx, was, is, store) })
}

// changeIn asks for consent to what a change of quantities costs, stores it and commits.
func (x *exchange) changeIn(tx *storage.Tx, was, is share, store func(*storage.Tx) error) error {
	if err := x.consent(tx, was, is); err != nil {
		return err
	}
	return x.recommit(tx, store)
}

// recommit stores a change and settles the target's services.
func (x *exchange) recommit(tx *storage.Tx, store func(*storage.Tx) error) error {
	if err := store(tx); err != nil {
		return err
	}
	a, err := tx.OpenAccount(x.account.ID)
	if err != nil {
		return err
	}
	_, err = x.commit(tx, a, func(*books) error { return nil })
	return err
}

// consent refuses a change that adds billable units to the acting account's invoices, unless charges
// are accepted; and one that adds money while the account does not pay. It is the acting account that
// is asked, so the master never is (contract 8).
func (x *exchange) consent(tx *storage.Tx, was, is share) error {
	delta := is.units.Add(was.units, -1)
	if x.master() || len(delta) == 0 && len(is.plans) == 0 {
		return nil
	}
	b, err := openBooks(tx, x.me)
	if err != nil {
		return err
	}
	now, err := b.Invoices()
	if err != nil {
		return err
	}
	if x.me.ID == x.account.ID {
		b.Services.Counted = b.Services.Counted.Add(delta, 1)
		b.Services.Objects = storage.UnitedPlans(b.Services.Objects, is.plans)
		if err := b.LoadPlans(tx); err != nil {
			return err
		}
	} else {
		b.Services.Cascade = b.Services.Cascade.Add(delta, 1)
	}
	next, err := b.Invoices()
	if err != nil {
		return err
	}
	if next, err = plan.Compare(now, next); err != nil {
		return err
	}
	if !slices.ContainsFunc(next, (*plan.Invoice).Grows) {
		return nil
	}
	if !x.flag("accept_charges") && !x.rootFlag("accept_charges") {
		return &failure{status: http.StatusPaymentRequired, message: "accept charges", data: next}
	}
	bad, err := b.standing(tx)
	if err != nil || bad == nil {
		return err
	}
	cost, err := added(next)
	if err != nil || cost <= 0 {
		return err
	}
	return &failure{status: http.StatusPaymentRequired, message: "billing_issue",
		data: document{"message": firstOf(bad.Reason, "the account is delinquent"), "reason": "delinquent"}}
}

// added returns what the units that invoices gain cost, a month and once.
func added(invoices []*plan.Invoice) (sum rating.Money, err error) {
	for _, v := range invoices {
		today, err := v.Today()
		if err != nil {
			return 0, err
		}
		if sum, err = sum.Add(today); err != nil {
			return 0, err
		}
		for _, it := range v.Items {
			cost, err := it.Growth()
			if err != nil {
				return 0, err
			}
			if sum, err = sum.Add(cost); err != nil {
				return 0, err
			}
		}
	}
	return sum, nil
}
