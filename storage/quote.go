package storage

import "billd/rating"

// Payer returns the account that ref names, with the decks that price its calls.
func (tx *Tx) Payer(ref string) (rating.Party, error) {
	return billBook{tx}.Payer(&rating.Call{AccountRef: ref})
}

// PricedDeck returns a deck with the index that charges by it, nil if there is none.
func (tx *Tx) PricedDeck(id rating.DeckID) *rating.PricedDeck { return tx.db.Catalog().Deck(id) }
