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

// Kinds of entries of rate.close that are longer than a generation and an end.
const (
	endClosed   byte = iota // the row ends, unless it does so earlier; the entry has no kind
	endReopened             // the row has the end again that it had before the import that is undone
	endRemoved              // the row is removed: the import that added it is undone
)

// ending is an entry of rate.close: unix milliseconds of a closed or removed row, microseconds of one
// that is reopened, where 0 is no end.
type ending struct {
	till int64
	kind byte
}

// closing returns what a staged import makes of a row's end, if anything.
func (tx *Tx) closing(deck rating.DeckID, id rating.RateID, gen uint32) (e ending, ok bool) {
	v := tx.Txn.Get(bRateClose, kv.Key(nil).U64(uint64(deck)).U64(uint64(id)))
	if len(v) != 12 && len(v) != 13 || binary.BigEndian.Uint32(v) > gen {
		return e, false
	}
	e.till = int64(binary.BigEndian.Uint64(v[4:]))
	if len(v) == 13 {
		e.kind = v[12]
	}
	return e, true
}

// applyClosing ends an index entry at its staged closing.
func (tx *Tx) applyClosing(d *rating.Deck, e *rating.Entry) {
	end, ok := tx.closing(d.ID, e.Rate, d.Generation)
	switch {
	case !ok:
	case end.kind == endReopened && end.till == 0:
		e.Till = 0
	case end.kind == endReopened:
		e.Till = time.UnixMicro(end.till).UnixMilli()
	case e.Till == 0 || e.Till > end.till:
		e.Till = end.till
	}
}

// shows reports whether a row of deck d is visible, and ends it where an applied import ended it while
// that import's closings are not in the rows yet.
func (tx *Tx) shows(d *rating.Deck, r *rating.Rate) bool {
	if r.Gen > d.Generation {
		return false
	}
	return !d.Settling || tx.applyRowClosing(d, r)
}

// applyRowClosing ends a row at its staged closing, as settling will; false: the row is to be removed.
func (tx *Tx) applyRowClosing(d *rating.Deck, r *rating.Rate) bool {
	end, ok := tx.closing(d.ID, r.ID, d.Generation)
	switch {
	case !ok:
		return true
	case end.kind == endRemoved:
		r.Till = r.From // for whoever holds the row until it is gone
		return false
	case end.kind == endReopened:
		if r.Till = (time.Time{}); end.till != 0 {
			r.Till = time.UnixMicro(end.till).UTC()
		}
		return true
	}
	at := time.UnixMilli(end.till).UTC()
	if at.Before(r.From) {
		at = r.From // a row that was never valid ends where it would have begun
	}
	if r.Till.IsZero() || r.Till.After(at) {
		r.Till = at
	}
	return true
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
	ctx = context.WithoutCancel(ctx)
	if err := db.settle(ctx, imp.Deck); err != nil {
		return err
	}
	return db.forgetUndo(ctx, imp.Deck, imp.ID)
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
	note := "import " + imp.File + ": " + imp.Counts.String()
	if imp.Undoes != 0 {
		note = fmt.Sprintf("import %s undone: %d rates removed, %d as they were", imp.File, imp.Counts.Removed, imp.Counts.Changed)
	}
	if imp.Noted, err = tx.sequences().Next(schema.audit.Name, 0); err != nil {
		return err
	}
	if err := tx.Note(schema.decks.Name, uint64(d.ID), note); err != nil {
		return err
	}
	tx.replaced = map[rating.DeckID]*rating.DeckIndex{d.ID: index}
	return tx.Imports.Put(imp)
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
