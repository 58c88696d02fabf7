package storage

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"billd/rating"
)

func undo(t *testing.T, db *DB, deck string) (*Undone, error) {
	t.Helper()
	return db.UndoImport(t.Context(), deck, false, func(int64, int64) {})
}

func TestUndoPutsADeckBackExactly(t *testing.T) {
	for _, tt := range []struct {
		name, first, second string
		o                   RateImportOptions
	}{
		{"rows added, changed, ended and kept", "44 0.1\n4420 0.2\n45 0.3\n46 0.4 till 20", "44 0.1\n4420 0.25\n47 0.5", RateImportOptions{Mode: Replace}},
		{"an update of few", "44 0.1\n45 0.3", "45 0.31\n48 1", RateImportOptions{Mode: Merge}},
		{"rates to come", "44 0.1\n45 0.3 from 5", "44 0.2 from 3\n45 0.4 from 10\n46 1 from 12 till 15", RateImportOptions{Mode: Merge}},
		{"a list from a later day", "44 0.1\n45 0.3", "44 0.2\n46 0.3", RateImportOptions{Mode: Replace, Effective: day(7)}},
		{"withdrawn prefixes", "44 0.1\n45 0.3", "45 0 end from 6\n44 0 end", RateImportOptions{Mode: Merge}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			db := openTest(t)
			importList(t, db, RateImportOptions{Mode: Replace}, parseList(t, tt.first))
			before := dump(t, db, "default")
			importList(t, db, tt.o, parseList(t, tt.second))
			between := dump(t, db, "default")
			if between == before {
				t.Fatal("the second list changed nothing")
			}
			dry, err := db.UndoImport(t.Context(), "default", true, nil)
			if err != nil || dry.Applied || dump(t, db, "default") != between {
				t.Fatalf("a dry run: %+v, %v; want it to change nothing", dry, err)
			}
			done, err := undo(t, db, "default")
			if err != nil {
				t.Fatal(err)
			}
			if done.Removed != dry.Removed || done.Reopened != dry.Reopened || !done.Applied {
				t.Errorf("did %+v, foretold %+v", done, dry)
			}
			if after := dump(t, db, "default"); after != before {
				t.Errorf("after the undo:\n%s\nwant\n%s", after, before)
			}
			clean(t, db)
			if _, err := undo(t, db, "default"); err == nil || !strings.Contains(err.Error(), "was undone on") {
				t.Errorf("a second undo: %v, want a refusal", err)
			}
			again := importList(t, db, tt.o, parseList(t, tt.second))
			if got := dump(t, db, "default"); got != between {
				t.Errorf("imported again %+v:\n%s\nwant\n%s", again, got, between)
			}
		})
	}
}

func TestUndoIsRefusedWhereItWouldLoseSomething(t *testing.T) {
	edit := func(change func(tx *Tx) error) func(*testing.T, *DB) {
		return func(t *testing.T, db *DB) {
			t.Helper()
			if err := db.Update(t.Context(), change); err != nil {
				t.Fatal(err)
			}
		}
	}
	first := func(tx *Tx) (r *rating.Rate, err error) {
		err = tx.RatesFrom(rating.DefaultDeck, "", 0, func(row *rating.Rate) (bool, error) { r = row; return false, nil })
		return r, err
	}
	for _, tt := range []struct {
		name, want string
		do         func(*testing.T, *DB)
	}{
		{"a rate is edited", "rate 1 was changed on", edit(func(tx *Tx) error {
			r, err := first(tx)
			if err != nil {
				return err
			}
			r.Name = "edited"
			return tx.Rates.Put(r)
		})},
		{"a rate is deleted", "was changed on", edit(func(tx *Tx) error {
			r, err := first(tx)
			if err != nil {
				return err
			}
			return tx.Rates.Delete(uint64(r.ID))
		})},
		{"a rate is added", "was changed on", edit(func(tx *Tx) error {
			step := rating.Step{Seconds: 60, Price: 1}
			return tx.Rates.Put(&rating.Rate{Deck: rating.DefaultDeck, Gen: 1, Prefix: "99", Terms: rating.Terms{First: step, Next: step}})
		})},
		{"a change waits", "has a change scheduled for", edit(func(tx *Tx) error {
			r, err := first(tx)
			if err != nil {
				return err
			}
			return tx.NextRates.Put(&NextRate{Rate: r.ID, ApplyAt: day(9), CreatedAt: tx.Now(), UpdatedAt: tx.Now()})
		})},
		{"nothing stands in the way", "", func(*testing.T, *DB) {}},
		{"another deck is edited", "", edit(func(tx *Tx) error {
			d := &rating.Deck{Name: "other", Currency: rating.Currency{'E', 'U', 'R'}, Preset: rating.PresetYeti}
			if err := tx.Decks.Put(d); err != nil {
				return err
			}
			step := rating.Step{Seconds: 60, Price: 1}
			return tx.Rates.Put(&rating.Rate{Deck: d.ID, Prefix: "99", Terms: rating.Terms{First: step, Next: step}})
		})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			db := openTest(t)
			importList(t, db, RateImportOptions{Mode: Replace}, parseList(t, "44 0.1\n45 0.2"))
			tt.do(t, db)
			before := dump(t, db, "default")
			_, err := undo(t, db, "default")
			if tt.want == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if rating.KindOf(err) != rating.Conflict || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if after := dump(t, db, "default"); after != before {
				t.Errorf("a refused undo changed the deck to\n%s", after)
			}
		})
	}
	db := openTest(t)
	if _, err := undo(t, db, "default"); err == nil || err.Error() != "deck default was never imported: there is nothing to undo" {
		t.Errorf("a deck never imported: %v", err)
	}
	if _, err := undo(t, db, "nowhere"); rating.KindOf(err) != rating.NotFound || err == nil {
		t.Errorf("a deck that is not: %v", err)
	}
}

