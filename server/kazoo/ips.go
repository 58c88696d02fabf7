package kazoo

import (
	"net/netip"
	"slices"

	"billd/rating"
	"billd/storage"
)

const (
	ipsNoun     = "ips"
	assignedKey = "_assigned" // an address that is nobody's is kept by the master
)

func ipRoutes() []route {
	const at = "accounts/:account/" + ipsNoun
	return []route{
		{ipsNoun, get, endpoint{who: master, run: poolIPs}},
		{ipsNoun, put, endpoint{who: master, run: createIP}},
		{ipsNoun + "/:ip", remove, endpoint{who: master, run: removeIP}},
		{at, get, endpoint{who: user, run: freeIPs}},
		{at, post, endpoint{who: user, run: assignIPs}},
		{at + "/assigned", get, endpoint{who: user, run: assignedIPs}},
		{at + "/hosts", get, endpoint{who: user, run: func(x *exchange) (*answer, error) { return valuesOfIPs(x, "host") }}},
		{at + "/zones", get, endpoint{who: user, run: func(x *exchange) (*answer, error) { return valuesOfIPs(x, "zone") }}},
		{at + "/:ip", get, endpoint{who: user, run: readIP}},
		{at + "/:ip", post, endpoint{who: user, run: assignIPs}},
		{at + "/:ip", remove, endpoint{who: user, run: releaseIP}},
	}
}

// ipView is an address whole.
func ipView(tx *storage.Tx, o *storage.Object) (document, error) {
	doc := public(readDocument(o.Doc))
	doc["id"], doc["type"], doc["status"] = doc["ip"], "dedicated_ip", "available"
	if isAssigned(o) {
		a, err := tx.Accounts.Get(uint64(o.Account))
		if err != nil {
			return nil, err
		}
		doc["status"], doc["assigned_to"] = "assigned", a.UUID.Hex()
	}
	return doc, nil
}

func isAssigned(o *storage.Object) bool { return readDocument(o.Doc)[assignedKey] == true }

// eachIP calls fn with the addresses that an account keeps.
func eachIP(tx *storage.Tx, id rating.AccountID, fn func(o *storage.Object, doc document) error) error {
	return tx.ObjectsOf(id, ipsNoun, func(o *storage.Object) (bool, error) { return true, fn(o, readDocument(o.Doc)) })
}

// listIPs answers with a page of the addresses of an account that are assigned, or are not.
func (x *exchange) listIPs(id rating.AccountID, wanted func(assigned bool) bool) (*answer, error) {
	var rows []listed
	err := x.view(func(tx *storage.Tx) error {
		return eachIP(tx, id, func(o *storage.Object, doc document) error {
			zone := x.setting("zone")
			if !wanted(doc[assignedKey] == true) || zone != "" && doc["zone"] != zone {
				return nil
			}
			view, err := ipView(tx, o)
			ip, _ := doc["ip"].(string)
			rows = append(rows, listed{place: ip, row: document{"ip": ip, "zone": doc["zone"]}, whole: func() document { return view }, created: o.CreatedAt, changed: o.ChangedAt})
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return x.list(rows)
}

func poolIPs(x *exchange) (*answer, error) {
	return x.listIPs(rating.MasterAccount, func(bool) bool { return true })
}

func freeIPs(x *exchange) (*answer, error) {
	return x.listIPs(rating.MasterAccount, func(assigned bool) bool { return !assigned })
}

func assignedIPs(x *exchange) (*answer, error) {
	return x.listIPs(x.account.ID, func(assigned bool) bool { return assigned })
}

// valuesOfIPs lists what the addresses that are free or the target's say under a key.
func valuesOfIPs(x *exchange, key string) (*answer, error) {
	values := []string{}
	err := x.view(func(tx *storage.Tx) error {
		for _, id := range []rating.AccountID{rating.MasterAccount, x.account.ID} {
			err := eachIP(tx, id, func(_ *storage.Object, doc document) error {
				if v, _ := doc[key].(string); v != "" && !slices.Contains(values, v) {
					values = append(values, v)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	slices.Sort(values)
	return &answer{data: values}, err
}

// createIP adds an address to those that accounts can have.
func createIP(x *exchange) (*answer, error) {
	data, err := x.object()
	if err != nil {
		return nil, err
	}
	f := newForm(data)
	for _, name := range []string{"ip", "zone", "host"} {
		f.need(name)
		f.text(name, 1, 253)
	}
	text, _ := data["ip"].(string)
	addr, bad := netip.ParseAddr(text)
	if bad != nil && f.errs["ip"] == nil {
		f.problem("ip", "pattern", "Not an IP address", "value", clip(text))
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	o := &storage.Object{UUID: named(ipsNoun, addr.String()), Account: rating.MasterAccount, Type: ipsNoun, CreatedAt: x.now}
	doc := public(data, "id")
	doc["ip"] = addr.String()
	if o.Doc, err = storeDocument(doc); err != nil {
		return nil, err
	}
	var view document
	err = x.update(func(tx *storage.Tx) (err error) {
		if err := dropOrphan(tx, o.UUID); err != nil {
			return err
		}
		made := *o
		if err := tx.Objects.Put(&made); rating.KindOf(err) == rating.Conflict {
			return duplicate()
		} else if err != nil {
			return err
		}
		view, err = ipView(tx, &made)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: view, revision: stored}, nil
}

// findIP finds an address, whoever keeps it.
func findIP(tx *storage.Tx, text string) (*storage.Object, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return nil, unknownID(clip(text))
	}
	o, err := tx.ObjectByUUID(named(ipsNoun, addr.String()))
	if rating.KindOf(err) == rating.NotFound {
		return nil, unknownID(clip(text))
	}
	return o, err
}

// ownIP finds an address that is assigned to the target.
func ownIP(tx *storage.Tx, x *exchange) (*storage.Object, error) {
	o, err := findIP(tx, x.params["ip"])
	if err == nil && (o.Account != x.account.ID || !isAssigned(o)) {
		err = unknownID(clip(x.params["ip"]))
	}
	return o, err
}

func readIP(x *exchange) (*answer, error) {
	var view document
	err := x.view(func(tx *storage.Tx) error {
		o, err := ownIP(tx, x)
		if err == nil {
			view, err = ipView(tx, o)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: view, revision: stored}, nil
}
