package kazoo

import (
	"strings"

	"billd/rating"
	"billd/storage"
)

const whitelabelNoun = "whitelabel"

func whitelabelRoutes() []route {
	const at = "accounts/:account/" + whitelabelNoun
	return []route{
		{at, get, endpoint{who: user, run: readWhitelabel}},
		{at, put, endpoint{who: user, run: changeWhitelabel}},
		{at, post, endpoint{who: user, run: changeWhitelabel}},
		{at, patch, endpoint{who: user, run: changeWhitelabel}},
		{at, remove, endpoint{who: user, run: deleteWhitelabel}},
		{whitelabelNoun + "/:domain", get, endpoint{who: anyone, run: whitelabelOf}},
	}
}

// whitelabel returns an account's branding, nil when it has none.
func whitelabel(tx *storage.Tx, id rating.AccountID) (o *storage.Object, err error) {
	err = tx.ObjectsOf(id, whitelabelNoun, func(found *storage.Object) (bool, error) {
		o = found
		return false, nil
	})
	return o, err
}

func whitelabelView(o *storage.Object) document {
	doc := public(readDocument(o.Doc))
	doc["id"] = whitelabelNoun
	return doc
}

func readWhitelabel(x *exchange) (*answer, error) {
	var o *storage.Object
	err := x.view(func(tx *storage.Tx) (err error) {
		o, err = whitelabel(tx, x.account.ID)
		return err
	})
	if err == nil && o == nil {
		err = unknownID(whitelabelNoun)
	}
	if err != nil {
		return nil, err
	}
	return &answer{data: whitelabelView(o), revision: stored}, nil
}

// whitelabelOf tells a browser, before anybody has logged in, what a domain looks like.
func whitelabelOf(x *exchange) (*answer, error) {
	domain := strings.ToLower(x.params["domain"])
	var view document
	err := x.view(func(tx *storage.Tx) error {
		o, err := tx.ObjectByUUID(named(whitelabelNoun, domain))
		if err == nil {
			_, err = tx.OpenAccount(o.Account)
		}
		if rating.KindOf(err) == rating.NotFound {
			return unknownID(clip(domain))
		}
		if err == nil {
			view = whitelabelView(o)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: view}, nil
}

// changeWhitelabel makes, replaces or merges into an account's branding. A domain is one account's.
func changeWhitelabel(x *exchange) (*answer, error) {
	data, err := x.object()
	if err != nil {
		return nil, err
	}
	var o *storage.Object
	err = x.update(func(tx *storage.Tx) error {
		if o, err = whitelabel(tx, x.account.ID); err != nil {
			return err
		}
		switch {
		case o == nil && x.method != put:
			return unknownID(whitelabelNoun)
		case o != nil && x.method == put:
			return duplicate()
		case o == nil:
			o = &storage.Object{Account: x.account.ID, Type: whitelabelNoun, CreatedAt: x.now}
		default:
			o.ChangedAt = tx.Now()
		}
		old := readDocument(o.Doc)
		doc := public(data, "id", "accept_charges")
		if x.method == patch {
			doc = merge(old, doc)
		}
		f := newForm(doc)
		f.need("domain")
		domain := strings.ToLower(f.text("domain", 1, 253))
		f.text("company_name", 0, 128)
		f.boolean("enabled", true)
		checkService(f)
		if err := f.err(); err != nil {
			return err
		}
		var was share
		if o.ID != 0 {
			was = countObject(whitelabelNoun, old)
		}
		o.UUID = named(whitelabelNoun, domain)
		if other, err := tx.ObjectByUUID(o.UUID); err == nil && other.ID != o.ID {
			if err := dropOrphan(tx, o.UUID); err != nil {
				return err
			}
		}
		if o.Doc, err = storeDocument(doc); err != nil {
			return err
		}
		return x.changeIn(tx, was, countObject(whitelabelNoun, doc), func(tx *storage.Tx) error {
			err := tx.Objects.Put(o)
			if rating.KindOf(err) == rating.Conflict {
				return invalid("domain", "unique", "Whitelabel domain is already in use", "cause", domain)
			}
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: whitelabelView(o), revision: stored}, nil
}

func deleteWhitelabel(x *exchange) (*answer, error) {
	var o *storage.Object
	err := x.update(func(tx *storage.Tx) (err error) {
		if o, err = whitelabel(tx, x.account.ID); err != nil {
			return err
		}
		if o == nil {
			return unknownID(whitelabelNoun)
		}
		return x.recommit(tx, func(tx *storage.Tx) error { return tx.Objects.Delete(o.ID) })
	})
	if err != nil {
		return nil, err
	}
	doc := whitelabelView(o)
	doc["_read_only"] = document{"deleted": true}
	return &answer{data: doc, revision: stored}, nil
}
