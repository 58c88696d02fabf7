package storage

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// The last import of a deck can be undone. What it ended is noted in import.undo, with the end that each
// row had before, while the import is staged; undoing is then one more import, of a generation of its
// own, that removes the rows of the last one and gives the others their old ends back. Like any import
// it becomes visible in one moment and is settled afterwards, at the next start if a crash comes
// between. A later edit of a rate would be lost or would stand beside what came back, so it is refused.

// undoMode is the mode of an import that undoes another.
const undoMode ImportMode = "undo"

// Undone says what an undo did, or would do.
type Undone struct {
	Deck     rating.Deck
	Import   Import // that is undone
	Removed  int    // rows that it had added
	Reopened int    // rows that it had ended
	Applied  bool
}

// UndoImport puts a deck back to what it was before its last import; a dry one says only what would be.
// Calls that were charged meanwhile keep their figures until they are rerated.
//
// Fails with NotFound if there is no such deck, Conflict if nothing can be undone, and says why.
func (db *DB) UndoImport(ctx context.Context, deck string, dry bool, progress func(done, total int64)) (*Undone, error) {
	var u Undone
	catalog := db.Catalog() // before the View: a later edit is then noticed by ApplyImport
	err := db.View(ctx, func(tx *Tx) error { return tx.undoable(deck, &u) })
	if err != nil {
		return nil, err
	}
	var was *rating.DeckIndex
	if p := catalog.Deck(u.Deck.ID); p != nil {
		was = p.Index
	}
	if err := db.countUndo(ctx, &u); err != nil || dry {
		return &u, err
	}
	imp := &Import{Deck: u.Deck.ID, Mode: string(undoMode), File: u.Import.File, Undoes: u.Import.ID, Becomes: u.Import.Was,
		Counts: ImportCounts{Removed: u.Removed, Changed: u.Reopened}}
	if err := db.BeginImport(ctx, imp); err != nil {
		return nil, err
	}
	err = db.stageUndo(ctx, imp, &u, progress)
	if err == nil {
		err = db.ApplyImport(ctx, imp, was)
	}
	if err != nil && !imp.Applied {
		if left := db.AbandonImport(ctx, imp); left != nil {
			return nil, left
		}
		return nil, err
	}
	u.Applied = true
	return &u, err
}

