package storage

import (
	"context"

	"billd/rating"
	"billd/storage/kv"
)

// AbandonImport removes what an import staged, whatever became of ctx.
func (db *DB) AbandonImport(ctx context.Context, imp *Import) error {
	ctx = context.WithoutCancel(ctx)
	if err := db.unstage(ctx, imp); err != nil {
		return err
	}
	return db.Update(ctx, func(tx *Tx) error {
		gone := *imp
		gone.FinishedAt, gone.Undo = tx.now, false
		return tx.Imports.Put(&gone)
	})
}

// unstage deletes rows of a generation that is not visible, in chunks.
func (db *DB) unstage(ctx context.Context, imp *Import) error {
	for from := imp.FirstRate; from != 0; {
		var doomed []rating.RateID
		err := db.View(ctx, func(tx *Tx) (err error) {
			doomed, from, err = tx.staged(imp, from)
			return err
		})
		if err != nil {
			return err
		}
		if len(doomed) == 0 {
			continue
		}
		err = db.Bulk(ctx, func(tx *Tx) error {
			for _, id := range doomed {
				if err := tx.deleteStaged(id); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if imp.Undo {
		if err := db.dropUndo(ctx, imp.ID); err != nil {
			return err
		}
	}
	return db.dropClosings(ctx, imp.Deck)
}

// staged returns up to a chunk of an import's rows from a number on, and where to go on; 0 at the end.
func (tx *Tx) staged(imp *Import, from rating.RateID) (ids []rating.RateID, next rating.RateID, err error) {
	var row indexedRate
	c := tx.Txn.Cursor(bRate)
	scanned := 0
	for k, v := c.Seek(kv.Key(nil).U64(uint64(from))); k != nil; k, v = c.Next() {
		id := rating.RateID(kv.ID(k))
		if scanned++; scanned > scanChunk || len(ids) == stageChunk {
			return ids, id, nil
		}
		if err := rateEntry(id, v, &row); err != nil {
			return nil, 0, err
		}
		if row.Deck == imp.Deck && row.Gen == imp.Generation {
			ids = append(ids, id)
		}
	}
	return ids, 0, nil
}

// deleteStaged removes a row that was never visible, without trace.
func (tx *Tx) deleteStaged(id rating.RateID) error {
	key := kv.Key(nil).U64(uint64(id))
	var r rating.Rate
	if err := decodeRate(id, tx.Txn.Get(bRate, key), &r); err != nil {
		return err
	}
	for _, u := range schema.rates.Unique {
		if k := u.Key(&r); k != nil {
			if err := tx.Txn.Delete(u.Bucket, k); err != nil {
				return err
			}
		}
	}
	if err := tx.Txn.Delete(bRateDeck, kv.Key(deckKey(r.Deck, r.Prefix)).U64(uint64(id))); err != nil {
		return err
	}
	return tx.Txn.Delete(bRate, key)
}

func (db *DB) dropClosings(ctx context.Context, deck rating.DeckID) error {
	for more := true; more; {
		err := db.Bulk(ctx, func(tx *Tx) error {
			keys := tx.closings(deck)
			more = len(keys) >= stageChunk
			for _, k := range keys {
				if err := tx.Txn.Delete(bRateClose, k); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// closings returns up to a chunk of a deck's staged closings.
func (tx *Tx) closings(deck rating.DeckID) [][]byte {
	var keys [][]byte
	under := kv.Key(nil).U64(uint64(deck))
	c := tx.Txn.Cursor(bRateClose)
	for k, _ := c.Seek(under); len(k) == 16 && string(k[:8]) == string(under) && len(keys) < stageChunk; k, _ = c.Next() {
		keys = append(keys, append([]byte(nil), k...))
	}
	return keys
}

// settle moves a deck's applied closings into their rows. The index in force already has them.
func (db *DB) settle(ctx context.Context, deck rating.DeckID) error {
	for more := true; more; {
		err := db.Bulk(ctx, func(tx *Tx) error {
			tx.quiet = true
			d, err := tx.Decks.Get(uint64(deck))
			if err != nil {
				return err
			}
			keys := tx.closings(deck)
			for _, k := range keys {
				if err := tx.settleRow(d, k); err != nil {
					return err
				}
			}
			if more = len(keys) >= stageChunk; more {
				return nil
			}
			d.Settling = false
			return tx.Decks.Put(d)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// settleRow writes a closing into its row. No key holds a valid-till, and the index knows it already.
func (tx *Tx) settleRow(d *rating.Deck, key []byte) error {
	id := rating.RateID(kv.ID(key))
	row := kv.Key(nil).U64(uint64(id))
	if old := tx.Txn.Get(bRate, row); old != nil {
		var r rating.Rate
		if err := decodeRate(id, old, &r); err != nil {
			return err
		}
		before := r.Till
		if stays := tx.applyRowClosing(d, &r); !stays {
			if err := tx.deleteStaged(id); err != nil {
				return err
			}
		} else if !r.Till.Equal(before) {
			now, err := appendRate(nil, &r)
			if err != nil {
				return err
			}
			if err := tx.Txn.Put(bRate, row, now); err != nil {
				return err
			}
		}
	}
	return tx.Txn.Delete(bRateClose, key)
}

// recoverImports finishes at start what a crash interrupted: an applied import is settled, one that
// was not applied leaves nothing.
func (db *DB) recoverImports(ctx context.Context) error {
	var stale []*Import
	var settling []rating.DeckID
	err := db.View(ctx, func(tx *Tx) error {
		err := tx.Imports.Each(0, func(i *Import) (bool, error) {
			if !i.Applied && i.FinishedAt.IsZero() {
				stale = append(stale, i)
			}
			return true, nil
		})
		if err != nil {
			return err
		}
		return tx.Decks.Each(0, func(d *rating.Deck) (bool, error) {
			if d.Settling {
				settling = append(settling, d.ID)
			}
			return true, nil
		})
	})
	if err != nil || len(stale)+len(settling) == 0 {
		return err
	}
	if err := db.loadCatalog(ctx); err != nil {
		return err
	}
	for _, deck := range settling {
		if err := db.settle(ctx, deck); err != nil {
			return err
		}
	}
	for _, i := range stale {
		if err := db.AbandonImport(ctx, i); err != nil {
			return err
		}
	}
	return nil
}
