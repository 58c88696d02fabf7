package storage

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// An import writes its rows beside the old ones under the deck's next generation, invisible; its last
// transaction moves the deck to that generation. Rows that it closes get their new valid-till in
// rate.close first, which counts from the same moment; they are moved into the rows afterwards, and
// at start if a crash came between.

// stageChunk is how many rows one transaction of an import writes, so that charging goes on.
const stageChunk = 5000

// BeginImport readies a deck for a new generation. Only one import of a deck runs at a time.
func (db *DB) BeginImport(ctx context.Context, imp *Import) error {
	return db.Update(ctx, func(tx *Tx) error {
		d, err := tx.Decks.Get(uint64(imp.Deck))
		if err != nil {
			return err
		}
		busy := false
		err = tx.Imports.Each(0, func(i *Import) (bool, error) {
			busy = i.Deck == imp.Deck && !i.Applied && i.FinishedAt.IsZero()
			return !busy, nil
		})
		if err != nil {
			return err
		}
		if busy || d.Settling {
			return rating.Errorf(rating.Conflict, "deck", "another import of deck %s is running, wait for it", d.Name)
		}
		first, err := tx.sequences().Next(schema.rates.Name, 0)
		if err != nil {
			return err
		}
		imp.Generation, imp.FirstRate = d.Generation+1, rating.RateID(first)
		imp.StartedAt, imp.By = tx.now, tx.by
		return tx.Imports.Put(imp)
	})
}

