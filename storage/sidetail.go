package storage

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// The newest entries of cdr.customer and cdr.vendor live in memory and are written sorted, many at a
// time: written with each commit they would touch a page per call, since calls that come together
// belong to many accounts (R9). Readers see bucket and memory as one.
//
// Nothing is lost by it: the ingest log tells after a crash which calls are not in the buckets yet.

// tailLimit is how many entries a side keeps in memory before they are written.
const tailLimit = 50_000

// indexedKey is where meta keeps the ingest sequence up to which every call is in the buckets.
const indexedKey = "indexed"

// sideTail is the entries in memory as one commit left them, immutable: runs of sorted keys, each at
// least twice as long as the next.
type sideTail struct {
	runs   [2][][]sideKey // by rating.Side
	size   int
	logged uint64 // the ingest log's last sequence then: it tells which state of the store this belongs to
}

// recentTails is how many of the last commits' tails a reader may still ask for. It asks right after
// its transaction began.
const recentTails = 64

// sideTails holds the newest tails, the current one last.
type sideTails struct {
	mu   sync.RWMutex
	list []*sideTail
}

func (s *sideTails) current() *sideTail {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.list[len(s.list)-1]
}

func (s *sideTails) publish(t *sideTail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.list) == recentTails {
		s.list = append(s.list[:0], s.list[1:]...)
	}
	s.list = append(s.list, t)
}

// publishWait bounds how long a reader waits for the tail of a commit that it sees. Only a commit that
// failed after it was written leaves none.
const (
	publishWait = time.Second
	publishPoll = 50 * time.Microsecond
)

// of returns the tail that belongs to the state of a transaction that just began, nil when there is
// none: then reloadTail makes one, or a newer state is read. A commit is visible as soon as it is
// written, before it is synced and its tail is published, so the newest one may have to be waited for.
func (s *sideTails) of(t kv.Txn) *sideTail {
	logged := lastLogged(t)
	for began := time.Now(); ; time.Sleep(publishPoll) {
		tail, newest := s.at(logged)
		if tail != nil || newest > logged || time.Since(began) > publishWait {
			return tail
		}
	}
}

// at returns the oldest tail of a state, and the newest state there is. The entries of an older tail
// that are in the buckets by now are seen once all the same.
func (s *sideTails) at(logged uint64) (tail *sideTail, newest uint64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if i := slices.IndexFunc(s.list, func(t *sideTail) bool { return t.logged == logged }); i >= 0 {
		tail = s.list[i]
	}
	return tail, s.list[len(s.list)-1].logged
}

var sideBuckets = [2]kv.Bucket{bCDRCustomer, bCDRVendor}

func compareSide(a, b sideKey) int {
	return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.id, b.id))
}

// with returns t and more sorted keys of both sides.
func (t *sideTail) with(more [2][]sideKey) *sideTail {
	next := &sideTail{size: t.size, logged: t.logged}
	for side := range more {
		runs := slices.Clone(t.runs[side])
		if run := slices.Clone(more[side]); len(run) > 0 {
			next.size += len(run)
			for len(runs) > 0 && len(runs[len(runs)-1]) < 2*len(run) {
				run = mergeSides(runs[len(runs)-1], run)
				runs = runs[:len(runs)-1]
			}
			runs = append(runs, run)
		}
		next.runs[side] = runs
	}
	return next
}

