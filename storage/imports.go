package storage

import (
	"context"
	"fmt"

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
		begun.StartedAt, begun.By, begun.Undo = tx.now, tx.by, begun.Undoes == 0
		if begun.Becomes != nil && d.Generation+1 == begun.Generation && tx.Decks.Has(uint64(d.ID)) {
			was := *d
			begun.Was = &was
		}
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
				if err := tx.noteEnd(imp, c.Rate); err != nil {
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

// String prints the summary as the audit trail and the command line show it.
func (c ImportCounts) String() string {
	return fmt.Sprintf("%d read, %d added, %d changed, %d same, %d removed, %d rejected", c.Read, c.Added, c.Changed, c.Same, c.Removed, c.Rejected)
}
