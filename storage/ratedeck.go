package storage

import (
	"billd/rating"
	"billd/rating/plan"
)

// kazooDefaultDeck is what Kazoo, and so a service plan, calls billd's default deck (R6).
const kazooDefaultDeck = "ratedeck"

// RatedeckOf returns the id and the name of the deck that plans price calls on, "" when none does.
func (b *Books) RatedeckOf() (id, name string, err error) {
	if len(b.Plans) == 0 && len(b.Services.Overrides) == 0 {
		return "", "", nil
	}
	all, err := b.Beside()
	if err != nil {
		return "", "", err
	}
	deck, _ := all["ratedeck"].(plan.Object)
	id, _ = deck["id"].(string)
	name, _ = deck["name"].(string)
	return id, name, nil
}

// Ratedeck returns the name of the deck that the service plans of an account price its calls on, else
// those of its reseller; "" when neither names one (R17).
func (tx *Tx) Ratedeck(a *rating.Account) (string, error) {
	name, err := tx.ratedeckOf(a.ID)
	if name != "" || err != nil {
		return name, err
	}
	for levels := 0; a.Parent != 0; levels++ {
		if levels == rating.MaxAccountDepth {
			return "", rating.Errorf(rating.Internal, "account", "account %d is its own ancestor", a.ID)
		}
		if a, err = tx.account(a.Parent); err != nil {
			return "", err
		}
		if a.Reseller || a.ID == rating.MasterAccount {
			return tx.ratedeckOf(a.ID)
		}
	}
	return "", nil
}

// planDecks returns the decks that an account's service plans price its calls on. named tells a plan
// that names a deck which is not there, so that no call can be priced, from no plan that names one.
func (tx *Tx) planDecks(a *rating.Account) (decks []*rating.PricedDeck, named bool, err error) {
	name, err := tx.Ratedeck(a)
	if name == "" || err != nil {
		return nil, false, err
	}
	c := tx.db.Catalog()
	d := c.retail[name]
	if name == kazooDefaultDeck {
		d = c.decks[rating.DefaultDeck]
	}
	if d != nil {
		decks = []*rating.PricedDeck{d}
	}
	return decks, true, nil
}

// ratedeckOf returns the name of the deck that an account's own service plans name. A writer reads the
// plans once and remembers: the writer alone reaches the memory, and it goes with the catalog when a
// deck changes, with forgetRatedecks when a plan does.
func (tx *Tx) ratedeckOf(id rating.AccountID) (string, error) {
	known := tx.db.Catalog().ratedecks
	remember := known != nil && tx.Txn.Writable() && !tx.replanned
	if remember {
		if name, ok := known[id]; ok {
			return name, nil
		}
	}
	s, err := tx.ServicesOf(id)
	if err != nil {
		return "", err
	}
	name := ""
	if len(s.Plans)+len(s.Objects) > 0 {
		a, err := tx.account(id)
		if err != nil {
			return "", err
		}
		b, err := tx.OpenBooks(a)
		if err != nil {
			return "", err
		}
		if name, _, err = b.RatedeckOf(); err != nil {
			return "", err
		}
	}
	if remember && len(s.Objects) == 0 { // whose plans objects bring depends on the tree too
		known[id] = name
	}
	return name, nil
}

// forgetRatedecks drops what a change of a services row, or of a service plan, makes wrong. This
// transaction reads the plans itself from now on.
func (tx *Tx) forgetRatedecks(table string, id uint64) {
	tx.replanned = true
	tx.published = append(tx.published, func() {
		if known := tx.db.Catalog().ratedecks; table == schema.services.Name {
			delete(known, rating.AccountID(id))
		} else {
			clear(known)
		}
	})
}