func mergeSides(a, b []sideKey) []sideKey {
	out := make([]sideKey, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if compareSide(a[0], b[0]) <= 0 {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// indexSides adds a batch's sorted keys: in memory while they are few, else everything is written. It
// comes after the calls were logged.
func (tx *Tx) indexSides(keys [2][]sideKey) error {
	next := tx.db.tails.current().with(keys)
	if next.size >= tailLimit {
		if err := tx.writeTail(next); err != nil {
			return err
		}
		next = &sideTail{}
	}
	next.logged = lastLogged(tx.Txn)
	tx.newTail = next // the next transaction goes on from it
	return nil
}

// writeTail writes the entries of t and notes that every logged call is in the buckets now.
func (tx *Tx) writeTail(t *sideTail) error {
	for side, runs := range t.runs {
		var all []sideKey
		for _, run := range runs {
			all = mergeSides(all, run)
		}
		if err := tx.putSides(sideBuckets[side], all); err != nil {
			return err
		}
	}
	return tx.Txn.Put(bMeta, []byte(indexedKey), kv.Key(nil).U64(lastLogged(tx.Txn)))
}

// loadTail reads at start which calls are not in the buckets yet.
func (db *DB) loadTail(ctx context.Context) error {
	return db.engine.View(ctx, func(t kv.Txn) error {
		tx := db.newTx(ctx, t)
		var keys [2][]sideKey
		err := tx.EachLogged(kv.ID(t.Get(bMeta, []byte(indexedKey)))+1, func(_ uint64, id rating.CDRID) (bool, error) {
			var v cdrView
			if err := v.open(id, t.Get(bCDR, kv.Key(nil).U64(uint64(id)))); err != nil {
				return true, nil // check names the row
			}
			for side, f := range [2]rating.CDRField{rating.CDRCustomerAccID, rating.CDRVendorAccID} {
				if account, ok := v.Int(f); ok && account != 0 {
					keys[side] = append(keys[side], sideKey{rating.AccountID(account), id})
				}
			}
			return true, nil
		})
		for side := range keys {
			slices.SortFunc(keys[side], compareSide)
			keys[side] = slices.Compact(keys[side])
		}
		tail := (&sideTail{}).with(keys)
		tail.logged = lastLogged(t)
		db.tails.publish(tail)
		return err
	})
}

// reloadTail makes the tail of the newest state while no writer is at work.
func (db *DB) reloadTail(ctx context.Context) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.loadTail(ctx)
}

// tailTxn is a transaction whose two call indexes include the entries in memory.
type tailTxn struct {
	kv.Txn
	tail *sideTail
}

// withTail returns t as readers want it.
func withTail(t kv.Txn, tail *sideTail) kv.Txn {
	if tail.size == 0 {
		return t
	}
	return &tailTxn{t, tail}
}

func (t *tailTxn) runs(b kv.Bucket) [][]sideKey {
	switch b {
	case bCDRCustomer:
		return t.tail.runs[rating.CustomerSide]
	case bCDRVendor:
		return t.tail.runs[rating.VendorSide]
	}
	return nil
}

// Get finds an entry of an index in memory too. Its value is empty there as in the bucket.
func (t *tailTxn) Get(b kv.Bucket, key []byte) []byte {
	if runs := t.runs(b); runs != nil && len(key) == 16 {
		for _, run := range runs {
			if _, ok := slices.BinarySearchFunc(run, sideKeyFrom(key), compareSide); ok {
				return []byte{}
			}
		}
	}
	return t.Txn.Get(b, key)
}

// Cursor walks bucket and memory as one.
func (t *tailTxn) Cursor(b kv.Bucket) kv.Cursor {
	c := t.Txn.Cursor(b)
	runs := t.runs(b)
	if len(runs) == 0 {
		return c
	}
	return &tailCursor{bucket: c, runs: runs, at: make([]int, len(runs))}
}

// sideKeyFrom reads a key, one that is too short as if zeros followed.
func sideKeyFrom(key []byte) sideKey {
	var b [16]byte
	copy(b[:], key)
	return sideKey{rating.AccountID(binary.BigEndian.Uint64(b[:])), rating.CDRID(binary.BigEndian.Uint64(b[8:]))}
}

// tailCursor merges a bucket's cursor with sorted runs. Going forward every source stands at the first
// entry after the current one, going backward at the last before it.
type tailCursor struct {
	bucket   kv.Cursor
	runs     [][]sideKey
	k        []byte // where the bucket stands, nil for nowhere
	at       []int  // where each run stands
	current  sideKey
	on       bool // current is an entry
	backward bool
}

// emit makes the nearest of what the sources stand at the current entry.
func (c *tailCursor) emit() ([]byte, []byte) {
	found := false
	var best sideKey
	offer := func(k sideKey) {
		if !found || (compareSide(k, best) < 0) != c.backward && k != best {
			best, found = k, true
		}
	}
	if c.k != nil {
		offer(sideKeyFrom(c.k))
	}
	for i, run := range c.runs {
		if c.at[i] >= 0 && c.at[i] < len(run) {
			offer(run[c.at[i]])
		}
	}
	c.current, c.on = best, found
	if !found {
		return nil, nil
	}
	return best.bytes(), []byte{}
}

func (k sideKey) bytes() []byte {
	return kv.Key(make([]byte, 0, 16)).U64(uint64(k.account)).U64(uint64(k.id))
}

// Seek goes to the first entry at or after key.
func (c *tailCursor) Seek(key []byte) ([]byte, []byte) {
	c.backward = false
	c.k, _ = c.bucket.Seek(key)
	want := sideKeyFrom(key)
	for i, run := range c.runs {
		at, equal := slices.BinarySearchFunc(run, want, compareSide)
		if equal && len(key) > 16 {
			at++
		}
		c.at[i] = at
	}
	return c.emit()
}

// First goes to the first entry.
func (c *tailCursor) First() ([]byte, []byte) { return c.Seek(nil) }

// Last goes to the last entry.
func (c *tailCursor) Last() ([]byte, []byte) {
	c.backward = true
	c.k, _ = c.bucket.Last()
	for i, run := range c.runs {
		c.at[i] = len(run) - 1
	}
	return c.emit()
}

// Next goes to the entry after the current one.
func (c *tailCursor) Next() ([]byte, []byte) {
	switch {
	case !c.on && c.backward:
		return c.First() // bbolt's cursor too stands before the first
	case !c.on:
		return nil, nil
	case c.backward:
		c.Seek(c.current.bytes())
	}
	for c.k != nil && compareSide(sideKeyFrom(c.k), c.current) <= 0 {
		c.k, _ = c.bucket.Next()
	}
	for i, run := range c.runs {
		for c.at[i] < len(run) && compareSide(run[c.at[i]], c.current) <= 0 {
			c.at[i]++
		}
	}
	return c.emit()
}

// Prev goes to the entry before the current one; past the end that is the last one.
func (c *tailCursor) Prev() ([]byte, []byte) {
	switch {
	case !c.on && !c.backward:
		return c.Last()
	case !c.on:
		return nil, nil
	case !c.backward:
		c.turn()
	}
	for c.k != nil && compareSide(sideKeyFrom(c.k), c.current) >= 0 {
		c.k, _ = c.bucket.Prev()
	}
	for i, run := range c.runs {
		for c.at[i] >= 0 && compareSide(run[c.at[i]], c.current) >= 0 {
			c.at[i]--
		}
	}
	return c.emit()
}

// turn makes every source stand at or before the current entry, to go backward.
func (c *tailCursor) turn() {
	c.backward = true
	if c.k, _ = c.bucket.Seek(c.current.bytes()); c.k == nil {
		c.k, _ = c.bucket.Last()
	}
	for i, run := range c.runs {
		c.at[i], _ = slices.BinarySearchFunc(run, c.current, compareSide)
		c.at[i] = min(c.at[i], len(run)-1)
	}
}
