package storage

import "context"

// NoteJob appends one audit row for work that touched many rows in many transactions (R29).
func (db *DB) NoteJob(ctx context.Context, table, note string) error {
	return db.Update(ctx, func(tx *Tx) error { return tx.Note(table, 0, note) })
}
