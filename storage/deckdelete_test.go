package storage

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"billd/rating"
)

// TestADeckOfManyRatesIsDeletedInChunks deletes a deck and stops in the middle of removing its rates, as a
// crash would: at no moment is a rate of it seen, or the store not sound.
func TestADeckOfManyRatesIsDeletedInChunks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "billd.db")
	db := openAt(t, path)
	const rates = 2*stageChunk + 17
	rows := make([]*ListedRate, rates)
	step := rating.Step{Seconds: 60, Price: 1}
	for i := range rows {
		rows[i] = &ListedRate{Line: i + 1, Given: GivePrice, Rate: rating.Rate{Prefix: fmt.Sprint(100_000 + i), Terms: rating.Terms{First: step, Next: step}}}
	}
	importList(t, db, RateImportOptions{Deck: "big", Mode: Replace}, rows)
	var big *rating.Deck
	mustUpdate(t, db, func(tx *Tx) (err error) {
		if big, err = tx.DeckNamed("big"); err != nil {
			return err
		}
		return tx.DeleteDeck(big.ID)
	})
	left := func(db *DB) (seen, stored int) {
		t.Helper()
		err := db.View(t.Context(), func(tx *Tx) error {
			stored = tx.Rates.Count()
			return tx.EachRate(t.Context(), &RateSearch{}, func(*RateRow) (bool, error) {
				seen++
				return true, nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		var faults []string
		if err := db.Check(t.Context(), true, func(f string) { faults = append(faults, f) }); err != nil || len(faults) > 0 {
			t.Fatalf("check: %v, %q", err, faults)
		}
		if db.Catalog().Deck(big.ID) != nil {
			t.Error("the deck still prices")
		}
		return seen, stored
	}
	if seen, stored := left(db); seen != 0 || stored != rates-stageChunk {
		t.Errorf("after the deletion %d seen, %d stored, want 0, %d", seen, stored, rates-stageChunk)
	}
	importList(t, db, RateImportOptions{Deck: "big", Mode: Replace}, rows[:3]) // the name is free at once

	ctx, stop := context.WithCancel(t.Context())
	begun := 0
	db.now = func() time.Time {
		if begun++; begun == 2 { // the first transaction that removes: it is the last
			stop()
		}
		return testClock
	}
	if _, err := db.PurgeDecks(ctx); err == nil {
		t.Error("PurgeDecks went on after its context ended")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = openAt(t, path)
	if seen, stored := left(db); seen != 3 || stored <= 3 || stored >= rates-stageChunk+3 {
		t.Errorf("after the stop %d seen, %d stored, want 3 and some rates left", seen, stored)
	}
	if done, err := db.PurgeDecks(t.Context()); done != 1 || err != nil {
		t.Errorf("PurgeDecks = %d, %v, want 1", done, err)
	}
	if seen, stored := left(db); seen != 3 || stored != 3 {
		t.Errorf("in the end %d seen, %d stored, want 3, 3", seen, stored)
	}
	if done, err := db.PurgeDecks(t.Context()); done != 0 || err != nil {
		t.Errorf("PurgeDecks again = %d, %v, want 0", done, err)
	}
}

func TestADeckOfFewRatesIsDeletedAtOnce(t *testing.T) {
	db := openTest(t)
	importList(t, db, RateImportOptions{Deck: "small", Mode: Replace}, parseList(t, "44 0.06\n49 0.07"))
	mustUpdate(t, db, func(tx *Tx) error {
		d, err := tx.DeckNamed("small")
		if err != nil {
			return err
		}
		return tx.DeleteDeck(d.ID)
	})
	err := db.View(t.Context(), func(tx *Tx) error {
		if ids, err := tx.deletedDecks(); len(ids) != 0 || err != nil || tx.Rates.Count() != 0 {
			t.Errorf("%d rates, decks %v, %v are left, want none", tx.Rates.Count(), ids, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestARateOfADeckThatNobodyDeletedIsAFault(t *testing.T) {
	db := openTest(t)
	importList(t, db, RateImportOptions{Deck: "gone", Mode: Replace}, parseList(t, "44 0.06"))
	mustUpdate(t, db, func(tx *Tx) error {
		d, err := tx.DeckNamed("gone")
		if err != nil {
			return err
		}
		return tx.Decks.Delete(uint64(d.ID))
	})
	var faults []string
	if err := db.Check(t.Context(), true, func(f string) { faults = append(faults, f) }); err != nil || len(faults) == 0 {
		t.Errorf("check: %v, %q, want a rate without its deck", err, faults)
	}
}
