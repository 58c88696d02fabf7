package kazoo

import (
	"context"

	"billd/storage"
)

const (
	smallTask   = 1_000  // rows: such a task is done before the PATCH that starts it answers (contract 11.5)
	exportChunk = 20_000 // rates read in one transaction
)

// isSmall reports whether a task is done while its client waits.
func (a *API) isSmall(t *storage.Task) bool {
	if t.Action != "export" {
		return t.Total <= smallTask
	}
	rates, _ := a.db.Catalog().Rates()
	return rates <= smallTask
}

// RunTasks does the tasks that were started and have not ended, one after the other. What a crash
// interrupted begins anew: a task's changes and its end are one transaction.
func RunTasks(ctx context.Context, db *storage.DB) (done int, err error) {
	var ids []uint64
	err = db.View(ctx, func(tx *storage.Tx) error {
		ids = tx.StartedTasks()
		return nil
	})
	for _, id := range ids {
		if err != nil || ctx.Err() != nil {
			break
		}
		if err = runTask(ctx, db, id); err == nil {
			done++
		}
	}
	return done, err
}

// runTask does a task. What is wrong with its rows is told in its output, not returned.
func runTask(ctx context.Context, db *storage.DB, id uint64) error {
	var t *storage.Task
	var input []byte
	err := db.View(ctx, func(tx *storage.Tx) (err error) {
		if t, err = tx.Tasks.Get(id); err != nil {
			return err
		}
		input, err = tx.ReadTaskFile(id, storage.TaskInput)
		return err
	})
	if err != nil {
		return err
	}
	if t.Action == "export" {
		return exportRates(ctx, db, t)
	}
	w, err := newRateWork(t, input)
	if err == nil {
		err = db.Update(ctx, func(tx *storage.Tx) error { return w.apply(tx) })
	}
	if f, known := asFailure(err); err != nil && known && ctx.Err() == nil {
		return endTask(ctx, db, id, f.message) // another import of the deck runs, or the input is damaged
	}
	return err
}

// endTask ends a task that came to nothing.
func endTask(ctx context.Context, db *storage.DB, id uint64, why string) error {
	return db.Update(ctx, func(tx *storage.Tx) error {
		t, err := tx.Tasks.Get(id)
		if err != nil || t.Status != storage.TaskExecuting {
			return err
		}
		t.Status, t.EndedAt, t.Error, t.Failed = storage.TaskFailure, tx.Now(), why, t.Total
		return tx.Tasks.Put(t)
	})
}
