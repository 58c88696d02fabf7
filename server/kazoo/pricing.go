package kazoo

import (
	"encoding/json"

	"billd/rating"
	"billd/storage"
)

// books is what an account is billed for, and what a client asks of it.
type books struct{ *storage.Books }

func openBooks(tx *storage.Tx, a *rating.Account) (*books, error) {
	b, err := tx.OpenBooks(a)
	return &books{b}, err
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

// orEmpty shows no quantities as {}.
func orEmpty(q storage.Quantities) storage.Quantities {
	if q == nil {
		return storage.Quantities{}
	}
	return q
}
