package kazoo

import (
	"crypto/sha256"
	"maps"
	"net/http"

	"billd/rating"
	"billd/storage"
)

const (
	numbersNoun = "phone_numbers"
	// What the server keeps of a number beside its document.
	numberKey  = "_number"
	stateKey   = "_state"
	carrierKey = "_carrier"
)

// The states of a number, and who carries one that does not say: the operator's own stock.
const (
	inService      = "in_service"
	reserved       = "reserved"
	portIn         = "port_in"
	localCarrier   = "knm_local"
	defaultCarrier = "knm_inventory"
)

func numberRoutes() []route {
	const at = "accounts/:account/" + numbersNoun
	put1 := func(state string) func(*exchange) (*answer, error) {
		return func(x *exchange) (*answer, error) { return x.changeNumber(state) }
	}
	many := func(state string) func(*exchange) (*answer, error) {
		return func(x *exchange) (*answer, error) { return x.changeNumbers(state) }
	}
	return []route{
		{at, get, endpoint{who: user, run: listNumbers}},
		{at + "/check", post, endpoint{who: user, run: checkNumbers}},
		{at + "/classifiers", get, endpoint{who: user, run: listClassifiers}},
		{at + "/classifiers/:number", get, endpoint{who: user, run: classifyNumber}},
		{at + "/collection", put, endpoint{who: user, run: many(reserved)}},
		{at + "/collection", post, endpoint{who: user, run: many("")}},
		{at + "/collection", patch, endpoint{who: user, run: many("")}},
		{at + "/collection", remove, endpoint{who: user, run: deleteNumbers}},
		{at + "/collection/activate", put, endpoint{who: user, run: many(inService)}},
		{at + "/:number", get, endpoint{who: user, run: readNumber}},
		{at + "/:number", put, endpoint{who: user, run: put1(reserved)}},
		{at + "/:number", post, endpoint{who: user, run: put1("")}},
		{at + "/:number", patch, endpoint{who: user, run: put1("")}},
		{at + "/:number", remove, endpoint{who: user, run: deleteNumber}},
		{at + "/:number/activate", put, endpoint{who: user, run: put1(inService)}},
		{at + "/:number/reserve", put, endpoint{who: user, run: put1(reserved)}},
		{at + "/:number/port", put, endpoint{who: user, run: put1(portIn)}},
		{at + "/:number/identify", get, endpoint{who: user, run: identifyNumber}},
		{numbersNoun + "/classifiers", get, endpoint{who: user, run: listClassifiers}},
		{numbersNoun + "/classifiers/:number", get, endpoint{who: user, run: classifyNumber}},
	}
}

// named returns the UUID of the one object that can be known by a text, so that no other account can
// have it too.
func named(kind, text string) (u rating.UUID) {
	sum := sha256.Sum256([]byte(kind + "\x00" + text))
	copy(u[:], sum[:])
	return u
}

// dropOrphan removes an object whose account is closed, so that its name is free again.
func dropOrphan(tx *storage.Tx, u rating.UUID) error {
	o, err := tx.ObjectByUUID(u)
	if rating.KindOf(err) == rating.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := tx.OpenAccount(o.Account); rating.KindOf(err) != rating.NotFound {
		return err
	}
	return tx.Objects.Delete(o.ID)
}

// features lists what a number has, in order: each is priced by its name.
func features(doc document) (list []string) {
	has := func(path string) bool { return !hollow(within(doc, path)) }
	for _, f := range []struct {
		name string
		on   bool
	}{
		{"cnam", has("cnam.display_name") || within(doc, "cnam.inbound_lookup") == true},
		{"e911", has("e911")},
		{"failover", has("failover")},
		{"local", doc[carrierKey] == localCarrier},
		{"mms", within(doc, "mms.enabled") == true},
		{"port", has("porting")},
		{"prepend", within(doc, "prepend.enabled") == true},
		{"sms", within(doc, "sms.enabled") == true},
	} {
		if f.on {
			list = append(list, f.name)
		}
	}
	return list
}

