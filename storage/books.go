package storage

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"billd/rating"
	"billd/rating/plan"
)

// Books is what an account is billed for by service plans, and what it takes to price it. A change
// goes: OpenBooks, HoldBooks, change Services, SettleBooks.
type Books struct {
	Account  *rating.Account
	Above    []*rating.Account // its ancestors, the parent first
	Seller   *rating.Account   // whom it buys from
	Services *Services
	Plans    []plan.Assigned

	held  []*plan.Invoice // as HoldBooks found them
	was   Services
	moved bool // HoldBooks charged what was due
}

// Seller returns whom an account buys from: the nearest reseller above it, the master when there is
// none. The master is its own.
func Seller(a *rating.Account, above []*rating.Account) *rating.Account {
	for _, p := range above {
		if p.Reseller || p.ID == rating.MasterAccount {
			return p
		}
	}
	return a
}

// OpenBooks loads an account's services and the plans it is on.
func (tx *Tx) OpenBooks(a *rating.Account) (*Books, error) {
	above, err := tx.Ancestors(a.ID)
	if err != nil {
		return nil, err
	}
	s, err := tx.ServicesOf(a.ID)
	if err != nil {
		return nil, err
	}
	return tx.OpenBooksOf(a, above, s)
}

// OpenBooksOf is OpenBooks for who has read the account's ancestors and services already.
func (tx *Tx) OpenBooksOf(a *rating.Account, above []*rating.Account, s *Services) (*Books, error) {
	b := &Books{Account: a, Above: above, Seller: Seller(a, above), Services: s}
	return b, b.LoadPlans(tx)
}

// Idle reports whether an account is on no plan, neither by itself nor by its objects: nothing that it
// counts is billed.
func (s *Services) Idle() bool { return len(s.Plans)+len(s.Objects) == 0 }

// LoadPlans reads the documents of the plans that the services name, those on the account and those that
// its objects bring. A deleted plan goes on pricing those who are on it.
func (b *Books) LoadPlans(tx *Tx) error {
	b.Plans = nil
	for _, p := range UnitedPlans(b.Services.Plans, b.Services.Objects) {
		sp, err := tx.ServicePlanByUUID(p.Plan)
		if rating.KindOf(err) == rating.NotFound || err == nil && sp.Vendor != b.Seller.ID && !b.Assigned(p.Plan) {
			continue // an object may name what nobody sells
		}
		if err != nil {
			return err
		}
		b.Plans = append(b.Plans, plan.Assigned{ID: p.Plan.Hex(), Doc: readObject(sp.Doc), Overrides: readObject(p.Overrides)})
	}
	return nil
}

// UnitedPlans returns the plans of two lists, each once; what the first says of a plan holds.
func UnitedPlans(first, more []AssignedPlan) []AssignedPlan {
	out := slices.Clone(first)
	for _, p := range more {
		if !slices.ContainsFunc(out, func(o AssignedPlan) bool { return o.Plan == p.Plan }) {
			out = append(out, p)
		}
	}
	return out
}

// Assigned reports whether a plan is on the account itself, not brought by an object.
func (b *Books) Assigned(id rating.UUID) bool {
	return slices.ContainsFunc(b.Services.Plans, func(p AssignedPlan) bool { return p.Plan == id })
}

// readObject reads a stored document; none is empty.
func readObject(raw json.RawMessage) plan.Object {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	doc := plan.Object{}
	if d.Decode(&doc) != nil || doc == nil {
		return plan.Object{}
	}
	return doc
}

// Overrides returns what overrides all of the account's plans.
func (b *Books) Overrides() plan.Object { return readObject(b.Services.Overrides) }

// Invoices prices what the account has on the plans it is on. Fails like plan.Price.
func (b *Books) Invoices() ([]*plan.Invoice, error) {
	s := b.Services
	has := plan.Counts{Account: plan.Quantities(s.Counted), Manual: plan.Quantities(s.Manual), Cascade: plan.Quantities(s.Cascade)}
	return plan.Price(b.Plans, b.Overrides(), has, b.Seller.UUID.Hex())
}

// Beside returns what the plans say beside their prices, the ratedeck among it.
func (b *Books) Beside() (plan.Object, error) { return plan.Combined(b.Plans, b.Overrides()) }

// Add returns the sum of q and sign times by; what comes to 0 is left out. Neither is changed.
func (q Quantities) Add(by Quantities, sign int64) Quantities {
	out := make(Quantities, len(q))
	for c, items := range q {
		out[c] = maps.Clone(items)
	}
	for c, items := range by {
		if out[c] == nil {
			out[c] = map[string]int64{}
		}
		for item, n := range items {
			if out[c][item] += sign * n; out[c][item] == 0 {
				delete(out[c], item)
			}
		}
		if len(out[c]) == 0 {
			delete(out, c)
		}
	}
	return out
}

// Same reports whether q and o count the same.
func (q Quantities) Same(o Quantities) bool {
	return maps.EqualFunc(q, o, func(x, y map[string]int64) bool { return maps.Equal(x, y) })
}
