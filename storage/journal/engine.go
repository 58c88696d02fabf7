package journal

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"billd/storage/kv"
)

// When a checkpoint is made, and when Updates wait for one. Bytes are of the journal.
const (
	gatherTime = time.Second // after the first write that it holds
	gatherSize = 16 << 20
	waitSize   = 64 << 20
	retryTime  = time.Second // after a failed one
)

var errClosed = errors.New("store is closed")

// Options says where the journal is.
type Options struct {
	// Path begins the names of its files: Path-a and Path-b.
	Path string
	// Mark is the bucket where the store keeps, under the key "journal", which state it is.
	Mark kv.Bucket
	// NoSync leaves out the sync of each Update: for tests and benchmarks only.
	NoSync bool
}

var markKey = []byte("journal")

// state is what a View sees over the store.
type state struct {
	layers layers // [0] is being written to, [1] on its way to the store
	// turn counts the moments from which the store may hold what older states have not: then a View
	// that took its state before and its look at the store afterwards begins anew.
	turn uint64
}

// Engine is a store with a journal before it. Its methods may be called from many goroutines.
type Engine struct {
	inner kv.Engine
	o     Options

	applying chan struct{} // holds one token during a checkpoint, Bulk, Backup's flush or Close; taken before writer
	writer   chan struct{} // holds one token while an Update decides what it writes
	syncing  chan struct{} // holds one token while a record is written and synced
	state    atomic.Pointer[state]

	// under writer
	segments [2]*segment // [0] takes records, [1] is free or holds what is being applied
	head     *state      // what the next Update goes on from: the durable state and what is staged
	newest   *staged     // the last one there was
	closed   bool
	last     int // size of the last record, to guess the next

	joined []byte // under syncing: the record of a group

	timer   *time.Timer // of the next checkpoint
	commits atomic.Int64

	mu     sync.Mutex
	queue  []*staged // to be synced
	failed error     // why no more can be written
	fault  error     // of the last checkpoint
}

var _ kv.Engine = (*Engine)(nil)

// Open takes over inner and replays what a crash left in the journal. Close closes inner too, and so does
// a failing Open.
func Open(ctx context.Context, inner kv.Engine, o Options) (*Engine, error) {
	e := &Engine{inner: inner, o: o, applying: make(chan struct{}, 1), writer: make(chan struct{}, 1), syncing: make(chan struct{}, 1)}
	for i, name := range []string{"-a", "-b"} {
		e.segments[i] = &segment{path: o.Path + name, noSync: o.NoSync}
	}
	mark, err := e.replay(ctx)
	if err == nil {
		err = e.restart(mark)
	}
	if err != nil {
		return nil, errors.Join(err, inner.Close())
	}
	e.show(&state{layers: layers{newMemory()}})
	e.timer = time.AfterFunc(time.Hour, e.onTime)
	e.timer.Stop()
	return e, nil
}

