package bolt

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"billd/storage/kv"

	"go.etcd.io/bbolt"
)

// Engine is an open store. Its methods may be called from many goroutines.
type Engine struct {
	path    string
	o       Options
	commits atomic.Int64

	writer chan struct{} // holds one token while Update, Check, Compact or Close is at work
	failed error         // why no more can be written; under writer

	mu sync.RWMutex // over h, and held no longer than a transaction takes to begin
	h  *handle      // nil when closed; changes under writer and mu
}

var _ kv.Engine = (*Engine)(nil)

func (e *Engine) lock(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case e.writer <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if e.h == nil {
		e.unlock()
		return errClosed
	}
	return nil
}

func (e *Engine) unlock() { <-e.writer }

// begin starts a read transaction; the caller ends it with the handle's end.
func (e *Engine) begin(ctx context.Context) (*handle, *bbolt.Tx, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.h == nil {
		return nil, nil, errClosed
	}
	tx, err := e.h.db.Begin(false)
	if err != nil {
		return nil, nil, err
	}
	e.h.readers.Add(1)
	return e.h, tx, nil
}

func (h *handle) end(tx *bbolt.Tx) {
	_ = tx.Rollback() // fails only if it was ended before
	h.readers.Done()
}

// close waits for the readers of a file that no new one can find any more, and lets go of it.
//
// bbolt waits too, but with a lock that a reader needs to end: two in one goroutine would hang.
func (h *handle) close() error {
	h.readers.Wait()
	return h.db.Close()
}

// View runs fn over the state as it is now. ctx is asked before fn starts, not afterwards.
//
// A page that the disk cannot read any more, or that a damaged one points to, is a panic of this
// goroutine in View and Update, and not the end of the process.
func (e *Engine) View(ctx context.Context, fn func(kv.Txn) error) error {
	h, tx, err := e.begin(ctx)
	if err != nil {
		return err
	}
	defer h.end(tx)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	return fn(newTxn(tx, &e.o))
}

// Update runs fn and commits what it wrote, or nothing of it if fn fails or panics.
//
// ctx ends the wait for other writers; once fn has started it is not asked again. After a failed
// commit the old state stands and the next Update may succeed, as on a disk that was full. Only if the disk may hold the
// new state although it reported a fault do all further Updates fail.
func (e *Engine) Update(ctx context.Context, fn func(kv.Txn) error) error {
	if err := e.lock(ctx); err != nil {
		return err
	}
	defer e.unlock()
	if e.failed != nil {
		return e.failed
	}
	tx, err := e.h.db.Begin(true)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after a commit
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	if err := fn(newTxn(tx, &e.o)); err != nil {
		return err
	}
	id := tx.ID()
	if err := tx.Commit(); err != nil {
		return e.failedCommit(id, err)
	}
	e.commits.Add(1)
	return nil
}

// Stage is Update: a commit has no step that another could begin behind.
func (e *Engine) Stage(ctx context.Context, fn func(kv.Txn) error) (wait func() error, err error) {
	return func() error { return nil }, e.Update(ctx, fn)
}

// Bulk is Update: every commit goes straight to the file.
func (e *Engine) Bulk(ctx context.Context, fn func(kv.Txn) error) error { return e.Update(ctx, fn) }

// failedCommit tells whether transaction id can be seen although its commit failed.
//
// If so, nobody knows which of the two states the next start finds, and no commit may build on it.
func (e *Engine) failedCommit(id int, cause error) error {
	cause = fmt.Errorf("commit: %w", cause)
	tx, err := e.h.db.Begin(false)
	if err != nil {
		e.failed = fmt.Errorf("store takes no more writes until it is opened again: %w", cause)
		return e.failed
	}
	defer tx.Rollback()
	if tx.ID() >= id {
		e.failed = fmt.Errorf("store takes no more writes until it is opened again: %w", cause)
		return e.failed
	}
	return cause
}

// Backup writes to w a store that Open can read, as the state is now, and returns its length in bytes.
//
// Writers and readers go on, but pages that are freed meanwhile are used again only afterwards: w should be fast. ctx is
// asked before each piece of 32 KiB; a w that hangs is not interrupted.
func (e *Engine) Backup(ctx context.Context, w io.Writer) (int64, error) {
	h, tx, err := e.begin(ctx)
	if err != nil {
		return 0, err
	}
	defer h.end(tx)
	n, err := tx.WriteTo(writerUntil{ctx, w})
	if ctx.Err() != nil {
		return n, ctx.Err() // bbolt does not wrap what the writer said
	}
	return n, err
}

// writerUntil fails as soon as its context has ended.
type writerUntil struct {
	ctx context.Context
	w   io.Writer
}

func (w writerUntil) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.w.Write(p)
}

// Check walks all pages and reports each fault to fault: pages that are lost, used twice or unreadable, keys out of order.
// It fails only if the walk could not be done. Writers wait meanwhile; readers go on.
func (e *Engine) Check(ctx context.Context, fault func(error)) error {
	if err := e.lock(ctx); err != nil {
		return err
	}
	defer e.unlock()
	// bbolt compares the tree with its list of free pages, which a commit would change meanwhile.
	tx, err := e.h.db.Begin(true)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	// First with bounds: a page number beyond the file would end the process in bbolt's check.
	hd, err := readHeader(e.h.file)
	if err == nil {
		err = (&walk{header: hd, file: e.h.file}).run(ctx)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		fault(err)
		return nil
	}
	for err := range tx.Check() { // to its end, since its goroutine reads the transaction
		if ctx.Err() == nil {
			fault(err)
		}
	}
	return ctx.Err()
}

// Stats is cheap: one fstat, no walk. It is zero once the store is closed.
func (e *Engine) Stats() kv.Stats {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.h == nil {
		return kv.Stats{}
	}
	st := e.h.db.Stats()
	s := kv.Stats{
		FreeSize: int64(st.FreePageN+st.PendingPageN) * int64(e.h.db.Info().PageSize),
		Commits:  e.commits.Load(),
	}
	if info, err := e.h.file.Stat(); err == nil {
		s.FileSize = info.Size()
	}
	return s
}

// Close waits for all transactions and lets go of the file. A second Close does nothing.
func (e *Engine) Close() error {
	e.writer <- struct{}{}
	defer e.unlock()
	e.mu.Lock()
	h := e.h
	e.h = nil
	e.mu.Unlock()
	if h == nil {
		return nil
	}
	return h.close()
}
