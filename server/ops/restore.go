package ops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"billd/storage"
	"billd/storage/bolt"
	"billd/storage/journal"
	"billd/storage/kv"
)

// Restored says what a restore did.
type Restored struct {
	Bytes  int64    `json:"bytes"`
	Kept   string   `json:"kept,omitempty"` // the name that the store before has now, "" when there was none
	Faults []string `json:"faults"`         // of the backup; with any nothing was changed
}

// Restore puts a backup in the place of dir's store. It opens files itself and is no Command: it
// runs only in the process of who asks, and never while a server does.
//
// The backup is copied beside the store, opened and checked in full; only a sound one is put in its place, in
// one step, and the store before stays as billd.db.before-restore-TIME. A crash leaves one of the
// two. Faults are not an error: they are in the answer. Fails with an error that wraps kv.ErrHeld
// while another process has the store open, and with a sentence if the file is no backup.
func Restore(ctx context.Context, dir string, backup io.Reader, o *IO) (r Restored, err error) {
	own := o.filled()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return r, err
	}
	path := filepath.Join(dir, StoreName)
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // a link stays a link
	}
	if err := finishJournal(ctx, dir); err != nil {
		return r, err
	}
	held, err := bolt.Hold(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	if held != nil {
		defer held.Close()
	}
	beside, err := os.MkdirTemp(filepath.Dir(path), ".restore-*")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(beside)
	fresh := filepath.Join(beside, StoreName)
	if r.Bytes, err = copyBackup(ctx, fresh, backup, own.Progress); err != nil {
		return r, err
	}
	if r.Faults, err = proveBackup(ctx, fresh); err != nil || len(r.Faults) > 0 {
		return r, err
	}
	if err := ctx.Err(); err != nil {
		return r, err
	}
	if held != nil {
		r.Kept = StoreName + ".before-restore-" + time.Now().UTC().Format("20060102T150405Z")
		if err := os.Link(path, filepath.Join(filepath.Dir(path), r.Kept)); err != nil {
			return r, fmt.Errorf("the store cannot be kept as %s: %w", r.Kept, errors.Unwrap(err))
		}
		err = os.Rename(fresh, path)
	} else {
		err = os.Link(fresh, path) // fails if a store was made meanwhile
	}
	if err != nil {
		return r, fmt.Errorf("%s: cannot be put in its place: %w", StoreName, errors.Unwrap(err))
	}
	return r, syncDir(filepath.Dir(path))
}

func copyBackup(ctx context.Context, to string, backup io.Reader, report func(done, total int64, what string)) (n int64, err error) {
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	n, err = io.Copy(&counted{w: f, report: report}, UntilDone(ctx, backup))
	if err != nil {
		return n, err
	}
	if err := f.Sync(); err != nil {
		return n, err
	}
	return n, f.Close()
}

// proveBackup opens a copy of a backup as a server would and checks it in full.
func proveBackup(ctx context.Context, path string) (faults []string, err error) {
	engine, err := bolt.Open(path, bolt.Options{Buckets: storage.BucketNames(), FillPercent: storage.FillPercents()})
	if err != nil {
		return nil, fmt.Errorf("not a backup of a store: %s", strings.TrimPrefix(err.Error(), StoreName+": "))
	}
	// What a crash of the store before left in its journal is not for this one.
	if err := journal.Remark(ctx, engine, storage.MetaBucket); err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	db, err := storage.Open(ctx, engine, storage.Options{Existing: true})
	if err != nil {
		return nil, fmt.Errorf("not a backup of a store: %w", err)
	}
	err = db.Check(ctx, true, func(f string) { faults = append(faults, f) })
	return faults, errors.Join(err, db.Close())
}

// finishJournal brings the store that is to be replaced up to date, so that the copy that is kept is
// whole. A store that cannot be opened is kept as it is: it may be what the restore is for.
func finishJournal(ctx context.Context, dir string) error {
	if left, _ := filepath.Glob(filepath.Join(dir, journalName+"-*")); len(left) == 0 {
		return nil
	}
	db, err := OpenStore(ctx, dir)
	if err == nil {
		err = db.Close()
	}
	if errors.Is(err, kv.ErrHeld) {
		return err
	}
	return nil
}

func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