func TestUndoOfTheImportThatSetTheDecksCurrency(t *testing.T) {
	db := openTest(t)
	importList(t, db, RateImportOptions{Mode: Replace, Currency: rating.Currency{'G', 'B', 'P'}, Preset: rating.PresetKazoo}, parseList(t, "44 0.1"))
	if _, err := undo(t, db, "default"); err != nil {
		t.Fatal(err)
	}
	err := db.View(t.Context(), func(tx *Tx) error {
		d, err := tx.DeckNamed("default")
		if err == nil && (d.Currency.String() != "EUR" || d.Preset != rating.PresetPortSIP) {
			t.Errorf("deck is %s, %s; want EUR, portsip as before", d.Currency, d.Preset)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	clean(t, db)
}

func TestAnUndoThatACrashInterrupts(t *testing.T) {
	for _, applied := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "billd.db")
		db := openAt(t, path)
		importList(t, db, RateImportOptions{Mode: Replace}, parseList(t, "44 0.1\n45 0.3\n46 0.4 till 20"))
		before := dump(t, db, "default")
		importList(t, db, RateImportOptions{Mode: Replace}, parseList(t, "44 0.2\n47 0.5"))
		between := dump(t, db, "default")
		var u Undone
		if err := db.View(t.Context(), func(tx *Tx) error { return tx.undoable("default", &u) }); err != nil {
			t.Fatal(err)
		}
		if err := db.countUndo(t.Context(), &u); err != nil {
			t.Fatal(err)
		}
		imp := &Import{Deck: u.Deck.ID, Mode: string(undoMode), Undoes: u.Import.ID}
		if err := db.BeginImport(t.Context(), imp); err != nil {
			t.Fatal(err)
		}
		if err := db.stageUndo(t.Context(), imp, &u, func(int64, int64) {}); err != nil {
			t.Fatal(err)
		}
		want := between
		if applied { // all of ApplyImport but what comes after the transaction
			want = before
			was := db.Catalog().Deck(u.Deck.ID).Index
			index, err := db.indexAfter(t.Context(), imp)
			if err == nil {
				err = db.Update(t.Context(), func(tx *Tx) error { return tx.applyImport(imp, was, index) })
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := shown(t, db); got != shownOf(before) {
				t.Errorf("before it is settled readers see\n%s\nwant\n%s", got, shownOf(before))
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		db = openAt(t, path)
		if got := dump(t, db, "default"); got != want {
			t.Errorf("applied %t, after the crash:\n%s\nwant\n%s", applied, got, want)
		}
		clean(t, db)
		_, err := undo(t, db, "default")
		if applied == (err == nil) {
			t.Errorf("applied %t, undo after the crash: %v", applied, err)
		}
		if got := dump(t, db, "default"); got != before {
			t.Errorf("in the end:\n%s\nwant\n%s", got, before)
		}
		clean(t, db)
	}
}

// shown is which prefixes of the default deck readers are shown, with their prices and ends.
func shown(t *testing.T, db *DB) string {
	t.Helper()
	var b strings.Builder
	err := db.View(t.Context(), func(tx *Tx) error {
		return tx.RatesFrom(rating.DefaultDeck, "", 0, func(r *rating.Rate) (bool, error) {
			fmt.Fprintf(&b, "%s %s\n", r.Prefix, r.Terms.First.Price)
			return true, nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// shownOf is what shown says of a dump.
func shownOf(dump string) string {
	var b strings.Builder
	for _, line := range strings.Split(strings.TrimSpace(dump), "\n") {
		words := strings.Fields(line)
		fmt.Fprintf(&b, "%s %s\n", words[0], words[1])
	}
	return b.String()
}
