package kazoo

import (
	"reflect"
	"slices"

	"billd/rating"
	"billd/storage"
)

// commit changes what an account is billed for: it runs change on the services, counts the account's
// objects anew, records and charges what the invoices gain and lose, and carries what was counted up to
// every account above.
//
// Source: contract 7.1.
func (x *exchange) commit(tx *storage.Tx, a *rating.Account, change func(*books) error) (*books, error) {
	b, err := openBooks(tx, a)
	if err != nil {
		return nil, err
	}
	if err := tx.HoldBooks(b.Books); err != nil {
		return nil, err
	}
	was := b.Services.Counted
	if err := change(b); err != nil {
		return nil, err
	}
	has, err := recount(tx, a.ID)
	if err != nil {
		return nil, err
	}
	b.Services.Counted, b.Services.Objects = has.units, has.plans
	if err := b.LoadPlans(tx); err != nil {
		return nil, err
	}
	if err := tx.SettleBooks(b.Books, a); err != nil {
		return nil, err
	}
	return b, tx.CarryUp(b.Above, a, b.Services.Counted.Add(was, -1))
}

// recount counts the objects that an account has now, and finds the plans that they bring
// (contract 6.1, 5.3).
func recount(tx *storage.Tx, id rating.AccountID) (sum share, err error) {
	sum.units = storage.Quantities{}
	take := func(s share) {
		addAll(sum.units, s.units)
		for _, p := range s.plans {
			if !slices.ContainsFunc(sum.plans, func(o storage.AssignedPlan) bool { return o.Plan == p.Plan }) {
				sum.plans = append(sum.plans, p)
			}
		}
	}
	err = tx.ObjectsOf(id, "", func(o *storage.Object) (bool, error) {
		take(countObject(o.Type, readDocument(o.Doc)))
		return true, nil
	})
	if err != nil {
		return sum, err
	}
	err = tx.UsersOf(id, func(u *storage.User) (bool, error) {
		take(countUser(u))
		return true, nil
	})
	return sum, err
}

func addAll(sum, by storage.Quantities) {
	for category, items := range by {
		for item, n := range items {
			add(sum, category, item, n)
		}
	}
}

// recountTree counts the objects of an account and of all below it anew, and settles every account whose
// figures had drifted, from the leaves up; the account itself in any case.
func recountTree(tx *storage.Tx, top *rating.Account) error {
	line := []*rating.Account{top}
	err := tx.Descendants(top.ID, func(a *rating.Account) (bool, error) {
		line = append(line, a) // parents before children
		return true, nil
	})
	if err != nil {
		return err
	}
	below := map[rating.AccountID]storage.Quantities{}
	for _, a := range slices.Backward(line) {
		has, err := recount(tx, a.ID)
		if err != nil {
			return err
		}
		s, err := tx.ServicesOf(a.ID)
		if err != nil {
			return err
		}
		cascade := below[a.ID]
		if cascade == nil {
			cascade = storage.Quantities{}
		}
		if a.ID != top.ID {
			if below[a.Parent] == nil {
				below[a.Parent] = storage.Quantities{}
			}
			addAll(below[a.Parent], has.units)
			addAll(below[a.Parent], cascade)
			if has.units.Same(s.Counted) && cascade.Same(s.Cascade) && reflect.DeepEqual(has.plans, s.Objects) {
				continue
			}
		}
		if err := setCounts(tx, a, has, cascade); err != nil {
			return err
		}
		if a.ID == top.ID {
			above, err := tx.Ancestors(a.ID)
			if err != nil {
				return err
			}
			delta := has.units.Add(cascade, 1).Add(s.Counted, -1).Add(s.Cascade, -1)
			if err := tx.CarryUp(above, a, delta); err != nil {
				return err
			}
		}
	}
	return nil
}

// setCounts gives an account's services what was counted, and settles them.
func setCounts(tx *storage.Tx, a *rating.Account, has share, cascade storage.Quantities) error {
	b, err := tx.OpenBooks(a)
	if err != nil {
		return err
	}
	if err := tx.HoldBooks(b); err != nil {
		return err
	}
	b.Services.Counted, b.Services.Objects, b.Services.Cascade = has.units, has.plans, cascade
	if err := b.LoadPlans(tx); err != nil {
		return err
	}
	return tx.SettleBooks(b, a)
}

// maxAuditedPath bounds the path that an audit repeats.
const maxAuditedPath = 512

// actor tells an audit who asked for the change.
func (x *exchange) actor(tx *storage.Tx) (*storage.ServiceActor, error) {
	if x.claims == nil {
		return nil, nil
	}
	path := x.path
	if len(path) > maxAuditedPath {
		path = path[:maxAuditedPath]
	}
	who := &storage.ServiceActor{Carrier: x.carrier, Account: x.me.UUID.Hex(), Name: x.me.Name, User: x.claims.Kazoo.OwnerID,
		Request: x.requestID, Client: x.client, Method: x.method, Path: path}
	if id, ok := hexID(who.User); ok {
		u, err := tx.UserByUUID(id)
		if err == nil {
			who.FirstName, who.LastName = u.FirstName, u.LastName
		} else if rating.KindOf(err) != rating.NotFound {
			return nil, err
		}
	}
	return who, nil
}
