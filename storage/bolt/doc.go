// Package bolt is the engine that keeps a store in one bbolt file. It implements kv.Engine.
//
//	db, err := bolt.Open("billd.db", bolt.Options{Buckets: []string{"rate", "cdr"}})
//	if errors.Is(err, kv.ErrHeld) {
//		// another process has it: speak to that process
//	}
//	defer db.Close()
//	err = db.Update(ctx, func(tx kv.Txn) error { return tx.Put(0, key, value) })
//
// What a caller has to know:
//
//   - Put copies the key and keeps the value until the commit, so a value buffer is not used again
//     inside one Update. Slices handed out die with their transaction.
//   - After a Put or Delete in a bucket, its cursors are repositioned with Seek before Next or Prev.
//     After Seek found nothing at or after its key, Prev is the last row.
//   - A long View, a Backup among them, pins the pages it can see: what is freed meanwhile is not used
//     again until it ends, and the file grows. Long reads work in pages and seek again.
//   - Update inside View in one goroutine hangs as soon as the file must be mapped anew. It cannot be
//     detected cheaply, so it is forbidden always; so is View inside View while another goroutine
//     writes. Options.Headroom makes such a mapping rare.
//     Update, Check, Compact or Close inside Update hang at once.
//   - Compact and Check hold writers up for as long as they run, and readers not at all. Compact
//     returns when the last reader of the old file has gone, so it is not called inside a View.
//
// One process owns the file, by a lock on it (flock); it is why the package builds on Unix only. A
// new file, the first one as well as a compacted one, is written and locked under the name FILE.new, synced, and only then
// renamed: a crash leaves the old file or the new one whole, and no other process finds a moment
// in which the store is free. A FILE.new that a crash left behind is removed by the next Open.
//
// The list of free pages is written with each commit, so that an Open after a crash need not read the
// whole tree to find them: of 5 GB that took a minute and a half when the file was not in memory. It costs 8 bytes a
// free page and commit, and commits are few: the journal gathers them. A file without the list, of an
// older billd, is read and checked whole once.
//
// It imports storage/kv and bbolt, and is the only package that names bbolt.
package bolt
