package storage

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// An import writes its rows beside the old ones under the deck's next generation, invisible; its last
// transaction moves the deck to that generation. Rows that it closes get their new valid-till in
// rate.close first, which counts from the same moment; they are moved into the rows afterwards, and
// at start if a crash came between. A deck that the import makes is written by the last transaction too.

// stageChunk is how many rows one transaction of an import writes, so that charging goes on.
const stageChunk = 5000

// scanChunk is how many rows one View of an import looks at, so that old pages are let go of.
const scanChunk = 50_000

// maxKeptNumber is the highest rate number that an import takes from its file: numbers go on from the
// highest, and an index holds the first 2³².
const maxKeptNumber = 1 << 31

// Closing ends the validity of a rate.
type Closing struct {
	Rate rating.RateID
	Till int64 // unix milliseconds; before the rate's own valid-from it means: never valid
}

// BeginImport readies a deck for a new generation, and reserves the number of one that imp makes.
//
// Fails with Conflict while another import of the deck is running. Who begins must apply or abandon.
func (db *DB) BeginImport(ctx context.Context, imp *Import) error {
	var begun Import
	err := db.Update(ctx, func(tx *Tx) error {
		begun = *imp
		d, err := tx.importedDeck(&begun)
		if err != nil {
			return err
		}
		busy := d.Settling
		err = tx.Imports.Each(0, func(i *Import) (bool, error) {
			same := i.Deck == d.ID || i.Becomes != nil && i.Becomes.Name == d.Name
			busy = busy || same && !i.Applied && i.FinishedAt.IsZero()
			return !busy, nil
		})
		if err != nil {
			return err
		}
		if busy {
			return rating.Errorf(rating.Conflict, "deck", "another import of deck %s is running, wait for it", d.Name)
		}
		first, err := tx.sequences().Next(schema.rates.Name, 0)
		if err != nil {
			return err
		}
		if begun.FirstRate == 0 || begun.FirstRate > rating.RateID(first) {
			begun.FirstRate = rating.RateID(first)
		}
		begun.Deck, begun.Generation = d.ID, d.Generation+1
		begun.StartedAt, begun.By = tx.now, tx.by
		return tx.Imports.Put(&begun)
	})
	if err == nil {
		*imp = begun
	}
	return err
}

// importedDeck returns the deck of an import as it is, or as it will be first when the import makes it.
func (tx *Tx) importedDeck(imp *Import) (*rating.Deck, error) {
	if imp.Deck != 0 {
		return tx.Decks.Get(uint64(imp.Deck))
	}
	if _, err := tx.DeckNamed(imp.Becomes.Name); rating.KindOf(err) != rating.NotFound || err == nil {
		if err == nil {
			err = rating.Errorf(rating.Conflict, "deck", "deck %s was made while the import was being prepared: import again", imp.Becomes.Name)
		}
		return nil, err
	}
	id, err := tx.sequences().Next(schema.decks.Name, 1)
	if err != nil {
		return nil, err
	}
	d := *imp.Becomes
	d.ID, d.CreatedAt = rating.DeckID(id), tx.now
	imp.Becomes = &d
	return &d, nil
}

// StageRates writes rows of an import, invisible until it is applied. A row without a number gets the
// next one; a number that it brings must be free.
func (db *DB) StageRates(ctx context.Context, imp *Import, rates []*rating.Rate) error {
	for len(rates) > 0 {
		n := min(len(rates), stageChunk)
		var ids []rating.RateID
		err := db.Bulk(ctx, func(tx *Tx) (err error) {
			ids, err = tx.stage(imp, rates[:n])
			return err
		})
		if err != nil {
			return err
		}
		for i, id := range ids {
			rates[i].ID = id
		}
		rates = rates[n:]
	}
	return nil
}

