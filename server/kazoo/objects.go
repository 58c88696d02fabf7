package kazoo

import (
	"strings"
	"time"

	"billd/rating"
	"billd/storage"
)

// noun is a kind of countable object.
type noun struct {
	name  string
	check func(f *form)               // its own fields; name is checked for all
	row   func(doc document) document // beside id and name, in a listing
	count func(doc document, q storage.Quantities)
	// keep gives a document that is about to be stored what the server keeps of it; old is nil for a
	// new one. May be nil.
	keep func(old, doc document, now time.Time)
}

// nouns are the countable objects that are nothing but documents. Users have logins and are apart,
// limits are one document (contract 6.1, 8).
var nouns = []noun{
	{"devices", checkDevice, func(doc document) document {
		return document{"device_type": doc["device_type"], "enabled": doc["enabled"], "owner_id": doc["owner_id"]}
	}, func(doc document, q storage.Quantities) {
		kind, _ := doc["device_type"].(string)
		add(q, "devices", firstOf(kind, defaultDevice), 1)
	}, nil},
	{"vmboxes", func(f *form) { f.boolean("transcribe", false) }, nil, func(doc document, q storage.Quantities) {
		add(q, "voicemails", "mailbox", 1)
		if doc["transcribe"] == true {
			add(q, "voicemails", "transcription", 1)
		}
	}, nil},
	{portsNoun, checkPort, portRow, countPort, keepPort},
	{"faxboxes", nil, nil, func(_ document, q storage.Quantities) { add(q, "faxes", "mailbox", 1) }, nil},
	{"conferences", nil, nil, func(_ document, q storage.Quantities) { add(q, "conferences", "conference", 1) }, nil},
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

// checkService checks what a document says of plans and billing.
func checkService(f *form) {
	if b := f.object("billing"); b != nil {
		billing := f.sub("billing")
		for name := range b {
			billing.integer(name, 0, maxManual, 0)
		}
	}
	service := f.sub("service")
	plans := service.sub("plans")
	for id := range plans.doc {
		plans.sub(id).object("overrides")
	}
	if len(plans.doc) > maxPlans {
		service.problem("plans", "maximum", "too many plans", "target", maxPlans)
	}
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
	rows, err := x.objects(n.name, func(o *storage.Object) any {
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
		return row
	})
	if err != nil {
		return nil, err
	}
	return x.list(rows)
}

// objects returns the target's objects of a kind as rows of a listing.
func (x *exchange) objects(kind string, row func(*storage.Object) any) (rows []listed, err error) {
	err = x.view(func(tx *storage.Tx) error {
		return tx.ObjectsOf(x.account.ID, kind, func(o *storage.Object) (bool, error) {
			rows = append(rows, listed{place: objectKey(o), row: row(o), whole: func() document { return objectView(o) }, created: o.CreatedAt, changed: o.ChangedAt})
			return true, nil
		})
	})
	return rows, err
}

// checkObject checks what all objects have and what the noun asks for.
func checkObject(doc document, n noun) error {
	f := newForm(doc)
	f.need("name")
	f.text("name", 1, 128)
	doc["enabled"] = f.boolean("enabled", true)
	checkService(f)
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
	if n.keep != nil {
		n.keep(nil, doc, x.now)
	}
	if o.Doc, err = storeDocument(doc); err != nil {
		return nil, err
	}
	err = x.change(share{}, countObject(n.name, doc), func(tx *storage.Tx) error {
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
		if n.keep != nil {
			n.keep(old, doc, x.now)
		}
		if o.Doc, err = storeDocument(doc); err != nil {
			return err
		}
		o.ChangedAt = tx.Now()
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
