package kazoo

import (
	"net/http"

	"billd/rating"
	"billd/storage"
)

// assignIPs gives the target the address of the path, or those of the body, all or none.
func assignIPs(x *exchange) (*answer, error) {
	var texts []string
	one := x.params["ip"]
	if one != "" {
		texts = []string{one}
	} else {
		list, _ := x.data.([]any)
		if d, ok := x.data.(document); ok {
			list, _ = d["ips"].([]any)
		}
		for _, v := range list {
			s, _ := plain(v)
			texts = append(texts, s)
		}
		if len(texts) == 0 || len(texts) > maxCollection {
			return nil, invalid("ips", "required", "Field is required but missing")
		}
	}
	views := []document{}
	err := x.update(func(tx *storage.Tx) error {
		views = views[:0]
		var was, is share
		var puts []*storage.Object
		for _, text := range texts {
			o, err := findIP(tx, text)
			if err != nil {
				return err
			}
			doc := readDocument(o.Doc)
			if doc[assignedKey] == true && o.Account != x.account.ID {
				return duplicate()
			}
			was.units = was.units.Add(countObject(ipsNoun, doc).units, 1)
			doc[assignedKey], o.Account, o.ChangedAt = true, x.account.ID, tx.Now()
			is.units = is.units.Add(countObject(ipsNoun, doc).units, 1)
			if o.Doc, err = storeDocument(doc); err != nil {
				return err
			}
			puts = append(puts, o)
		}
		return x.changeIn(tx, was, is, func(tx *storage.Tx) error {
			for _, o := range puts {
				if err := tx.Objects.Put(o); err != nil {
					return err
				}
				view, err := ipView(tx, o)
				if err != nil {
					return err
				}
				views = append(views, view)
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	if one != "" {
		return &answer{data: views[0], revision: stored}, nil
	}
	return &answer{data: views, status: http.StatusOK}, nil
}

// releaseIP takes an address from the target; others can have it then.
func releaseIP(x *exchange) (*answer, error) {
	var view document
	err := x.update(func(tx *storage.Tx) error {
		o, err := ownIP(tx, x)
		if err != nil {
			return err
		}
		doc := readDocument(o.Doc)
		delete(doc, assignedKey)
		o.Account, o.ChangedAt = rating.MasterAccount, tx.Now()
		if o.Doc, err = storeDocument(doc); err != nil {
			return err
		}
		if view, err = ipView(tx, o); err != nil {
			return err
		}
		return x.recommit(tx, func(tx *storage.Tx) error { return tx.Objects.Put(o) })
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: view, revision: stored}, nil
}

// removeIP forgets an address that nobody has.
func removeIP(x *exchange) (*answer, error) {
	var view document
	err := x.update(func(tx *storage.Tx) error {
		o, err := findIP(tx, x.params["ip"])
		if err != nil {
			return err
		}
		if isAssigned(o) {
			return duplicate()
		}
		if view, err = ipView(tx, o); err != nil {
			return err
		}
		return tx.Objects.Delete(o.ID)
	})
	if err != nil {
		return nil, err
	}
	view["_read_only"] = document{"deleted": true}
	return &answer{data: view, revision: stored}, nil
}