func (tx *Tx) stage(imp *Import, rates []*rating.Rate) ([]rating.RateID, error) {
	wanting, highest := uint64(0), uint64(0)
	for _, r := range rates {
		if r.ID == 0 {
			wanting++
		}
		highest = max(highest, uint64(r.ID))
	}
	if highest > 0 {
		if err := tx.sequences().Raise(schema.rates.Name, highest); err != nil {
			return nil, err
		}
	}
	next, err := tx.sequences().Next(schema.rates.Name, wanting)
	if err != nil {
		return nil, err
	}
	ids := make([]rating.RateID, len(rates))
	var rows rowArena
	for i, r := range rates {
		row := *r
		row.Deck, row.Gen = imp.Deck, imp.Generation
		if row.ID == 0 {
			row.ID = rating.RateID(next)
			next++
		} else if tx.Rates.Has(uint64(row.ID)) {
			return nil, rating.Errorf(rating.Conflict, "number", "rate %d exists already", row.ID)
		}
		ids[i] = row.ID
		if err := tx.putNewRate(&row, &rows); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// rowArena holds the rows that a transaction writes, which live as long as it does, many to a piece of memory.
type rowArena struct{ free []byte }

// add encodes r.
func (a *rowArena) add(r *rating.Rate) ([]byte, error) {
	const piece, most = 64 << 10, 1 << 10
	if cap(a.free) < most {
		a.free = make([]byte, 0, piece)
	}
	row, err := appendRate(a.free, r)
	if err != nil || len(row) > cap(a.free) {
		return row, err // a longer one took memory of its own
	}
	a.free = row[len(row):len(row):cap(a.free)]
	return row[:len(row):len(row)], nil
}

// putNewRate writes a row whose number is free, past the table's reading of the old one.
func (tx *Tx) putNewRate(r *rating.Rate, rows *rowArena) error {
	v, err := rows.add(r)
	if err != nil {
		return err
	}
	id := make(kv.Key, 0, 8).U64(uint64(r.ID))
	for _, u := range schema.rates.Unique {
		key := u.Key(r)
		if key == nil {
			continue
		}
		if tx.Txn.Get(u.Bucket, key) != nil {
			return rating.Errorf(rating.Conflict, u.Field, "rate of prefix %s: this %s is already taken", r.Prefix, u.Field)
		}
		if err := tx.Txn.Put(u.Bucket, key, id); err != nil {
			return err
		}
	}
	if err := tx.Txn.Put(bRate, id, v); err != nil {
		return err
	}
	return tx.Txn.Put(bRateDeck, make(kv.Key, 0, 8+len(r.Prefix)+1+8).U64(uint64(r.Deck)).Text(r.Prefix).U64(uint64(r.ID)), nil)
}

// StageClosings notes rows that stop being valid once the import is applied.
func (db *DB) StageClosings(ctx context.Context, imp *Import, closings []Closing) error {
	for len(closings) > 0 {
		n := min(len(closings), stageChunk)
		err := db.Bulk(ctx, func(tx *Tx) error {
			for _, c := range closings[:n] {
				key := kv.Key(nil).U64(uint64(imp.Deck)).U64(uint64(c.Rate))
				v := kv.Key(nil).U32(imp.Generation).U64(uint64(c.Till))
				if err := tx.Txn.Put(bRateClose, key, v); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		closings = closings[n:]
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

// shows reports whether a row of deck d is visible, and ends it where an applied import ended it while
// that import's closings are not in the rows yet.
func (tx *Tx) shows(d *rating.Deck, r *rating.Rate) bool {
	if r.Gen > d.Generation {
		return false
	}
	if d.Settling {
		tx.applyRowClosing(d, r)
	}
	return true
}

// applyRowClosing ends a row at its staged closing, as settling will.
func (tx *Tx) applyRowClosing(d *rating.Deck, r *rating.Rate) {
	till, ok := tx.closing(d.ID, r.ID, d.Generation)
	if !ok {
		return
	}
	at := time.UnixMilli(till).UTC()
	if at.Before(r.From) {
		at = r.From // a row that was never valid ends where it would have begun
	}
	if r.Till.IsZero() || r.Till.After(at) {
		r.Till = at
	}
}

// ApplyImport makes an import's rows visible, all in one moment, with the index that serves them.
// was is the deck's index that the import was worked out against, nil for a deck that it makes: a deck
// that changed meanwhile is a Conflict, and nothing happens.
//
// Once the rows are visible ctx ends nothing any more: an error is then the store's.
func (db *DB) ApplyImport(ctx context.Context, imp *Import, was *rating.DeckIndex) error {
	index, err := db.indexAfter(ctx, imp)
	if err != nil {
		return err
	}
	done := *imp
	err = db.Update(ctx, func(tx *Tx) error {
		done = *imp
		return tx.applyImport(&done, was, index)
	})
	if err != nil {
		return err
	}
	*imp = done
	return db.settle(context.WithoutCancel(ctx), imp.Deck)
}

func (tx *Tx) applyImport(imp *Import, was, index *rating.DeckIndex) error {
	d, err := tx.deckAfter(imp)
	if err != nil {
		return err
	}
	var now *rating.DeckIndex
	if p := tx.db.Catalog().Deck(d.ID); p != nil {
		now = p.Index
	}
	if now != was || d.Generation+1 != imp.Generation {
		return rating.Errorf(rating.Conflict, "deck", "deck %s was changed while the import was being prepared: import again", d.Name)
	}
	d.Generation, d.Settling = imp.Generation, true
	tx.quiet = true
	if err := tx.Decks.Put(d); err != nil {
		return err
	}
	tx.quiet = false
	imp.Applied, imp.FinishedAt = true, tx.now
	if err := tx.Imports.Put(imp); err != nil {
		return err
	}
	tx.replaced = map[rating.DeckID]*rating.DeckIndex{d.ID: index}
	return tx.Note("deck", uint64(d.ID), "import "+imp.File+": "+imp.Counts.String())
}

// deckAfter returns the deck of an import with what the import makes of it but the generation.
func (tx *Tx) deckAfter(imp *Import) (*rating.Deck, error) {
	d, err := tx.Decks.Get(uint64(imp.Deck))
	if rating.KindOf(err) == rating.NotFound && err != nil && imp.Becomes != nil {
		deleted, err := tx.deletedDecks()
		if err != nil {
			return nil, err
		}
		if slices.Contains(deleted, imp.Deck) {
			return nil, rating.Errorf(rating.Conflict, "deck", "deck %s was deleted while the import was being prepared", imp.Becomes.Name)
		}
		made := *imp.Becomes
		made.Generation = imp.Generation - 1
		return &made, nil
	}
	if err == nil && imp.Becomes != nil {
		d.Currency, d.Preset, d.Vendor = imp.Becomes.Currency, imp.Becomes.Preset, imp.Becomes.Vendor
	}
	return d, err
}

// indexAfter builds the index that a deck will have once imp is applied, while the old one serves.
func (db *DB) indexAfter(ctx context.Context, imp *Import) (x *rating.DeckIndex, err error) {
	rows := imp.Counts.Added + imp.Counts.Changed
	if p := db.Catalog().Deck(imp.Deck); p != nil {
		rows += p.Index.Len()
	}
	err = db.View(ctx, func(tx *Tx) error {
		d, err := tx.deckAfter(imp)
		if err != nil {
			return err
		}
		d.Generation, d.Settling = imp.Generation, true
		x, err = tx.deckIndex(d, rows)
		return err
	})
	return x, err
}

// AbandonImport removes what an import staged, whatever became of ctx.
func (db *DB) AbandonImport(ctx context.Context, imp *Import) error {
	ctx = context.WithoutCancel(ctx)
	if err := db.unstage(ctx, imp); err != nil {
		return err
	}
	return db.Update(ctx, func(tx *Tx) error {
		gone := *imp
		gone.FinishedAt = tx.now
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
		if tx.applyRowClosing(d, &r); !r.Till.Equal(before) {
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

// String prints the summary as the audit trail and the command line show it.
func (c ImportCounts) String() string {
	return fmt.Sprintf("%d read, %d added, %d changed, %d same, %d removed, %d rejected", c.Read, c.Added, c.Changed, c.Same, c.Removed, c.Rejected)
}
