package kazoo

import (
	"context"
	"slices"

	"billd/rating"
	"billd/storage"
)

// exportColumns are the columns of an exported deck, those of an import.
var exportColumns = append([]string{"prefix", "rate_cost"}, rateColumns...)

// exportRates writes the rates in force of the deck that the task names, or of all decks, into its
// output, a part a transaction, and ends the task.
func exportRates(ctx context.Context, db *storage.DB, t *storage.Task) error {
	var decks []*rating.Deck
	asked, one := plain(readDocument(t.Arguments)["ratedeck_id"])
	err := db.Update(ctx, func(tx *storage.Tx) error {
		decks = nil
		if err := tx.ClearTaskFile(t.ID, storage.TaskOutput); err != nil { // of an export that a crash interrupted
			return err
		}
		if one {
			d, err := deckCalled(tx, asked)
			decks = append(decks, d)
			return err
		}
		return tx.Decks.Each(0, func(d *rating.Deck) (bool, error) {
			if d.Vendor == 0 {
				decks = append(decks, d)
			}
			return true, nil
		})
	})
	if rating.KindOf(err) == rating.NotFound {
		return endTask(ctx, db, t.ID, "the ratedeck does not exist")
	}
	if err != nil {
		return err
	}
	s := newSheet(exportColumns...)
	rows, size := int64(0), 0
	for _, d := range decks {
		for from, after, more := "", rating.RateID(0), true; more; {
			n := 0
			err := db.View(ctx, func(tx *storage.Tx) error {
				more = false
				return tx.RatesFrom(d.ID, from, after, func(r *rating.Rate) (bool, error) {
					if n++; n > exportChunk {
						more = true
						return false, nil
					}
					from, after = r.Prefix, r.ID
					if r.ValidAt(tx.Now()) {
						cells, err := rateCells(tx, d, r)
						if err != nil {
							return false, err
						}
						s.row(cells...)
						rows++
					}
					return true, nil
				})
			})
			if err != nil {
				return err
			}
			s.w.Flush()
			part := slices.Clone(s.b.Bytes())
			s.b.Reset()
			if size += len(part); size > storage.MaxTaskResults {
				return endTask(ctx, db, t.ID, "the output is too large")
			}
			if stopped, err := appendOutput(ctx, db, t.ID, part); err != nil || stopped {
				return err
			}
		}
	}
	return db.Update(ctx, func(tx *storage.Tx) error {
		now, err := tx.Tasks.Get(t.ID)
		if err != nil || now.Status != storage.TaskExecuting {
			return err
		}
		now.Status, now.EndedAt, now.Total, now.Succeeded = storage.TaskSuccess, tx.Now(), rows, rows
		return tx.Tasks.Put(now)
	})
}

// appendOutput adds to a task's output, unless the task was stopped.
func appendOutput(ctx context.Context, db *storage.DB, id uint64, part []byte) (stopped bool, err error) {
	err = db.Update(ctx, func(tx *storage.Tx) error {
		t, err := tx.Tasks.Get(id)
		if rating.KindOf(err) == rating.NotFound || err == nil && t.Status != storage.TaskExecuting {
			stopped = true
			return nil
		}
		if err != nil {
			return err
		}
		return tx.WriteTaskFile(id, storage.TaskOutput, part)
	})
	return stopped, err
}

// rateCells writes a rate as a row of exportColumns.
func rateCells(tx *storage.Tx, d *rating.Deck, r *rating.Rate) ([]string, error) {
	view, err := rateDocument(tx, d, r)
	if err != nil {
		return nil, err
	}
	cells := make([]string, len(exportColumns))
	for i, key := range exportColumns {
		cells[i] = cell(view[key])
	}
	return cells, nil
}
