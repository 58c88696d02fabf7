package kazoo

import (
	"maps"
	"slices"
	"time"

	"billd/storage"
)

const (
	portsNoun      = "port_requests"
	transitionsKey = "_transitions" // the states that a request has been in, in order
)

// portMoves says from which states a request may get to each, and whether that is its reseller's to say.
var portMoves = map[string]struct {
	from   []string
	seller bool
}{
	"unconfirmed": {nil, true},
	"submitted":   {[]string{"unconfirmed", "rejected"}, false},
	"pending":     {[]string{"submitted"}, true},
	"scheduled":   {[]string{"submitted", "pending"}, true},
	"completed":   {[]string{"pending", "scheduled", "rejected"}, true},
	"rejected":    {[]string{"submitted", "pending", "scheduled"}, true},
	"canceled":    {[]string{"unconfirmed", "submitted", "pending", "scheduled", "rejected"}, false},
}

// portStateRoutes are the paths of port requests beside those that every object has. They are as many
// as there are states, because a state and an id stand in the same place.
func portStateRoutes() (rows []route) {
	const at = "accounts/:account/" + portsNoun
	for _, state := range slices.Sorted(maps.Keys(portMoves)) {
		rows = append(rows, route{at + "/" + state, get, endpoint{who: user, run: func(x *exchange) (*answer, error) { return listPorts(x, state) }}})
		if portMoves[state].from != nil {
			rows = append(rows, route{at + "/:object/" + state, patch, endpoint{who: user, run: func(x *exchange) (*answer, error) { return movePort(x, state) }}})
		}
	}
	return rows
}

func portNoun() noun {
	return nouns[slices.IndexFunc(nouns, func(n noun) bool { return n.name == portsNoun })]
}

func checkPort(f *form) {
	f.need("numbers")
	numbers := f.object("numbers")
	if len(numbers) > maxCollection {
		f.problem("numbers", "maxProperties", "Too many numbers", "target", maxCollection)
	}
	clean := document{}
	for given, v := range numbers {
		n, ok := normalNumber(given)
		if !ok {
			f.sub("numbers").problem(given, "invalid", "Not a phone number", "value", clip(given))
			continue
		}
		if v == nil {
			v = document{}
		}
		clean[n] = v
	}
	if f.has("numbers") && len(clean) == 0 && f.errs["numbers"] == nil && numbers != nil {
		f.problem("numbers", "minProperties", "At least one number is needed", "target", 1)
	}
	if numbers != nil {
		f.doc["numbers"] = clean
	}
	delete(f.doc, "port_state") // changed by a call of its own
	f.object("bill")
	f.object("notifications")
	f.integer("transfer_date", 0, maxGregorian, 0)
}

// keepPort keeps the state of a request over a change, and begins that of a new one.
func keepPort(old, doc document, now time.Time) {
	doc[stateKey], doc[transitionsKey] = "unconfirmed", []any{document{"state": "unconfirmed", "at": seconds(now)}}
	if old != nil {
		doc[stateKey], doc[transitionsKey] = old[stateKey], old[transitionsKey]
	}
	doc["port_state"] = doc[stateKey]
}

func portRow(doc document) document {
	return document{"port_state": doc["port_state"], "numbers": doc["numbers"]}
}

// countPort counts the numbers of a request by its state, apart while it is in it for the first time.
func countPort(doc document, q storage.Quantities) {
	state, _ := doc[stateKey].(string)
	numbers, _ := doc["numbers"].(document)
	times := 0
	moves, _ := doc[transitionsKey].([]any)
	for _, m := range moves {
		if m, ok := m.(document); ok && m["state"] == state {
			times++
		}
	}
	if times == 1 {
		state = "first_" + state
	}
	if len(numbers) > 0 {
		add(q, "port_request", state, int64(len(numbers)))
	}
}

// listPorts lists the requests that are in a state.
func listPorts(x *exchange, state string) (*answer, error) {
	rows, err := x.objects(portsNoun, func(o *storage.Object) any { return readDocument(o.Doc) })
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(r listed) bool { return r.row.(document)[stateKey] != state })
	for i := range rows {
		view := rows[i].whole()
		rows[i].row = document{"id": view["id"], "name": view["name"], "port_state": view["port_state"], "numbers": view["numbers"],
			"created": seconds(rows[i].created), "account_id": x.account.UUID.Hex(), "account_name": x.account.Name}
	}
	return x.list(rows)
}

// movePort brings a request to another state. A completed one gives its numbers to the account.
func movePort(x *exchange, state string) (*answer, error) {
	if portMoves[state].seller && !x.sells() {
		return nil, forbidden()
	}
	n := portNoun()
	var o *storage.Object
	err := x.update(func(tx *storage.Tx) (err error) {
		if o, err = findObject(tx, x, n); err != nil {
			return err
		}
		old := readDocument(o.Doc)
		now, _ := old[stateKey].(string)
		if !slices.Contains(portMoves[state].from, now) {
			return invalid("port_state", "enum", "a request that is "+now+" cannot become "+state, "target", portMoves[state].from, "value", now)
		}
		doc := maps.Clone(old)
		moves, _ := old[transitionsKey].([]any)
		if len(moves) >= maxMoves {
			return invalid("port_state", "maximum", "the request has changed its state too often", "target", maxMoves)
		}
		doc[stateKey], doc["port_state"] = state, state
		doc[transitionsKey] = append(slices.Clone(moves), document{"state": state, "at": seconds(tx.Now())})
		if o.Doc, err = storeDocument(doc); err != nil {
			return err
		}
		o.ChangedAt = tx.Now()
		was, is := countObject(portsNoun, old), countObject(portsNoun, doc)
		puts := []*storage.Object{o}
		if state == "completed" {
			if puts, was, is, err = x.portedNumbers(tx, doc, puts, was, is); err != nil {
				return err
			}
		}
		return x.changeIn(tx, was, is, func(tx *storage.Tx) error {
			for _, p := range puts {
				if err := tx.Objects.Put(p); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: objectView(o), revision: stored}, nil
}

// maxMoves bounds how often a request changes its state.
const maxMoves = 100

// portedNumbers adds a completed request's numbers, in service, to what is to be stored.
func (x *exchange) portedNumbers(tx *storage.Tx, doc document, puts []*storage.Object, was, is share) ([]*storage.Object, share, share, error) {
	numbers, _ := doc["numbers"].(document)
	for _, n := range slices.Sorted(maps.Keys(numbers)) {
		o, before, after, err := x.putNumber(tx, n, inService, document{})
		if err != nil {
			return nil, was, is, err
		}
		was.units, is.units = was.units.Add(before.units, 1), is.units.Add(after.units, 1)
		puts = append(puts, o)
	}
	return puts, was, is, nil
}
