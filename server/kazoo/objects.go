package kazoo

import (
	"slices"
	"strings"

	"billd/rating"
	"billd/storage"
)

// noun is a kind of countable object.
type noun struct {
	name  string
	check func(f *form)               // its own fields; name is checked for all
	row   func(doc document) document // beside id and name, in a listing
	count func(doc document, q storage.Quantities)
}

// nouns are the countable objects that are nothing but documents. Users have logins and are apart,
// limits are one document (contract 6.1, 8).
var nouns = []noun{
	{"devices", checkDevice, func(doc document) document {
		return document{"device_type": doc["device_type"], "enabled": doc["enabled"], "owner_id": doc["owner_id"]}
	}, func(doc document, q storage.Quantities) {
		kind, _ := doc["device_type"].(string)
		add(q, "devices", firstOf(kind, defaultDevice), 1)
	}},
	{"vmboxes", func(f *form) { f.boolean("transcribe", false) }, nil, func(doc document, q storage.Quantities) {
		add(q, "voicemails", "mailbox", 1)
		if doc["transcribe"] == true {
			add(q, "voicemails", "transcription", 1)
		}
	}},
	{"faxboxes", nil, nil, func(_ document, q storage.Quantities) { add(q, "faxes", "mailbox", 1) }},
	{"conferences", nil, nil, func(_ document, q storage.Quantities) { add(q, "conferences", "conference", 1) }},
}

const defaultDevice = "sip_device"

func add(q storage.Quantities, category, item string, n int64) {
	if q[category] == nil {
		q[category] = map[string]int64{}
	}
	q[category][item] += n
}

func checkDevice(f *form) {
	if kind := f.text("device_type", 1, 64); kind == "" && f.errs["device_type"] == nil {
		f.doc["device_type"] = defaultDevice
	}
	f.object("sip")
	f.text("owner_id", 0, 32)
}

// countObject returns what an object adds to the quantities of its account; nothing when it is off.
func countObject(kind string, doc document) storage.Quantities {
	q := storage.Quantities{}
	if doc["enabled"] == false {
		return q
	}
	if kind == limitsNoun {
		for _, trunk := range []string{"twoway_trunks", "inbound_trunks", "outbound_trunks"} {
			if n := newForm(doc).integer(trunk, 0, maxManual, 0); n > 0 {
				add(q, "limits", trunk, n)
			}
		}
	}
	if i := slices.IndexFunc(nouns, func(n noun) bool { return n.name == kind }); i >= 0 {
		nouns[i].count(doc, q)
	}
	billing, _ := doc["billing"].(document)
	for name := range billing {
		if n := newForm(billing).integer(name, 0, maxManual, 0); n > 0 {
			add(q, "billing", name, n)
		}
	}
	return q
}

func objectRoutes() []route {
	var rows []route
	for _, n := range nouns {
		at := "accounts/:account/" + n.name
		bind := func(run func(*exchange, noun) (*answer, error)) endpoint {
			return endpoint{who: user, run: func(x *exchange) (*answer, error) { return run(x, n) }}
		}
		rows = append(rows,
			route{at, get, bind(listObjects)}, route{at, put, bind(createObject)}, route{at + "/:object", get, bind(readObject)},
			route{at + "/:object", post, bind(changeObject)}, route{at + "/:object", patch, bind(changeObject)}, route{at + "/:object", remove, bind(deleteObject)})
	}
	return rows
}

// objectView is an object whole.
func objectView(o *storage.Object) document {
	doc := public(readDocument(o.Doc))
	doc["id"] = o.UUID.Hex()
	return doc
}

func objectKey(o *storage.Object) string {
	name, _ := readDocument(o.Doc)["name"].(string)
	return strings.ToLower(name) + "\x00" + o.UUID.Hex()
}

