package ops

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"billd/server/courier"
	"billd/storage"
	"billd/storage/bolt"
	"billd/storage/journal"
)

// StoreName is the store's file in the data directory.
const StoreName = "billd.db"

// journalName begins the names of the files that hold, while the store is open and after a crash, what
// its file does not have yet.
const journalName = "billd.journal"

// Env is what commands work on. The server fills one when it has opened the store, and the command
// line one when it opened the store itself; each call gets a copy of its own.
type Env struct {
	DB      *storage.DB
	Dir     string       // the data directory
	Version string       // of this binary, as `billd version` names it
	Actor   string       // who asks, for the audit trail: "uid 1000"
	Log     *slog.Logger // for the operator of the server, never for who asks

	// Access, Queue and Auths are the running server's; a command that opened the store itself has none.
	Access *Access
	Queue  *storage.Ingest
	Auths  *storage.AuthQueue

	// Senders are who has sent RADIUS packets to the running server, nil without one.
	Senders *Senders

	// Courier carries messages out; nil is one that is made for the occasion.
	Courier *courier.Courier
}

// courier returns what carries messages out; it is not kept, because copies of an Env are read at the same time.
func (e *Env) courier() *courier.Courier {
	if e.Courier != nil {
		return e.Courier
	}
	return courier.New(courier.Options{Agent: "billd/" + e.Version})
}

// access returns what signs and hashes, opened on first use when no server brought it.
func (e *Env) access(ctx context.Context) (*Access, error) {
	if e.Access == nil {
		a, err := OpenAccess(ctx, e.Dir, e.DB)
		if err != nil {
			return nil, err
		}
		e.Access = a
	}
	return e.Access, nil
}

// OpenStore opens the store in dir, for the server and for a command that found no server. It makes
// directory and store, both private to their owner, where there are none.
//
// Fails with an error that wraps kv.ErrHeld while another process has the store open. The caller closes the store.
func OpenStore(ctx context.Context, dir string) (*storage.DB, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	engine, err := bolt.Open(filepath.Join(dir, StoreName), bolt.Options{
		Buckets: storage.BucketNames(), FillPercent: storage.FillPercents(),
	})
	if err != nil {
		return nil, err
	}
	journalled, err := journal.Open(ctx, engine, journal.Options{Path: filepath.Join(dir, journalName), Mark: storage.MetaBucket})
	if err != nil {
		return nil, err
	}
	return storage.Open(ctx, journalled, storage.Options{})
}

// StoreExists fails with a sentence for the operator if dir has no store.
func StoreExists(dir string) error {
	_, err := os.Stat(filepath.Join(dir, StoreName))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: no store there, `billd serve` or an import makes one; --dir names another directory", dir)
	}
	return err
}
