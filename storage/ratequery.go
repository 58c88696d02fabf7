package storage

import (
	"bytes"
	"context"
	"slices"

	"billd/rating"
	"billd/storage/kv"
)

// RateSearch asks for stored rates, whatever their validity. Its zero value asks for those of every
// deck that is visible to its owner; rows of an import that is not applied are never among them.
type RateSearch struct {
	Decks  []rating.DeckID // nil: every deck of the customer side
	Prefix []string        // exactly one of these; nil: any
	Begin  string          // the beginning of the prefix
}

// RateRow is one stored rate of which only the columns that the deck index needs were read. It is
// valid during its transaction.
type RateRow struct {
	tx    *Tx
	deck  *rating.Deck
	row   indexedRate
	value []byte
}

// ID returns the rate's number.
func (r *RateRow) ID() rating.RateID { return r.row.Entry.Rate }

// Deck returns the rate's deck.
func (r *RateRow) Deck() rating.DeckID { return r.row.Deck }

// Prefix returns the rate's prefix.
func (r *RateRow) Prefix() string { return string(r.row.Prefix) }

// Disabled reports whether the rate prices nothing.
func (r *RateRow) Disabled() bool { return r.row.Disabled }

// Decode reads the whole rate into v.
func (r *RateRow) Decode(v *rating.Rate) error {
	err := decodeRate(r.ID(), r.value, v)
	if err == nil && r.deck.Settling {
		r.tx.applyRowClosing(r.deck, v)
	}
	return err
}

// EachRate calls fn with the rates of a search until it returns false: through the index by prefix, in
// order of deck, prefix and number, when prefixes are asked for, else in order of number. The row is
// reused between calls of fn: who keeps one copies it.
func (tx *Tx) EachRate(ctx context.Context, s *RateSearch, fn func(*RateRow) (bool, error)) error {
	decks, err := tx.searchedDecks(s)
	if err != nil {
		return err
	}
	if s.Prefix == nil && s.Begin == "" {
		return tx.eachRateByNumber(ctx, decks, fn)
	}
	for _, d := range decks {
		under := [][]byte{append(kv.Key(nil).U64(uint64(d.ID)), s.Begin...)}
		if s.Prefix != nil {
			under = under[:0]
			for _, p := range slices.Compact(slices.Sorted(slices.Values(s.Prefix))) {
				if bytes.IndexByte([]byte(p), 0) < 0 {
					under = append(under, deckKey(d.ID, p))
				}
			}
		}
		for _, u := range under {
			if more, err := tx.eachRateUnder(ctx, d, u, fn); err != nil || !more {
				return err
			}
		}
	}
	return nil
}

// searchedDecks returns the decks of a search in order of number.
func (tx *Tx) searchedDecks(s *RateSearch) (decks []*rating.Deck, err error) {
	err = tx.Decks.Each(0, func(d *rating.Deck) (bool, error) {
		if s.Decks == nil && d.Vendor == 0 || s.Decks != nil && slices.Contains(s.Decks, d.ID) {
			decks = append(decks, d)
		}
		return true, nil
	})
	return decks, err
}

func (tx *Tx) eachRateByNumber(ctx context.Context, decks []*rating.Deck, fn func(*RateRow) (bool, error)) error {
	visible := make(map[rating.DeckID]*rating.Deck, len(decks))
	for _, d := range decks {
		visible[d.ID] = d
	}
	r := RateRow{tx: tx}
	n := 0
	c := tx.Txn.Cursor(bRate)
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if n++; n%cancelEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := rateEntry(rating.RateID(kv.ID(k)), v, &r.row); err != nil {
			return err
		}
		if r.deck = visible[r.row.Deck]; r.deck == nil || r.row.Gen > r.deck.Generation {
			continue
		}
		r.value = v
		if more, err := fn(&r); err != nil || !more {
			return err
		}
	}
	return nil
}

func (tx *Tx) eachRateUnder(ctx context.Context, d *rating.Deck, under []byte, fn func(*RateRow) (bool, error)) (more bool, err error) {
	r := RateRow{tx: tx, deck: d}
	n := 0
	c := tx.Txn.Cursor(bRateDeck)
	for k, _ := c.Seek(under); k != nil && bytes.HasPrefix(k, under); k, _ = c.Next() {
		if n++; n%cancelEvery == 0 && ctx.Err() != nil {
			return false, ctx.Err()
		}
		r.value = tx.Txn.Get(bRate, k[len(k)-8:])
		if err := rateEntry(rating.RateID(kv.ID(k)), r.value, &r.row); err != nil {
			return false, err
		}
		if r.row.Gen > d.Generation {
			continue
		}
		if more, err := fn(&r); err != nil || !more {
			return false, err
		}
	}
	return true, nil
}

// VisibleRate returns a rate unless it belongs to an import that is not applied, or to no deck of the
// customer side: NotFound.
func (tx *Tx) VisibleRate(id rating.RateID) (*rating.Rate, error) {
	r, d, err := tx.shownRate(id)
	if err == nil && d.Vendor != 0 {
		return nil, rating.Errorf(rating.NotFound, "rate", "rate %d does not exist", id)
	}
	return r, err
}

// shownRate returns a rate with its deck unless it belongs to an import that is not applied: NotFound.
func (tx *Tx) shownRate(id rating.RateID) (*rating.Rate, *rating.Deck, error) {
	r, err := tx.Rates.Get(uint64(id))
	if err != nil {
		return nil, nil, err
	}
	d, err := tx.Decks.Get(uint64(r.Deck))
	if err == nil && !tx.shows(d, r) {
		err = rating.Errorf(rating.NotFound, "rate", "rate %d does not exist", id)
	}
	return r, d, err
}

// RateByUUID finds a rate by the UUID that it is known by, as VisibleRate does.
func (tx *Tx) RateByUUID(u rating.UUID) (*rating.Rate, error) {
	if n, ok := u.Number(tx.db.space.Rate); ok {
		if r, err := tx.VisibleRate(rating.RateID(n)); err == nil && r.UUID.IsZero() {
			return r, nil
		}
	}
	r, err := tx.Rates.Find(bRateUUID, uuidKey(u))
	if err != nil {
		return nil, err
	}
	return tx.VisibleRate(r.ID)
}

// PlanByUUID finds a rate plan.
func (tx *Tx) PlanByUUID(u rating.UUID) (*rating.RatePlan, error) {
	return tx.Plans.Find(bRatePlanUUID, uuidKey(u))
}