func listObjects(x *exchange, n noun) (*answer, error) {
	var objects []*storage.Object
	err := x.view(func(tx *storage.Tx) error {
		return tx.ObjectsOf(x.account.ID, n.name, func(o *storage.Object) (bool, error) {
			if x.filtered(objectView(o)) {
				objects = append(objects, o)
			}
			return true, nil
		})
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(objects, func(a, b *storage.Object) int { return strings.Compare(objectKey(a), objectKey(b)) })
	ans, err := paged(x, objects, objectKey)
	if err != nil {
		return nil, err
	}
	rows := []document{}
	for _, o := range ans.data.([]*storage.Object) {
		doc := readDocument(o.Doc)
		row := document{}
		if n.row != nil {
			row = n.row(doc)
		}
		row["id"], row["name"] = o.UUID.Hex(), doc["name"]
		for k, v := range row {
			if v == nil {
				delete(row, k)
			}
		}
		rows = append(rows, row)
	}
	ans.data = rows
	return ans, nil
}

// filtered reports whether a document passes the generic filters of the query.
func (x *exchange) filtered(doc document) bool {
	for name := range x.query {
		want := x.query.Get(name)
		switch {
		case name == "has_key":
			if doc[want] == nil {
				return false
			}
		case name == "key_missing":
			if doc[want] != nil {
				return false
			}
		case strings.HasPrefix(name, "filter_not_"):
			if got, _ := plain(doc[strings.TrimPrefix(name, "filter_not_")]); got == want {
				return false
			}
		case strings.HasPrefix(name, "filter_"):
			if got, _ := plain(doc[strings.TrimPrefix(name, "filter_")]); got != want {
				return false
			}
		}
	}
	return true
}

// checkObject checks what all objects have and what the noun asks for.
func checkObject(doc document, n noun) error {
	f := newForm(doc)
	f.need("name")
	f.text("name", 1, 128)
	doc["enabled"] = f.boolean("enabled", true)
	if b := f.object("billing"); b != nil {
		billing := f.sub("billing")
		for name := range b {
			billing.integer(name, 0, maxManual, 0)
		}
	}
	if n.check != nil {
		n.check(f)
	}
	return f.err()
}

// findObject finds an object of the target account.
func findObject(tx *storage.Tx, x *exchange, n noun) (*storage.Object, error) {
	id := x.params["object"]
	u, ok := hexID(id)
	if !ok {
		return nil, unknownID(clip(id))
	}
	o, err := tx.ObjectByUUID(u)
	if err != nil && rating.KindOf(err) != rating.NotFound {
		return nil, err
	}
	if err != nil || o.Account != x.account.ID || o.Type != n.name {
		return nil, unknownID(id)
	}
	return o, nil
}

func createObject(x *exchange, n noun) (*answer, error) {
	data, err := x.object()
	if err != nil {
		return nil, err
	}
	doc := public(data, "id", "accept_charges")
	if err := checkObject(doc, n); err != nil {
		return nil, err
	}
	o := &storage.Object{UUID: rating.NewUUID(x.now), Account: x.account.ID, Type: n.name, CreatedAt: x.now}
	if o.Doc, err = storeDocument(doc); err != nil {
		return nil, err
	}
	err = x.change(nil, countObject(n.name, doc), func(tx *storage.Tx) error {
		made := *o
		return tx.Objects.Put(&made)
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: objectView(o), revision: stored}, nil
}

func readObject(x *exchange, n noun) (*answer, error) {
	var o *storage.Object
	err := x.view(func(tx *storage.Tx) (err error) {
		o, err = findObject(tx, x, n)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: objectView(o), revision: stored}, nil
}

func changeObject(x *exchange, n noun) (*answer, error) {
	data, err := x.object()
	if err != nil {
		return nil, err
	}
	var o *storage.Object
	err = x.update(func(tx *storage.Tx) error {
		if o, err = findObject(tx, x, n); err != nil {
			return err
		}
		old := readDocument(o.Doc)
		doc := public(data, "id", "accept_charges")
		if x.method == patch {
			doc = merge(old, doc)
		}
		if err := checkObject(doc, n); err != nil {
			return err
		}
		if o.Doc, err = storeDocument(doc); err != nil {
			return err
		}
		return x.changeIn(tx, countObject(n.name, old), countObject(n.name, doc), func(tx *storage.Tx) error { return tx.Objects.Put(o) })
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: objectView(o), revision: stored}, nil
}

func deleteObject(x *exchange, n noun) (*answer, error) {
	var o *storage.Object
	err := x.update(func(tx *storage.Tx) (err error) {
		if o, err = findObject(tx, x, n); err != nil {
			return err
		}
		return x.recommit(tx, func(tx *storage.Tx) error { return tx.Objects.Delete(o.ID) })
	})
	if err != nil {
		return nil, err
	}
	doc := objectView(o)
	doc["_read_only"] = document{"deleted": true}
	return &answer{data: doc, revision: stored}, nil
}