// countNumber counts a number by its class, unless it is local, its carrier and its features.
func countNumber(doc document, q storage.Quantities) {
	number, _ := doc[numberKey].(string)
	if doc[carrierKey] != localCarrier {
		add(q, "phone_numbers", classify(number).name, 1)
	}
	if carrier, _ := doc[carrierKey].(string); carrier != "" {
		add(q, "number_carriers", carrier, 1)
	}
	for _, f := range features(doc) {
		add(q, "number_services", f, 1)
	}
}

// numberRow is what a listing says of a number, and what a document says beside its own fields.
func numberRow(o *storage.Object) document {
	doc := readDocument(o.Doc)
	changed := o.ChangedAt
	if changed.IsZero() {
		changed = o.CreatedAt
	}
	list := features(doc)
	if list == nil {
		list = []string{}
	}
	row := document{"state": doc[stateKey], "features": list, "created": seconds(o.CreatedAt), "updated": seconds(changed)}
	if used, _ := doc["used_by"].(string); used != "" {
		row["used_by"] = used
	}
	return row
}

func numberView(o *storage.Object, account string) document {
	doc := readDocument(o.Doc)
	view := public(doc)
	maps.Copy(view, numberRow(o))
	view["id"], view["assigned_to"], view["carrier_name"] = doc[numberKey], account, doc[carrierKey]
	view["_read_only"] = document{"state": doc[stateKey], "features": view["features"], "created": view["created"], "modified": view["updated"]}
	return view
}

func listNumbers(x *exchange) (*answer, error) {
	rows, err := x.objects(numbersNoun, func(o *storage.Object) any { return o })
	if err != nil {
		return nil, err
	}
	id := x.account.UUID.Hex()
	for i := range rows {
		o := rows[i].row.(*storage.Object)
		number, _ := readDocument(o.Doc)[numberKey].(string)
		rows[i].place, rows[i].row = number, numberRow(o)
		rows[i].row.(document)["id"], rows[i].row.(document)["assigned_to"] = number, id
		rows[i].whole = func() document { return numberView(o, id) }
	}
	ans, err := x.list(rows)
	if err != nil {
		return nil, err
	}
	numbers := document{}
	for _, r := range ans.data.([]any) {
		row := r.(document)
		numbers[row["id"].(string)] = row
		if !x.flag("full_docs") {
			delete(row, "id")
		}
	}
	ans.data = document{"numbers": numbers, "casquade_quantity": 0}
	return ans, nil
}

// noNumber refuses a number that the account has not.
func noNumber(number string) *failure {
	f := unknownID(clip(number))
	f.data = document{"cause": clip(number), "message": "bad identifier", "not_found": "The number could not be found"}
	return f
}

// findNumber finds a number of the target account; nil when nobody has it. Fails when another has.
func findNumber(tx *storage.Tx, x *exchange, number string) (*storage.Object, error) {
	o, err := tx.ObjectByUUID(named(numbersNoun, number))
	if rating.KindOf(err) == rating.NotFound {
		return nil, nil
	}
	if err == nil && o.Account != x.account.ID {
		err = &failure{status: http.StatusConflict, message: "number_exists",
			data: document{"code": http.StatusConflict, "error": "number_exists", "cause": number, "message": "number " + number + " already exists"}}
	}
	return o, err
}

func readNumber(x *exchange) (*answer, error) {
	o, err := x.ownNumber()
	if err != nil {
		return nil, err
	}
	return &answer{data: numberView(o, x.account.UUID.Hex()), revision: stored}, nil
}

// ownNumber finds the number of the path in the target account.
func (x *exchange) ownNumber() (o *storage.Object, err error) {
	number, ok := normalNumber(x.params["number"])
	if !ok {
		return nil, noNumber(x.params["number"])
	}
	err = x.view(func(tx *storage.Tx) (err error) {
		o, err = findNumber(tx, x, number)
		return err
	})
	if err == nil && o == nil || isConflict(err) {
		err = noNumber(number)
	}
	return o, err
}

func isConflict(err error) bool {
	f, ok := err.(*failure)
	return ok && f.status == http.StatusConflict
}

func identifyNumber(x *exchange) (*answer, error) {
	o, err := x.ownNumber()
	if err != nil {
		return nil, err
	}
	return &answer{data: document{"account_id": x.account.UUID.Hex(), "number": readDocument(o.Doc)[numberKey]}}, nil
}
