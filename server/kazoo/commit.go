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

// recounting is a tree whose accounts are being counted anew.
type recounting struct {
	tx    *storage.Tx
	above []*rating.Account // of the top
	by    map[rating.AccountID]*rating.Account
	below map[rating.AccountID]storage.Quantities // what was counted under an account so far
}

// recountTree counts the objects of an account and of all below it anew, and settles every account whose
// figures had drifted, from the leaves up; the account itself in any case.
func recountTree(tx *storage.Tx, top *rating.Account) error {
	r := recounting{tx: tx, by: map[rating.AccountID]*rating.Account{top.ID: top}, below: map[rating.AccountID]storage.Quantities{}}
	line := []*rating.Account{top}
	err := tx.Descendants(top.ID, func(a *rating.Account) (bool, error) {
		line = append(line, a) // parents before children
		r.by[a.ID] = a
		return true, nil
	})
	if err != nil {
		return err
	}
	if r.above, err = tx.Ancestors(top.ID); err != nil {
		return err
	}
	for _, a := range slices.Backward(line) {
		by, err := r.recount(a, a.ID == top.ID)
		if err != nil {
			return err
		}
		if a.ID == top.ID {
			return tx.CarryUp(r.above, top, by)
		}
	}
	return nil
}

// recount counts one account, whose children were counted, and settles it where that is drift or it
// must; it returns by how much the figures were wrong.
func (r *recounting) recount(a *rating.Account, must bool) (by storage.Quantities, err error) {
	has, err := recount(r.tx, a.ID)
	if err != nil {
		return nil, err
	}
	cascade := r.below[a.ID]
	if cascade == nil {
		cascade = storage.Quantities{}
	}
	if r.below[a.Parent] == nil {
		r.below[a.Parent] = storage.Quantities{}
	}
	addAll(r.below[a.Parent], has.units)
	addAll(r.below[a.Parent], cascade)
	s, err := r.tx.ServicesOf(a.ID)
	same := err == nil && has.units.Same(s.Counted) && cascade.Same(s.Cascade) && reflect.DeepEqual(has.plans, s.Objects)
	if err != nil || same && (!must || s.Idle()) {
		return nil, err
	}
	by = has.units.Add(cascade, 1).Add(s.Counted, -1).Add(s.Cascade, -1)
	if s.Idle() && len(has.plans) == 0 {
		s.Counted, s.Cascade = has.units, cascade
		return by, r.tx.Services.Put(s)
	}
	return by, r.settle(a, s, has, cascade)
}

// settle gives the services of an account that is billed what was counted, and settles them.
func (r *recounting) settle(a *rating.Account, s *storage.Services, has share, cascade storage.Quantities) error {
	b, err := r.tx.OpenBooksOf(a, r.ancestors(a), s)
	if err != nil {
		return err
	}
	if err := r.tx.HoldBooks(b); err != nil {
		return err
	}
	s.Counted, s.Objects, s.Cascade = has.units, has.plans, cascade
	if err := b.LoadPlans(r.tx); err != nil {
		return err
	}
	return r.tx.SettleBooks(b, a)
}

// ancestors returns the accounts above one of the tree, its parent first.
func (r *recounting) ancestors(a *rating.Account) (above []*rating.Account) {
	for p := r.by[a.Parent]; p != nil; p = r.by[p.Parent] {
		above = append(above, p)
	}
	return append(above, r.above...)
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
