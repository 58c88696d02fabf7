package storage

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"

	"billd/rating"
)

// Payer returns the account that ref names, with the decks that price its calls.
func (tx *Tx) Payer(ref string) (rating.Party, error) {
	return billBook{tx}.Payer(&rating.Call{AccountRef: ref})
}

// payers are the answers of DB.Payer since something was stored last that could change one.
type payers struct {
	known sync.Map // ref → rating.Party
	size  atomic.Int64
}

// Payer is Tx.Payer from memory where it can be: who asks for prices by the thousand names few accounts.
// Callers must not change what it returns.
func (db *DB) Payer(ctx context.Context, ref string) (rating.Party, error) {
	from := db.payers.Load() // before the View: what that sees is at least as new
	if p, ok := from.known.Load(ref); ok {
		return p.(rating.Party), nil
	}
	var p rating.Party
	err := db.View(ctx, func(tx *Tx) (err error) {
		p, err = tx.Payer(ref)
		return err
	})
	if err == nil && from.size.Add(1) <= maxRefs {
		from.known.Store(strings.Clone(ref), p)
	}
	return p, err
}

// forgetPayers empties the memory of DB.Payer when this commits. Who pays by which deck depends on
// accounts, plans, rules and Kazoo's documents: whatever is stored may matter, but for what charging
// itself writes.
func (tx *Tx) forgetPayers(table string) {
	switch table {
	case schema.suspense.Name, schema.dialogs.Name, schema.messages.Name, schema.notices.Name, schema.packageCounters.Name, schema.audit.Name:
		return
	}
	tx.changed = true
}

// PricedDeck returns a deck with the index that charges by it, nil if there is none.
func (tx *Tx) PricedDeck(id rating.DeckID) *rating.PricedDeck { return tx.db.Catalog().Deck(id) }

// Vendor returns the account that ref names, with the decks that it is paid by.
func (tx *Tx) Vendor(ref string) (rating.Party, error) {
	return billBook{tx}.Vendor(&rating.Call{VendorRef: ref})
}

// Rate reads a rate's row.
func (tx *Tx) Rate(id rating.RateID) (*rating.Rate, error) { return billBook{tx}.Rate(id) }
