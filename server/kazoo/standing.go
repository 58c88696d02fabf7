package kazoo

import (
	"net/http"

	"billd/rating"
	"billd/storage"
)

// billing returns the account whose standing counts.
func (b *books) billing(tx *storage.Tx) (*rating.Account, error) {
	if b.Services.Billing == 0 {
		return b.Account, nil
	}
	return tx.Accounts.Get(uint64(b.Services.Billing))
}

// standing returns why the billing account does not pay, nil when it does.
func (b *books) standing(tx *storage.Tx) (*storage.Standing, error) {
	if b.Services.Billing == 0 || b.Services.Billing == b.Account.ID {
		return b.Services.Standing, nil
	}
	s, err := tx.ServicesOf(b.Services.Billing)
	if err != nil {
		return nil, err
	}
	return s.Standing, nil
}

// status says whether the account may buy more.
func (b *books) status(tx *storage.Tx) (document, error) {
	bad, err := b.standing(tx)
	if err != nil {
		return nil, err
	}
	if bad == nil {
		return document{"acceptable": true, "reason": "good standing not required"}, nil
	}
	return document{"acceptable": false, "reason": "delinquent", "message": firstOf(bad.Reason, "the account is delinquent")}, nil
}

func readStatus(x *exchange) (*answer, error) {
	var doc document
	err := x.view(func(tx *storage.Tx) (err error) {
		doc, err = x.statusView(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: doc}, nil
}

// statusView is the standing as 4.2 showed it.
func (x *exchange) statusView(tx *storage.Tx) (document, error) {
	b, err := openBooks(tx, x.account)
	if err != nil {
		return nil, err
	}
	billing, err := b.billing(tx)
	if err != nil {
		return nil, err
	}
	bad, err := b.standing(tx)
	if err != nil {
		return nil, err
	}
	doc := document{"in_good_standing": bad == nil, "billing_id": billing.UUID.Hex()}
	if bad != nil {
		doc["reason"], doc["reason_code"] = bad.Reason, bad.Code
	}
	return doc, nil
}

// changeStatus sets whether an account pays.
func changeStatus(x *exchange) (*answer, error) {
	data, err := x.object()
	if err != nil {
		return nil, err
	}
	f := newForm(data)
	f.need("in_good_standing")
	good := f.boolean("in_good_standing", true)
	bad := &storage.Standing{Reason: f.text("reason", 0, 1024), Code: f.integer("reason_code", 0, 1<<31, 0)}
	if err := f.err(); err != nil {
		return nil, err
	}
	if good {
		bad = nil
	}
	doc, err := x.changeServices(func(s *storage.Services) { s.Standing = bad }, x.statusView)
	if err != nil {
		return nil, err
	}
	return &answer{data: doc}, nil
}

// changeServices changes what the account is sold, and returns view of it then.
func (x *exchange) changeServices(change func(*storage.Services), view func(*storage.Tx) (document, error)) (doc document, err error) {
	err = x.update(func(tx *storage.Tx) error {
		s, err := tx.ServicesOf(x.account.ID)
		if err != nil {
			return err
		}
		change(s)
		if err := tx.Services.Put(s); err != nil {
			return err
		}
		doc, err = view(tx)
		return err
	})
	return doc, err
}

// changeBilling sets whose standing counts: the account's own, or its parent's.
func (x *exchange) changeBilling(data document) (*answer, error) {
	id, _ := plain(data["billing_id"])
	billing := rating.AccountID(0)
	switch {
	case id == x.account.UUID.Hex():
	case len(x.above) > 0 && id == x.above[0].UUID.Hex():
		billing = x.above[0].ID
	default:
		return nil, &failure{status: http.StatusBadRequest, message: "invalid_billing_id",
			data: document{"billing_id": document{"invalid": "Requested billing id is not the parent of this account"}}}
	}
	doc, err := x.changeServices(func(s *storage.Services) { s.Billing = billing }, x.legacyServices)
	if err != nil {
		return nil, err
	}
	return &answer{data: doc, revision: stored}, nil
}

// legacyServices is the services object of 4.2.
func (x *exchange) legacyServices(tx *storage.Tx) (document, error) {
	b, err := openBooks(tx, x.account)
	if err != nil {
		return nil, err
	}
	invoices, err := b.Invoices()
	if err != nil {
		return nil, err
	}
	billing, err := b.billing(tx)
	if err != nil {
		return nil, err
	}
	bad, err := b.standing(tx)
	if err != nil {
		return nil, err
	}
	items := document{}
	for _, v := range invoices {
		for _, it := range v.Items {
			sub, _ := items[it.Category].(document)
			if sub == nil {
				sub = document{}
				items[it.Category] = sub
			}
			single, cumulative := it.Discounts.Single(), it.Discounts.Cumulative()
			sub[it.Name] = document{"category": it.Category, "item": it.Name, "name": it.Display, "quantity": it.Quantity, "rate": number(it.Rate),
				"single_discount": single != 0, "single_discount_rate": number(single), "cumulative_discount": it.Discounts.Units(),
				"cumulative_discount_rate": number(cumulative), "activation_charge": number(it.Activation)}
		}
	}
	return document{"account_quantities": orEmpty(b.Services.Counted), "cascade_quantities": orEmpty(b.Services.Cascade), "plans": assigned(b.Services),
		"billing_id": billing.UUID.Hex(), "reseller": b.Account.Reseller, "reseller_id": b.Seller.UUID.Hex(), "dirty": false,
		"in_good_standing": bad == nil, "items": items}, nil
}
