package kv

import (
	"context"
	"errors"
	"io"
)

// ErrHeld says that another process has the store open.
var ErrHeld = errors.New("store is held by another process")

// Bucket is a bucket's place in the list of names that the engine was opened with.
type Bucket uint8

// Txn is one transaction over ordered buckets.
//
// Slices that it hands out are valid until the transaction ends and must not be changed. Keys and
// values given to Put are copied or kept until commit: the caller must not change them meanwhile.
// A write in a read transaction fails.
type Txn interface {
	Get(b Bucket, key []byte) []byte
	Put(b Bucket, key, value []byte) error
	Delete(b Bucket, key []byte) error
	Cursor(b Bucket) Cursor
	Writable() bool
}

// Cursor walks one bucket in key order. At either end key is nil.
type Cursor interface {
	Seek(key []byte) (k, v []byte) // first key at or after key
	Next() (k, v []byte)
	Prev() (k, v []byte)
	First() (k, v []byte)
	Last() (k, v []byte)
}

// Engine is an open store. One Update runs at a time; a View sees one state throughout.
//
// An Update's closure may be run again by another engine, so it has no effect but on its Txn.
// Calling Update inside a View of the same goroutine is a deadlock and forbidden.
type Engine interface {
	View(ctx context.Context, fn func(Txn) error) error
	Update(ctx context.Context, fn func(Txn) error) error
	// Stage is Update up to what makes it durable, which wait ends: the next Update sees what this one
	// wrote and may begin before. A View sees it when it is durable. wait must be called; if it fails
	// all Updates do from then on.
	Stage(ctx context.Context, fn func(Txn) error) (wait func() error, err error)
	// Bulk is an Update of thousands of rows.
	Bulk(ctx context.Context, fn func(Txn) error) error
	// Backup streams a consistent copy that Open can read.
	Backup(ctx context.Context, w io.Writer) (int64, error)
	// Compact rewrites the store without its free pages; work goes on before and after, and waits during the swap.
	Compact(ctx context.Context, progress func(done, total int64)) error
	// Check runs the engine's own consistency check and reports each fault.
	Check(ctx context.Context, fault func(error)) error
	Stats() Stats
	Close() error
}

// Stats says how large the store is. Sizes are bytes.
type Stats struct {
	FileSize int64 // the file as it lies on the disk
	FreeSize int64 // of it, pages that hold nothing
	Commits  int64 // since the store was opened

	JournalSize  int64 // durable, and not in the file yet
	JournalFault error // why the last attempt to bring it there failed
}
