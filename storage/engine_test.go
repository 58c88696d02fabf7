package storage

import (
	"context"

	"billd/storage/bolt"
	"billd/storage/journal"
	"billd/storage/kv"
)

// openEngine opens what a store works on as the server's wiring does: a journal before the file.
func openEngine(path string, o bolt.Options) (kv.Engine, error) {
	e, err := bolt.Open(path, o)
	if err != nil {
		return nil, err
	}
	return journal.Open(context.Background(), e, journal.Options{Path: path + ".journal", Mark: MetaBucket, NoSync: o.NoSync})
}