// undoable finds the last import of a deck and judges whether it can be undone.
func (tx *Tx) undoable(deck string, u *Undone) error {
	d, err := tx.DeckNamed(deck)
	if err != nil {
		return err
	}
	u.Deck = *d
	err = tx.Imports.Each(0, func(i *Import) (bool, error) {
		if i.Deck == d.ID && i.Applied {
			u.Import = *i
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	last := &u.Import
	refuse := func(format string, args ...any) error { return rating.Errorf(rating.Conflict, "deck", format, args...) }
	switch {
	case last.ID == 0:
		return refuse("deck %s was never imported: there is nothing to undo", deck)
	case last.Undoes != 0:
		return refuse("the last import of deck %s was undone on %s, and of those before it nothing is kept", deck, stamp(last.FinishedAt))
	case !last.Undo:
		return refuse("the last import of deck %s was made by a billd that kept nothing to undo it with", deck)
	case d.Settling || last.Generation != d.Generation:
		return refuse("another import of deck %s is running, wait for it", deck)
	}
	if err := tx.editedSince(d, last); err != nil {
		return err
	}
	return tx.NextRates.Each(0, func(n *NextRate) (bool, error) {
		r, err := tx.Rates.Get(uint64(n.Rate))
		if err == nil && r.Deck == d.ID && r.Gen == last.Generation {
			return false, refuse("rate %d, prefix %s, which the import added, has a change scheduled for %s: remove it first", r.ID, r.Prefix, stamp(n.ApplyAt))
		}
		return true, nil
	})
}

// editedSince refuses when a rate of the deck was changed by something else since an import.
func (tx *Tx) editedSince(d *rating.Deck, imp *Import) error {
	return tx.Audit.Each(imp.Noted+1, func(e *AuditEntry) (bool, error) {
		mine := false
		switch e.Table {
		case schema.rates.Name:
			mine = e.Row == 0 || tx.deckOfEntry(e) == d.ID
		case schema.decks.Name:
			mine = e.Row == uint64(d.ID) && e.Note != ""
		}
		if !mine {
			return true, nil
		}
		what := "rates of the deck were changed"
		if e.Table == schema.rates.Name && e.Row != 0 {
			what = rating.Errorf(rating.Conflict, "", "rate %d was changed", e.Row).Error()
		}
		by := ""
		if e.By != "" {
			by = " by " + e.By
		}
		return false, rating.Errorf(rating.Conflict, "deck", "%s on %s%s, after the import of deck %s: undoing would lose that", what, stamp(e.At), by, d.Name)
	})
}

// deckOfEntry returns the deck of the rate that an entry of the audit trail is about.
func (tx *Tx) deckOfEntry(e *AuditEntry) rating.DeckID {
	if r, err := tx.Rates.Get(e.Row); err == nil {
		return r.Deck
	}
	var gone struct{ Deck rating.DeckID }
	for _, text := range [...]json.RawMessage{e.Old, e.New} {
		if len(text) > 0 && json.Unmarshal(text, &gone) == nil && gone.Deck != 0 {
			return gone.Deck
		}
	}
	return 0
}

// countUndo counts what undoing will touch.
func (db *DB) countUndo(ctx context.Context, u *Undone) error {
	err := db.eachUndoPage(ctx, u, func(ids []rating.RateID, ends []undoEnd) error {
		u.Removed += len(ids)
		u.Reopened += len(ends)
		return ctx.Err()
	})
	return err
}

// undoEnd is a row that the import ended, and the end that it had before.
type undoEnd struct {
	rate rating.RateID
	till int64 // unix microseconds as the row has it; 0: none
}

// eachUndoPage calls fn with pages of the rows to remove, then of the rows to give their ends back.
func (db *DB) eachUndoPage(ctx context.Context, u *Undone, fn func(ids []rating.RateID, ends []undoEnd) error) error {
	for from := u.Import.FirstRate; from != 0; {
		var ids []rating.RateID
		err := db.View(ctx, func(tx *Tx) (err error) {
			ids, from, err = tx.staged(&u.Import, from)
			return err
		})
		if err == nil && len(ids) > 0 {
			err = fn(ids, nil)
		}
		if err != nil {
			return err
		}
	}
	for from := rating.RateID(1); from != 0; {
		var ends []undoEnd
		err := db.View(ctx, func(tx *Tx) error {
			ends, from = tx.undoEnds(u.Import.ID, from)
			return nil
		})
		if err == nil && len(ends) > 0 {
			err = fn(nil, ends)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// undoEnds returns up to a chunk of what import.undo has of an import from a rate on, and where to go
// on; 0 at the end.
func (tx *Tx) undoEnds(imp uint64, from rating.RateID) (ends []undoEnd, next rating.RateID) {
	under := kv.Key(nil).U64(imp)
	c := tx.Txn.Cursor(bImportUndo)
	for k, v := c.Seek(kv.Key(nil).U64(imp).U64(uint64(from))); len(k) == 16 && string(k[:8]) == string(under); k, v = c.Next() {
		id := rating.RateID(kv.ID(k))
		if len(ends) == stageChunk {
			return ends, id
		}
		ends = append(ends, undoEnd{id, int64(binary.BigEndian.Uint64(v))})
	}
	return ends, 0
}

// stageUndo notes in rate.close, for the undo's own generation, what becomes of the rows.
func (db *DB) stageUndo(ctx context.Context, imp *Import, u *Undone, progress func(done, total int64)) error {
	done, total := int64(0), int64(u.Removed+u.Reopened)
	return db.eachUndoPage(ctx, u, func(ids []rating.RateID, ends []undoEnd) error {
		err := db.Bulk(ctx, func(tx *Tx) error {
			put := func(id rating.RateID, till int64, kind byte) error {
				key := kv.Key(nil).U64(uint64(imp.Deck)).U64(uint64(id))
				return tx.Txn.Put(bRateClose, key, kv.Key(nil).U32(imp.Generation).U64(uint64(till)).U8(kind))
			}
			for _, id := range ids {
				if err := put(id, neverMilli, endRemoved); err != nil {
					return err
				}
			}
			for _, e := range ends {
				if err := put(e.rate, e.till, endReopened); err != nil {
					return err
				}
			}
			return nil
		})
		done += int64(len(ids) + len(ends))
		progress(done, total)
		return err
	})
}

// neverMilli is an end before every beginning: the second instant of the zero time's own year.
var neverMilli = time.Time{}.UnixMilli() + 1

// noteEnd keeps the end that a row has now, before imp ends it.
func (tx *Tx) noteEnd(imp *Import, id rating.RateID) error {
	v := tx.Txn.Get(bRate, kv.Key(nil).U64(uint64(id)))
	if v == nil {
		return nil // the import fails on it elsewhere, or it is being removed
	}
	var r rating.Rate
	if err := decodeRate(id, v, &r); err != nil {
		return err
	}
	till := int64(0)
	if !r.Till.IsZero() {
		till = r.Till.UnixMicro()
	}
	return tx.Txn.Put(bImportUndo, kv.Key(nil).U64(imp.ID).U64(uint64(id)), kv.Key(nil).U64(uint64(till)))
}

// forgetUndo removes what is kept for undoing the imports of a deck, all but keep.
func (db *DB) forgetUndo(ctx context.Context, deck rating.DeckID, keep uint64) error {
	var old []uint64
	err := db.View(ctx, func(tx *Tx) error {
		return tx.Imports.Each(0, func(i *Import) (bool, error) {
			if i.Deck == deck && i.ID != keep && i.Undo {
				old = append(old, i.ID)
			}
			return true, nil
		})
	})
	if err != nil {
		return err
	}
	for _, id := range old {
		if err := db.dropUndo(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// dropUndo removes what is kept for undoing one import, and says so in its record.
func (db *DB) dropUndo(ctx context.Context, id uint64) error {
	for from := rating.RateID(1); from != 0; {
		err := db.Bulk(ctx, func(tx *Tx) error {
			var ends []undoEnd
			ends, from = tx.undoEnds(id, 1)
			for _, e := range ends {
				if err := tx.Txn.Delete(bImportUndo, kv.Key(nil).U64(id).U64(uint64(e.rate))); err != nil {
					return err
				}
			}
			if from != 0 {
				return nil
			}
			imp, err := tx.Imports.Get(id)
			if err != nil {
				return err
			}
			imp.Undo = false
			return tx.Imports.Put(imp)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// importUndo finds ends that are kept for imports that are not there.
func (c *checker) importUndo() {
	cur := c.tx.Txn.Cursor(bImportUndo)
	last := uint64(0)
	for k, v := cur.First(); k != nil; k, v = cur.Next() {
		if len(k) != 16 || len(v) != 8 {
			c.fault("an end that is kept for undoing has a key of %d bytes and a value of %d", len(k), len(v))
			continue
		}
		if id := binary.BigEndian.Uint64(k); id != last {
			last = id
			c.refer("an end kept for undoing, of rate", kv.ID(k), "import", id, c.tx.Imports.Has)
		}
	}
}
