package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"

	"billd/storage/kv"

	"go.etcd.io/bbolt"
)

const (
	copyChunk  = 512 << 10 // bytes of rows a commit while copying: bounds the memory it takes
	rowWeight  = 16        // bytes that bbolt keeps beside a row
	copiedFill = 0.9       // of a page, in buckets without a FillPercent: room for a few insertions
)

// Compact writes the rows to a new file without free pages and puts it in the place of the old.
//
// Writers wait until that is done; readers go on, those that began before on the old file, which
// goes when the last of them ends; for that Compact waits. progress, which may be nil, is called
// after each 512 KiB or so with bytes of rows. Cancelling ctx during the copy, a failure or a crash
// leave the old file as it was. It needs free space of the size of the new file. Mode and, where
// allowed, owner of the file are kept.
func (e *Engine) Compact(ctx context.Context, progress func(done, total int64)) error {
	old, err := e.swap(ctx, progress)
	if old != nil {
		err = errors.Join(err, old.close())
	}
	if err != nil {
		return fmt.Errorf("compact: %w", err)
	}
	return nil
}

// swap puts a copy in the place of the open file and returns the old one, still open, or nil if it stays in use.
func (e *Engine) swap(ctx context.Context, progress func(done, total int64)) (*handle, error) {
	if err := e.lock(ctx); err != nil {
		return nil, err
	}
	defer e.unlock()
	if e.failed != nil {
		return nil, e.failed
	}
	old := e.h
	h, err := replace(e.path, e.o, func(h *handle) error {
		if err := copyOwner(h.file, old.file); err != nil {
			return err
		}
		tx, err := old.db.Begin(false)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		st := old.db.Stats()
		free := int64(st.FreePageN+st.PendingPageN) * int64(old.db.Info().PageSize)
		c := copier{ctx: ctx, from: tx, to: h.db, o: &e.o, progress: progress, total: max(tx.Size()-free, 0)}
		return c.run()
	})
	if h == nil {
		return nil, err
	}
	if err != nil {
		e.failed = fmt.Errorf("store takes no more writes until it is opened again: %w", err)
	}
	e.mu.Lock()
	e.h = h
	e.mu.Unlock()
	return old, err
}

func copyOwner(to, from *os.File) error {
	info, err := from.Stat()
	if err != nil {
		return err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		_ = to.Chown(int(st.Uid), int(st.Gid)) // only root may, and only root has to
	}
	return to.Chmod(info.Mode().Perm())
}

type copier struct {
	ctx         context.Context
	from        *bbolt.Tx
	to          *bbolt.DB
	o           *Options
	progress    func(done, total int64)
	done, total int64
}

func (c *copier) run() error {
	err := c.from.ForEach(func(name []byte, b *bbolt.Bucket) error {
		err := c.to.Update(func(tx *bbolt.Tx) error {
			n, err := tx.CreateBucket(name)
			if err != nil {
				return err
			}
			return n.SetSequence(b.Sequence())
		})
		if err != nil {
			return err
		}
		return c.bucket(name, b.Cursor())
	})
	if err == nil && c.progress != nil {
		c.progress(c.total, c.total)
	}
	return err
}

// bucket copies the rows of rows, a chunk a commit, in key order.
func (c *copier) bucket(name []byte, rows *bbolt.Cursor) error {
	fill := copiedFill
	if i := slices.Index(c.o.Buckets, string(name)); i >= 0 && c.o.FillPercent[kv.Bucket(i)] > 0 {
		fill = c.o.FillPercent[kv.Bucket(i)]
	}
	for k, v := rows.First(); k != nil; {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		err := c.to.Update(func(tx *bbolt.Tx) error {
			b := tx.Bucket(name)
			b.FillPercent = fill
			for size := 0; k != nil && size < copyChunk; k, v = rows.Next() {
				if v == nil {
					return fmt.Errorf("bucket %s: a bucket within it, want rows only", name)
				}
				if err := b.Put(k, v); err != nil {
					return err
				}
				n := len(k) + len(v) + rowWeight
				size += n
				c.done += int64(n)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if c.progress != nil {
			c.progress(min(c.done, c.total), c.total)
		}
	}
	return nil
}
