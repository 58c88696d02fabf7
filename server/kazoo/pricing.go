package kazoo

import (
	"encoding/json"
	"maps"
	"slices"

	"billd/rating"
	"billd/rating/plan"
	"billd/storage"
)

// books is what an account is billed for, and what it takes to price it.
type books struct {
	account  *rating.Account
	above    []*rating.Account
	seller   *rating.Account
	services *storage.Services
	plans    []plan.Assigned
}

// openBooks loads an account's services and the plans it is on.
func openBooks(tx *storage.Tx, a *rating.Account) (*books, error) {
	b := &books{account: a}
	var err error
	if b.above, err = tx.Ancestors(a.ID); err != nil {
		return nil, err
	}
	b.seller = resellerOf(a, b.above)
	if b.services, err = tx.ServicesOf(a.ID); err != nil {
		return nil, err
	}
	return b, b.loadPlans(tx)
}

// loadPlans reads the documents of the plans that the services name. A deleted plan goes on pricing
// those who are on it.
func (b *books) loadPlans(tx *storage.Tx) error {
	b.plans = nil
	for _, p := range b.united(b.services.Plans, b.services.Objects) {
		sp, err := tx.ServicePlanByUUID(p.Plan)
		if rating.KindOf(err) == rating.NotFound || err == nil && sp.Vendor != b.seller.ID && !b.assigned(p.Plan) {
			continue // an object may name what nobody sells
		}
		if err != nil {
			return err
		}
		b.plans = append(b.plans, plan.Assigned{ID: p.Plan.Hex(), Doc: readDocument(sp.Doc), Overrides: readDocument(p.Overrides)})
	}
	return nil
}

// united returns the plans of two lists, each once; what the first says of a plan holds.
func (b *books) united(first, more []storage.AssignedPlan) []storage.AssignedPlan {
	out := slices.Clone(first)
	for _, p := range more {
		if !slices.ContainsFunc(out, func(o storage.AssignedPlan) bool { return o.Plan == p.Plan }) {
			out = append(out, p)
		}
	}
	return out
}

// assigned reports whether a plan is on the account itself, not brought by an object.
func (b *books) assigned(id rating.UUID) bool {
	return slices.ContainsFunc(b.services.Plans, func(p storage.AssignedPlan) bool { return p.Plan == id })
}

func (b *books) overrides() document { return readDocument(b.services.Overrides) }

func (b *books) counts() plan.Counts {
	s := b.services
	return plan.Counts{Account: plan.Quantities(s.Counted), Manual: plan.Quantities(s.Manual), Cascade: plan.Quantities(s.Cascade)}
}

// invoices prices what the account has, on the plans it is on.
func (b *books) invoices() ([]*plan.Invoice, error) {
	return plan.Price(b.plans, b.overrides(), b.counts(), b.seller.UUID.Hex())
}

// ratedeck returns the id and name of the deck that the plans price calls on, "" when none does.
func (b *books) ratedeck() (id, name string, err error) {
	all, err := plan.Combined(b.plans, b.overrides())
	if err != nil {
		return "", "", err
	}
	deck, _ := all["ratedeck"].(document)
	id, _ = plain(deck["id"])
	name, _ = plain(deck["name"])
	return id, name, nil
}

// assignedPlan is a plan on an account as Kazoo shows it.
type assignedPlan struct {
	Vendor    string          `json:"vendor_id"`
	Overrides json.RawMessage `json:"overrides"`
	Contract  json.RawMessage `json:"contract,omitempty"`
}

// assigned shows the plans of an account by their ids.
func assigned(s *storage.Services) map[string]assignedPlan {
	out := map[string]assignedPlan{}
	for _, p := range s.Plans {
		v := assignedPlan{p.Vendor, p.Overrides, p.Contract}
		if len(v.Overrides) == 0 {
			v.Overrides = json.RawMessage("{}")
		}
		out[p.Plan.Hex()] = v
	}
	return out
}

// copyQuantities returns a copy that may be changed.
func copyQuantities(q storage.Quantities) storage.Quantities {
	out := storage.Quantities{}
	for c, items := range q {
		out[c] = maps.Clone(items)
	}
	return out
}

// addQuantities adds sign times by to q; what comes to 0 is left out.
func addQuantities(q, by storage.Quantities, sign int64) storage.Quantities {
	out := copyQuantities(q)
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

// orEmpty shows no quantities as {}.
func orEmpty(q storage.Quantities) storage.Quantities {
	if q == nil {
		return storage.Quantities{}
	}
	return q
}
