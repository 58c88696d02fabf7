package kazoo

import (
	"net/http"

	"encoding/json"

	"billd/rating"
	"billd/storage"
)

const (
	minTopUp = rating.Money(100) // a unit of Kazoo's, 0.0001
	maxTopUp = 1_000_000_000 * rating.Money(1_000_000)
)

// topUp credits an account at once: billd has no payment gateway, so whoever may sign in says that the
// money came. Setting topup.self_service off leaves that to the account's reseller and the master.
func topUp(x *exchange) (*answer, error) {
	if !x.mayTopUp() {
		return nil, forbidden()
	}
	data, err := x.object()
	if err != nil {
		return nil, err
	}
	f := newForm(data)
	amount, ok := f.money("amount")
	if !ok || amount < minTopUp {
		return nil, invalid("amount", "required", "Field is required but missing")
	}
	if amount > maxTopUp {
		return nil, invalid("amount", "maximum", "Value is too large", "target", number(maxTopUp))
	}
	e := &entry{amount: amount, text: "Manual top-up", kind: rating.PostingPayment, other: rating.LedgerCash, period: ledgerPeriod{Start: seconds(x.now)},
		metadata: json.RawMessage(`{"automatic_description":true}`), trigger: "manual", module: "kz_services_topup"}
	var l *ledger
	err = x.update(func(tx *storage.Tx) error {
		a, err := tx.OpenAccount(x.account.ID)
		if err != nil {
			return err
		}
		l, err = e.pay(tx, a)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &answer{status: http.StatusOK, data: document{"ledger": l}}, nil
}

// mayTopUp reports whether the token may credit the target, or say how it is to be credited.
func (x *exchange) mayTopUp() bool { return !x.api.db.Settings().TopUpBySeller || x.sells() }

// pay books e as a payment, which every dialect lists, and returns its ledger.
func (e *entry) pay(tx *storage.Tx, a *rating.Account) (*ledger, error) {
	p := &storage.Payment{Account: a.ID, Amount: e.amount, Notes: &e.text}
	if err := tx.Pay(p); err != nil {
		return nil, err
	}
	posting, err := tx.Postings.Get(p.Posting)
	if err != nil {
		return nil, err
	}
	balance, err := tx.AccountBalance(a)
	if err != nil {
		return nil, err
	}
	n := &storage.LedgerNote{ID: posting.ID, Type: e.usage.Type, Quantity: e.usage.Quantity, Unit: e.usage.Unit, From: e.period.Start, Metadata: e.metadata, Trigger: e.trigger, Module: e.module, Balance: balance}
	if err := tx.LedgerNotes.Put(n); err != nil {
		return nil, err
	}
	return postingLedger(tx, a, posting)
}
