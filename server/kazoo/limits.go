package kazoo

import (
	"billd/rating"
	"billd/storage"
)

const limitsNoun = "limits"

func limitRoutes() []route {
	const at = "accounts/:account/limits"
	return []route{
		{at, get, endpoint{who: user, run: readLimits}},
		{at, post, endpoint{who: user, run: changeLimits}},
	}
}

// limitFields are the numbers of a limits document, all whole and not below 0.
var limitFields = []string{"twoway_trunks", "inbound_trunks", "outbound_trunks", "calls", "resource_consuming_calls", "burst_trunks"}

// storedLimits returns an account's limits document, nil when it has none.
func storedLimits(tx *storage.Tx, id rating.AccountID) (o *storage.Object, err error) {
	err = tx.ObjectsOf(id, limitsNoun, func(found *storage.Object) (bool, error) {
		o = found
		return false, nil
	})
	return o, err
}

// limitsOf returns an account's limits as a client reads them.
func limitsOf(tx *storage.Tx, id rating.AccountID) (document, error) {
	o, err := storedLimits(tx, id)
	if err != nil {
		return nil, err
	}
	doc := document{}
	if o != nil {
		doc = public(readDocument(o.Doc))
	}
	for _, trunk := range limitFields[:3] {
		if doc[trunk] == nil {
			doc[trunk] = 0
		}
	}
	if doc["allow_prepay"] == nil {
		doc["allow_prepay"] = true
	}
	doc["allow_postpay"], doc["max_postpay_amount"] = false, 0
	return doc, nil
}

func readLimits(x *exchange) (*answer, error) {
	var doc document
	err := x.view(func(tx *storage.Tx) (err error) {
		doc, err = limitsOf(tx, x.account.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: doc, revision: stored}, nil
}

// changeLimits replaces the limits: the account's reseller may, the master, and an account right below
// the master its own.
func changeLimits(x *exchange) (*answer, error) {
	if !x.sells() && !(x.me.ID == x.account.ID && x.me.Parent == rating.MasterAccount) {
		return nil, forbidden()
	}
	data, err := x.object()
	if err != nil {
		return nil, err
	}
	doc := public(data, "id", "accept_charges", "allow_postpay", "max_postpay_amount")
	f := newForm(doc)
	for _, name := range limitFields {
		if f.has(name) {
			doc[name] = f.integer(name, 0, maxManual, 0)
		}
	}
	doc["allow_prepay"] = f.boolean("allow_prepay", true)
	if err := f.err(); err != nil {
		return nil, err
	}
	raw, err := storeDocument(doc)
	if err != nil {
		return nil, err
	}
	is := countObject(limitsNoun, readDocument(raw))
	var view document
	err = x.update(func(tx *storage.Tx) error {
		o, err := storedLimits(tx, x.account.ID)
		if err != nil {
			return err
		}
		if o == nil {
			o = &storage.Object{UUID: rating.NewUUID(x.now), Account: x.account.ID, Type: limitsNoun, CreatedAt: x.now}
		}
		was := countObject(limitsNoun, readDocument(o.Doc))
		o.Doc, o.ChangedAt = raw, tx.Now()
		if err := x.changeIn(tx, was, is, func(tx *storage.Tx) error { return tx.Objects.Put(o) }); err != nil {
			return err
		}
		view, err = limitsOf(tx, x.account.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: view, revision: stored}, nil
}