// replay writes to the store the segments that follow on its state, and returns the mark of its new state.
func (e *Engine) replay(ctx context.Context) (mark uint64, err error) {
	err = e.inner.View(ctx, func(t kv.Txn) error {
		if b := t.Get(e.o.Mark, markKey); len(b) == 8 {
			mark = binary.LittleEndian.Uint64(b)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	var found [2]stored
	for i, s := range e.segments {
		if found[i], err = readSegment(s.path); err != nil {
			return 0, fmt.Errorf("%s: %w", filepath.Base(s.path), err)
		}
	}
	for range found {
		for i, s := range found {
			if s.after != mark {
				continue
			}
			if s.damage != nil {
				return 0, fmt.Errorf("%s: %w", filepath.Base(e.segments[i].path), s.damage)
			}
			if len(s.ops) == 0 {
				continue
			}
			err := e.inner.Update(ctx, func(t kv.Txn) error {
				for _, ops := range s.ops {
					err := eachOp(ops, func(b kv.Bucket, key, value []byte) error {
						if value == nil {
							return t.Delete(b, key)
						}
						return t.Put(b, key, value)
					})
					if err != nil {
						return err
					}
				}
				return putMark(t, e.o.Mark, s.id)
			})
			if err != nil {
				return 0, fmt.Errorf("replaying the journal: %w", err)
			}
			mark = s.id
		}
	}
	return mark, nil
}

func putMark(t kv.Txn, b kv.Bucket, mark uint64) error {
	return t.Put(b, markKey, binary.LittleEndian.AppendUint64(nil, mark))
}

// newMark returns a mark that no state had before.
func newMark() (uint64, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(b[:]) | 1, nil // never 0, the mark of a store that never had one
}

// Remark makes a store that takes the place of another one ignore that one's journal.
func Remark(ctx context.Context, e kv.Engine, mark kv.Bucket) error {
	m, err := newMark()
	if err != nil {
		return err
	}
	return e.Update(ctx, func(t kv.Txn) error { return putMark(t, mark, m) })
}

// restart makes the segment that takes records an empty one after the state with a mark.
func (e *Engine) restart(mark uint64) error {
	id, err := newMark()
	if err != nil {
		return err
	}
	e.segments[0].start(id, mark)
	return nil
}

func lock(ctx context.Context, c chan struct{}) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case c <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lockWriter locks the writer of an open engine.
func (e *Engine) lockWriter(ctx context.Context) error {
	if err := lock(ctx, e.writer); err != nil {
		return err
	}
	if e.closed {
		<-e.writer
		return errClosed
	}
	return nil
}

// View runs fn over the state as it is now. ctx is asked before fn starts, not afterwards.
func (e *Engine) View(ctx context.Context, fn func(kv.Txn) error) error {
	for {
		s := e.state.Load()
		again := false
		err := e.inner.View(ctx, func(t kv.Txn) error {
			if again = e.state.Load().turn != s.turn; again {
				return nil
			}
			if s.layers.empty() {
				return fn(t)
			}
			return fn(&txn{base: t, layers: s.layers})
		})
		if !again {
			return err
		}
	}
}

// lockWithRoom locks the writer when the journal is not too far ahead of the store.
func (e *Engine) lockWithRoom(ctx context.Context) error {
	for {
		if err := e.lockWriter(ctx); err != nil {
			return err
		}
		if e.head.layers[0].size < waitSize {
			return nil
		}
		<-e.writer
		if err := e.checkpoint(ctx); err != nil {
			return err
		}
	}
}

// Bulk runs fn straight on the store and commits what it wrote, or nothing of it. It is for
// transactions of thousands of rows; Updates wait meanwhile.
func (e *Engine) Bulk(ctx context.Context, fn func(kv.Txn) error) error {
	if err := lock(ctx, e.applying); err != nil {
		return err
	}
	defer func() { <-e.applying }()
	if err := e.lockWriter(ctx); err != nil {
		return err
	}
	defer func() { <-e.writer }()
	if err := e.drain(); err != nil {
		return err
	}
	if err := e.flush(ctx); err != nil {
		return err
	}
	mark, err := newMark()
	if err != nil {
		return err
	}
	err = e.inner.Update(ctx, func(t kv.Txn) error {
		if err := fn(t); err != nil {
			return err
		}
		return putMark(t, e.o.Mark, mark)
	})
	if err != nil {
		return err
	}
	e.commits.Add(1)
	return e.restart(mark)
}

// Backup writes to w a store that the inner engine can open, as the state is now.
func (e *Engine) Backup(ctx context.Context, w io.Writer) (int64, error) {
	if err := e.Flush(ctx); err != nil {
		return 0, err
	}
	return e.inner.Backup(ctx, w)
}

// Compact rewrites the store without its free pages. Updates go on until the journal is full.
func (e *Engine) Compact(ctx context.Context, progress func(done, total int64)) error {
	if err := e.Flush(ctx); err != nil {
		return err
	}
	return e.inner.Compact(ctx, progress)
}

// Check runs the inner engine's check.
func (e *Engine) Check(ctx context.Context, fault func(error)) error {
	if err := e.Flush(ctx); err != nil {
		return err
	}
	return e.inner.Check(ctx, fault)
}

// Stats counts an Update as a commit. FileSize is that of the store's own file.
func (e *Engine) Stats() kv.Stats {
	st := e.inner.Stats()
	st.Commits = e.commits.Load()
	for _, m := range e.state.Load().layers {
		if m != nil {
			st.JournalSize += m.size
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	st.JournalFault = e.fault
	return st
}

// Close waits for all transactions, brings the store up to date, removes the journal and closes the
// inner engine. If the store cannot be written the journal stays. A second Close does nothing.
func (e *Engine) Close() error {
	e.applying <- struct{}{}
	defer func() { <-e.applying }()
	e.writer <- struct{}{}
	defer func() { <-e.writer }()
	if e.closed {
		return nil
	}
	e.closed = true
	e.timer.Stop()
	lost := e.drain()
	err := e.flush(context.Background())
	for _, s := range e.segments {
		if err == nil && lost == nil {
			err = s.remove()
		}
		s.close()
	}
	return errors.Join(err, e.inner.Close())
}
