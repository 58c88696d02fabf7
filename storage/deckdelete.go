package storage

import (
	"context"
	"slices"

	"billd/rating"
	"billd/storage/kv"
)

// deletedDecks is the meta record of decks that are deleted and whose rates are still in the store.
// Every reader of rates asks for their deck first, so that nobody sees them.
const deletedDecks = "deleted_decks"

// DeleteDeck removes a deck with all its rates; the audit trail shows the deck's own deletion only. Of a deck
// that has more rates than one transaction should touch, PurgeDecks removes them later; nothing shows them
// meanwhile, and the deck's name is free at once.
func (tx *Tx) DeleteDeck(id rating.DeckID) error {
	more, err := tx.purge(id)
	if err != nil {
		return err
	}
	if more {
		ids, err := tx.deletedDecks()
		if err != nil {
			return err
		}
		if err := tx.putMeta(deletedDecks, append(ids, id)); err != nil {
			return err
		}
	}
	return tx.Decks.Delete(uint64(id))
}

// deletedDecks returns the decks that PurgeDecks has to do with.
func (tx *Tx) deletedDecks() (ids []rating.DeckID, err error) {
	err = tx.getJSON(bMeta, deletedDecks, &ids)
	if err != nil && rating.KindOf(err) == rating.NotFound {
		err = nil
	}
	return ids, err
}

// purge removes up to a chunk of a deck's rates and of what is noted of their ends; more says that it is not all.
func (tx *Tx) purge(id rating.DeckID) (more bool, err error) {
	rates := tx.someRates(id)
	was := tx.quiet
	tx.quiet = true
	defer func() { tx.quiet = was }()
	for _, n := range rates {
		if err := tx.Rates.Delete(n); err != nil {
			return false, err
		}
	}
	ends := tx.closings(id)
	for _, key := range ends {
		if err := tx.Txn.Delete(bRateClose, key); err != nil {
			return false, err
		}
	}
	kept, err := tx.purgeUndo(id)
	return len(rates) == stageChunk || len(ends) == stageChunk || kept, err
}

// purgeUndo removes up to a chunk of what is kept for undoing an import of a deck; more says that it is not all.
func (tx *Tx) purgeUndo(id rating.DeckID) (more bool, err error) {
	var kept []*Import
	err = tx.Imports.Each(0, func(i *Import) (bool, error) {
		if i.Deck == id && i.Undo {
			kept = append(kept, i)
		}
		return true, nil
	})
	for _, i := range kept {
		if err != nil {
			return false, err
		}
		ends, next := tx.undoEnds(i.ID, 1)
		for _, e := range ends {
			if err := tx.Txn.Delete(bImportUndo, kv.Key(nil).U64(i.ID).U64(uint64(e.rate))); err != nil {
				return false, err
			}
		}
		if next != 0 {
			return true, nil
		}
		i.Undo = false
		err = tx.Imports.Put(i)
	}
	return false, err
}

// someRates returns the numbers of up to a chunk of a deck's rates, of whatever generation.
func (tx *Tx) someRates(id rating.DeckID) (rates []uint64) {
	under := kv.Key(nil).U64(uint64(id))
	c := tx.Txn.Cursor(bRateDeck)
	for k, _ := c.Seek(under); len(k) > 8 && string(k[:8]) == string(under) && len(rates) < stageChunk; k, _ = c.Next() {
		rates = append(rates, kv.ID(k))
	}
	return rates
}

// PurgeDecks removes the rates of deleted decks, a chunk in each transaction, and returns of how many decks
// nothing is left. A crash leaves the rest to the next time.
func (db *DB) PurgeDecks(ctx context.Context) (done int, err error) {
	for {
		var ids []rating.DeckID
		err := db.View(ctx, func(tx *Tx) (err error) {
			ids, err = tx.deletedDecks()
			return err
		})
		if err != nil || len(ids) == 0 {
			return done, err
		}
		for more := true; more; {
			if err := ctx.Err(); err != nil {
				return done, err
			}
			err = db.Update(ctx, func(tx *Tx) (err error) {
				if more, err = tx.purge(ids[0]); err != nil || more {
					return err
				}
				left, err := tx.deletedDecks()
				if err != nil {
					return err
				}
				return tx.putMeta(deletedDecks, slices.DeleteFunc(left, func(id rating.DeckID) bool { return id == ids[0] }))
			})
			if err != nil {
				return done, err
			}
		}
		done++
	}
}
