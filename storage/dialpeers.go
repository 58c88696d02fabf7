package storage

import (
	"fmt"

	"billd/rating"
	"billd/storage/kv"
)

// A dialpeer is a rate in a deck of a vendor's: what its account is paid for the calls that it
// terminates (R18).

// Dialpeer returns a dialpeer with its deck unless it belongs to an import that is not applied:
// NotFound.
func (tx *Tx) Dialpeer(id rating.RateID) (*rating.Rate, *rating.Deck, error) {
	r, d, err := tx.shownRate(id)
	if err == nil && d.Vendor == 0 {
		err = rating.Errorf(rating.NotFound, "dialpeer", "dialpeer %d does not exist", id)
	}
	return r, d, err
}

// VendorDecks returns the decks that vendors' accounts are paid by, in order of number.
func (tx *Tx) VendorDecks() (decks []*rating.Deck, err error) {
	err = tx.Decks.Each(0, func(d *rating.Deck) (bool, error) {
		if d.Vendor != 0 {
			decks = append(decks, d)
		}
		return true, nil
	})
	return decks, err
}

// DialpeerDeck returns the deck that new dialpeers of an account go to: its first one of Yeti's
// preset, made if there is none.
func (tx *Tx) DialpeerDeck(a *rating.Account) (*rating.Deck, error) {
	decks, err := tx.VendorDecks()
	if err != nil {
		return nil, err
	}
	for _, d := range decks {
		if d.Vendor == a.ID && d.Preset == rating.PresetYeti {
			return d, nil
		}
	}
	d := &rating.Deck{Name: "dialpeers of " + a.Name, Currency: a.Currency, Preset: rating.PresetYeti, Vendor: a.ID, CreatedAt: tx.now}
	for n := 2; len(tx.Decks.Taken(d)) > 0; n++ {
		d.Name = fmt.Sprintf("dialpeers of %s (%d)", a.Name, n)
	}
	return d, tx.Decks.Put(d)
}

// HasDialpeers reports whether an account has rates as a vendor.
func (tx *Tx) HasDialpeers(id rating.AccountID) (bool, error) {
	decks, err := tx.VendorDecks()
	if err != nil {
		return false, err
	}
	for _, d := range decks {
		if d.Vendor == id && tx.anyUnder(bRateDeck, uint64(d.ID)) {
			return true, nil
		}
	}
	return false, nil
}

// dropVendorDecks deletes the decks of an account that closes. Refused while they hold dialpeers.
func (tx *Tx) dropVendorDecks(id rating.AccountID) error {
	some, err := tx.HasDialpeers(id)
	if err != nil {
		return err
	}
	if some {
		return rating.Errorf(rating.Conflict, "account", "account %d has dialpeers: delete them first", id)
	}
	decks, err := tx.VendorDecks()
	if err != nil {
		return err
	}
	for _, d := range decks {
		if d.Vendor == id {
			if err := tx.DeleteDeck(d.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// DeckOfRate returns the deck that a rate belongs to, without decoding the rate.
func (tx *Tx) DeckOfRate(id rating.RateID) (*rating.Deck, error) {
	b := tx.Txn.Get(bRate, kv.Key(nil).U64(uint64(id)))
	if b == nil {
		return nil, rating.Errorf(rating.NotFound, "rate", "rate %d does not exist", id)
	}
	var row indexedRate
	if err := rateEntry(id, b, &row); err != nil {
		return nil, err
	}
	return tx.Decks.Get(uint64(row.Deck))
}