// StageRates writes rows of an import, invisible until it is applied. Numbers are given here.
func (db *DB) StageRates(ctx context.Context, imp *Import, rates []*rating.Rate) error {
	for len(rates) > 0 {
		n := min(len(rates), stageChunk)
		err := db.Update(ctx, func(tx *Tx) error {
			first, err := tx.sequences().Next(schema.rates.Name, uint64(n))
			if err != nil {
				return err
			}
			for i, r := range rates[:n] {
				r.ID, r.Deck, r.Gen = rating.RateID(first)+rating.RateID(i), imp.Deck, imp.Generation
				if err := tx.putNewRate(r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		rates = rates[n:]
	}
	return nil
}

// putNewRate writes a row that did not exist, past the table's reading of the old one.
func (tx *Tx) putNewRate(r *rating.Rate) error {
	v, err := appendRate(nil, r)
	if err != nil {
		return err
	}
	id := kv.Key(nil).U64(uint64(r.ID))
	if err := tx.Txn.Put(bRate, id, v); err != nil {
		return err
	}
	for _, u := range schema.rates.Unique {
		if key := u.Key(r); key != nil {
			if err := tx.Txn.Put(u.Bucket, key, id); err != nil {
				return err
			}
		}
	}
	return tx.Txn.Put(bRateDeck, kv.Key(deckKey(r.Deck, r.Prefix)).U64(uint64(r.ID)), nil)
}

// StageClosings notes rows that stop being valid at imp.Effective once the import is applied.
func (db *DB) StageClosings(ctx context.Context, imp *Import, ids []rating.RateID) error {
	v := kv.Key(nil).U32(imp.Generation).U64(uint64(imp.Effective.UnixMilli()))
	for len(ids) > 0 {
		n := min(len(ids), stageChunk)
		err := db.Update(ctx, func(tx *Tx) error {
			for _, id := range ids[:n] {
				if err := tx.Txn.Put(bRateClose, kv.Key(nil).U64(uint64(imp.Deck)).U64(uint64(id)), v); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

// closing returns when a staged closing ends a row, if one does.
func (tx *Tx) closing(deck rating.DeckID, id rating.RateID, gen uint32) (tillMilli int64, ok bool) {
	v := tx.Txn.Get(bRateClose, kv.Key(nil).U64(uint64(deck)).U64(uint64(id)))
	if len(v) != 12 || binary.BigEndian.Uint32(v) > gen {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(v[4:])), true
}

// applyClosing ends an index entry at its staged closing.
func (tx *Tx) applyClosing(d *rating.Deck, e *rating.Entry) {
	if till, ok := tx.closing(d.ID, e.Rate, d.Generation); ok && (e.Till == 0 || e.Till > till) {
		e.Till = till
	}
}

// ApplyImport makes an import's rows visible, all in one moment, with the index that serves them.
// was is the deck's index that the import was worked out against: a deck that changed meanwhile is a
// Conflict, and nothing happens.
func (db *DB) ApplyImport(ctx context.Context, imp *Import, was *rating.DeckIndex) error {
	index, err := db.indexAfter(ctx, imp)
	if err != nil {
		return err
	}
	err = db.Update(ctx, func(tx *Tx) error {
		d, err := tx.Decks.Get(uint64(imp.Deck))
		if err != nil {
			return err
		}
		if db.Catalog().Deck(d.ID).Index != was {
			return rating.Errorf(rating.Conflict, "deck", "deck %s was changed while the import was being prepared: import again", d.Name)
		}
		d.Generation, d.Settling = imp.Generation, true
		tx.quiet = true
		if err := tx.Decks.Put(d); err != nil {
			return err
		}
		imp.Applied, imp.FinishedAt = true, tx.now
		if err := tx.Imports.Put(imp); err != nil {
			return err
		}
		tx.replaced = map[rating.DeckID]*rating.DeckIndex{d.ID: index}
		c := imp.Counts
		tx.quiet = false
		return tx.Note("deck", uint64(d.ID), "import "+imp.File+": "+c.String())
	})
	if err != nil {
		return err
	}
	return db.settle(ctx, imp.Deck)
}

// indexAfter builds the index that a deck will have once imp is applied, while the old one serves.
func (db *DB) indexAfter(ctx context.Context, imp *Import) (x *rating.DeckIndex, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		d, err := tx.Decks.Get(uint64(imp.Deck))
		if err != nil {
			return err
		}
		d.Generation, d.Settling = imp.Generation, true
		x, err = tx.deckIndex(d)
		return err
	})
	return x, err
}

// AbandonImport removes what an import staged.
func (db *DB) AbandonImport(ctx context.Context, imp *Import) error {
	if err := db.unstage(ctx, imp); err != nil {
		return err
	}
	return db.Update(ctx, func(tx *Tx) error {
		imp.FinishedAt = tx.now
		return tx.Imports.Put(imp)
	})
}

// unstage deletes rows of a generation that is not visible, in chunks.
func (db *DB) unstage(ctx context.Context, imp *Import) error {
	from := imp.FirstRate
	for more := true; more; {
		err := db.Update(ctx, func(tx *Tx) error {
			tx.quiet = true
			var doomed []rating.RateID
			more = false
			err := tx.Rates.Each(uint64(from), func(r *rating.Rate) (bool, error) {
				if r.Deck == imp.Deck && r.Gen == imp.Generation {
					doomed = append(doomed, r.ID)
				}
				more, from = len(doomed) >= stageChunk, r.ID
				return !more, nil
			})
			if err != nil {
				return err
			}
			for _, id := range doomed {
				if err := tx.Rates.Delete(uint64(id)); err != nil {
					return err
				}
			}
			tx.touched = nil // they were never visible
			return nil
		})
		if err != nil {
			return err
		}
	}
	return db.dropClosings(ctx, imp.Deck)
}

func (db *DB) dropClosings(ctx context.Context, deck rating.DeckID) error {
	for more := true; more; {
		err := db.Update(ctx, func(tx *Tx) error {
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
		err := db.Update(ctx, func(tx *Tx) error {
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
			tx.touched = nil
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

func (tx *Tx) settleRow(d *rating.Deck, key []byte) error {
	id := rating.RateID(kv.ID(key))
	if till, ok := tx.closing(d.ID, id, d.Generation); ok {
		r, err := tx.Rates.Get(uint64(id))
		if at := time.UnixMilli(till).UTC(); err == nil && (r.Till.IsZero() || r.Till.After(at)) {
			r.Till = at
			err = tx.Rates.Put(r)
		}
		if err != nil && rating.KindOf(err) != rating.NotFound {
			return err
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

// String prints the summary as the audit trail and the command line show it.
func (c ImportCounts) String() string {
	return fmt.Sprintf("%d read, %d added, %d changed, %d same, %d removed, %d rejected", c.Read, c.Added, c.Changed, c.Same, c.Removed, c.Rejected)
}
