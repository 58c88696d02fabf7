package kazoo

import (
	"strings"

	"billd/rating"
	"billd/storage"
)

// checkNumberDoc checks what a client says of a number.
func checkNumberDoc(doc document) error {
	f := newForm(doc)
	for _, sub := range []string{"cnam", "e911", "failover", "porting", "prepend", "sms", "mms"} {
		f.object(sub)
	}
	f.sub("cnam").text("display_name", 1, 15)
	if e := f.sub("e911"); len(e.doc) > 0 {
		for _, name := range []string{"street_address", "locality", "region", "postal_code"} {
			e.need(name)
			e.text(name, 1, 128)
		}
	}
	f.text("carrier_name", 1, 64)
	f.text("used_by", 0, 64)
	checkService(f)
	return f.err()
}

// putNumber makes or changes a number of the target, and returns what it counted for before and does
// after. An empty state leaves the state alone and wants the number to be there.
func (x *exchange) putNumber(tx *storage.Tx, number, state string, data document) (o *storage.Object, was, is share, err error) {
	if err = dropOrphan(tx, named(numbersNoun, number)); err != nil {
		return nil, was, is, err
	}
	if o, err = findNumber(tx, x, number); err != nil {
		return nil, was, is, err
	}
	old := document{}
	switch {
	case o == nil && state == "":
		return nil, was, is, noNumber(number)
	case o == nil:
		o = &storage.Object{UUID: named(numbersNoun, number), Account: x.account.ID, Type: numbersNoun, CreatedAt: tx.Now()}
	default:
		old = readDocument(o.Doc)
		was = countObject(numbersNoun, old)
		o.ChangedAt = tx.Now()
	}
	doc := public(data, "id", "numbers", "accept_charges", "carrier_name", "state", "features", "created", "updated", "assigned_to")
	if x.method == patch || len(doc) == 0 {
		doc = merge(public(old), doc)
	}
	carrier, _ := data["carrier_name"].(string)
	before, _ := old[carrierKey].(string)
	kept, _ := old[stateKey].(string)
	doc[numberKey], doc[carrierKey], doc[stateKey] = number, firstOf(carrier, before, defaultCarrier), firstOf(state, kept)
	if state == reserved && kept == inService && x.segments[len(x.segments)-1] != "reserve" {
		doc[stateKey] = inService // a PUT of a number that is in service does not take it out
	}
	if o.Doc, err = storeDocument(doc); err != nil {
		return nil, was, is, err
	}
	return o, was, countObject(numbersNoun, doc), nil
}

func (x *exchange) changeNumber(state string) (*answer, error) {
	data, err := x.object()
	if err != nil {
		return nil, err
	}
	number, ok := normalNumber(x.params["number"])
	if !ok {
		return nil, invalid("number", "invalid", "Not a phone number", "value", clip(x.params["number"]))
	}
	if err := checkNumberDoc(data); err != nil {
		return nil, err
	}
	var o *storage.Object
	err = x.update(func(tx *storage.Tx) error {
		found, was, is, err := x.putNumber(tx, number, state, data)
		if err != nil {
			return err
		}
		o = found
		return x.changeIn(tx, was, is, func(tx *storage.Tx) error { return tx.Objects.Put(o) })
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: numberView(o, x.account.UUID.Hex()), revision: stored}, nil
}

func deleteNumber(x *exchange) (*answer, error) {
	o, err := x.ownNumber()
	if err != nil {
		return nil, err
	}
	err = x.update(func(tx *storage.Tx) error {
		return x.recommit(tx, func(tx *storage.Tx) error { return tx.Objects.Delete(o.ID) })
	})
	if err != nil {
		return nil, err
	}
	doc := numberView(o, x.account.UUID.Hex())
	doc["_read_only"].(document)["deleted"] = true
	return &answer{data: doc, revision: stored}, nil
}

// accountOfNumber returns the account that has a number; NotFound when none has.
func accountOfNumber(tx *storage.Tx, text string) (*rating.Account, error) {
	number, ok := normalNumber(strings.TrimSpace(text))
	if !ok {
		return nil, rating.Errorf(rating.NotFound, "number", "no such number")
	}
	o, err := tx.ObjectByUUID(named(numbersNoun, number))
	if err != nil {
		return nil, err
	}
	return tx.OpenAccount(o.Account)
}
