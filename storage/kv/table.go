package kv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrNotFound says that a table has no row of that number.
var ErrNotFound = errors.New("no such row")

// TakenError says that another row holds a unique key.
type TakenError struct {
	Table, Field string
	By           uint64 // the row that holds it
}

// Error returns the sentence.
func (e *TakenError) Error() string {
	return fmt.Sprintf("%s: %s is already taken by %d", e.Table, e.Field, e.By)
}

// Unique is a key that at most one row may have. A nil key is none.
type Unique[T any] struct {
	Bucket Bucket
	Field  string
	Key    func(*T) []byte
}

// Index finds rows by a key that many may share; the row number is appended to it.
type Index[T any] struct {
	Bucket Bucket
	Keys   func(*T) [][]byte
}

// Table says how values of T are kept. It is data: it holds no transaction.
type Table[T any] struct {
	Name   string // in errors and the audit trail
	Bucket Bucket
	ID     func(*T) *uint64
	Encode func(dst []byte, v *T) ([]byte, error)
	Decode func(id uint64, b []byte, v *T) error
	Unique []Unique[T]
	Index  []Index[T]
	Audit  bool
}

// Trail hears of every change of an audited table, inside its transaction. old is nil for a new row,
// now is nil for a deleted one.
type Trail interface {
	Changed(table string, id uint64, old, now []byte) error
}

// Sequences hands out row numbers that are never used twice, deletions notwithstanding.
type Sequences struct {
	Tx     Txn
	Bucket Bucket
}

// Next returns the next n numbers' first and reserves them all.
func (s Sequences) Next(name string, n uint64) (uint64, error) {
	key := []byte(name)
	last := uint64(0)
	if v := s.Tx.Get(s.Bucket, key); len(v) == 8 {
		last = binary.BigEndian.Uint64(v)
	}
	return last + 1, s.Tx.Put(s.Bucket, key, Key(nil).U64(last+n))
}

// Raise makes the next number come after n.
func (s Sequences) Raise(name string, n uint64) error {
	key := []byte(name)
	if v := s.Tx.Get(s.Bucket, key); len(v) == 8 && binary.BigEndian.Uint64(v) >= n {
		return nil
	}
	return s.Tx.Put(s.Bucket, key, Key(nil).U64(n))
}

// Rows is a table inside a transaction.
type Rows[T any] struct {
	tx    Txn
	table *Table[T]
	seq   Sequences
	trail Trail
}

// Bind opens t in tx. trail may be nil.
func Bind[T any](tx Txn, t *Table[T], seq Sequences, trail Trail) Rows[T] {
	return Rows[T]{tx: tx, table: t, seq: seq, trail: trail}
}

// Get returns row id, or ErrNotFound.
func (r Rows[T]) Get(id uint64) (*T, error) {
	b := r.tx.Get(r.table.Bucket, Key(nil).U64(id))
	if b == nil {
		return nil, ErrNotFound
	}
	return r.decode(id, b)
}

// Has reports whether row id exists.
func (r Rows[T]) Has(id uint64) bool { return r.tx.Get(r.table.Bucket, Key(nil).U64(id)) != nil }

func (r Rows[T]) decode(id uint64, b []byte) (*T, error) {
	v := new(T)
	if err := r.table.Decode(id, b, v); err != nil {
		return nil, fmt.Errorf("%s %d: %w", r.table.Name, id, err)
	}
	*r.table.ID(v) = id
	return v, nil
}

// Put writes v and everything that finds it. A row number of 0 asks for the next one.
// Fails with *TakenError if another row holds one of its unique keys; nothing is written then.
func (r Rows[T]) Put(v *T) error {
	id := r.table.ID(v)
	var old *T
	var oldBytes []byte
	if *id != 0 {
		if b := r.tx.Get(r.table.Bucket, Key(nil).U64(*id)); b != nil {
			var err error
			if old, err = r.decode(*id, b); err != nil {
				return err
			}
			oldBytes = bytes.Clone(b)
		}
	}
	for _, u := range r.table.Unique {
		key := u.Key(v)
		if key == nil {
			continue
		}
		if by := r.tx.Get(u.Bucket, key); by != nil && ID(by) != *id {
			return &TakenError{Table: r.table.Name, Field: u.Field, By: ID(by)}
		}
	}
	if *id == 0 {
		n, err := r.seq.Next(r.table.Name, 1)
		if err != nil {
			return err
		}
		*id = n
	} else if old == nil {
		if err := r.seq.Raise(r.table.Name, *id); err != nil {
			return err
		}
	}
	now, err := r.table.Encode(nil, v)
	if err != nil {
		return fmt.Errorf("%s %d: %w", r.table.Name, *id, err)
	}
	if oldBytes != nil && bytes.Equal(oldBytes, now) {
		return nil
	}
	if err := r.reindex(*id, old, v); err != nil {
		return err
	}
	if err := r.tx.Put(r.table.Bucket, Key(nil).U64(*id), now); err != nil {
		return err
	}
	return r.changed(*id, oldBytes, now)
}

// Taken returns the fields whose unique keys another row holds already, in the table's order: what
// Put would refuse, one at a time.
func (r Rows[T]) Taken(v *T) (fields []string) {
	for _, u := range r.table.Unique {
		key := u.Key(v)
		if key == nil {
			continue
		}
		if by := r.tx.Get(u.Bucket, key); by != nil && ID(by) != *r.table.ID(v) {
			fields = append(fields, u.Field)
		}
	}
	return fields
}

// Delete removes row id and everything that finds it, or returns ErrNotFound.
func (r Rows[T]) Delete(id uint64) error {
	key := Key(nil).U64(id)
	b := r.tx.Get(r.table.Bucket, key)
	if b == nil {
		return ErrNotFound
	}
	old, err := r.decode(id, b)
	if err != nil {
		return err
	}
	b = bytes.Clone(b)
	if err := r.reindex(id, old, nil); err != nil {
		return err
	}
	if err := r.tx.Delete(r.table.Bucket, key); err != nil {
		return err
	}
	return r.changed(id, b, nil)
}

func (r Rows[T]) changed(id uint64, old, now []byte) error {
	if r.trail == nil || !r.table.Audit {
		return nil
	}
	return r.trail.Changed(r.table.Name, id, old, now)
}

// reindex moves the keys of row id from old to now; either may be nil.
func (r Rows[T]) reindex(id uint64, old, now *T) error {
	for _, u := range r.table.Unique {
		var was, is []byte
		if old != nil {
			was = u.Key(old)
		}
		if now != nil {
			is = u.Key(now)
		}
		if bytes.Equal(was, is) {
			continue
		}
		if was != nil {
			if err := r.tx.Delete(u.Bucket, was); err != nil {
				return err
			}
		}
		if is != nil {
			if err := r.tx.Put(u.Bucket, is, Key(nil).U64(id)); err != nil {
				return err
			}
		}
	}
	for _, x := range r.table.Index {
		was, is := x.keys(id, old), x.keys(id, now)
		for _, k := range was {
			if !holds(is, k) {
				if err := r.tx.Delete(x.Bucket, k); err != nil {
					return err
				}
			}
		}
		for _, k := range is {
			if !holds(was, k) {
				if err := r.tx.Put(x.Bucket, k, nil); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (x Index[T]) keys(id uint64, v *T) [][]byte {
	if v == nil {
		return nil
	}
	keys := x.Keys(v)
	full := make([][]byte, len(keys))
	for i, k := range keys {
		full[i] = Key(bytes.Clone(k)).U64(id)
	}
	return full
}

func holds(keys [][]byte, key []byte) bool {
	for _, k := range keys {
		if bytes.Equal(k, key) {
			return true
		}
	}
	return false
}

// Each calls fn with every row from number from on, ascending, until fn returns false.
func (r Rows[T]) Each(from uint64, fn func(*T) (bool, error)) error {
	c := r.tx.Cursor(r.table.Bucket)
	for k, b := c.Seek(Key(nil).U64(from)); k != nil; k, b = c.Next() {
		v, err := r.decode(ID(k), b)
		if err != nil {
			return err
		}
		if more, err := fn(v); err != nil || !more {
			return err
		}
	}
	return nil
}

// Count returns the number of rows. It walks the keys: about 30 ns a row.
func (r Rows[T]) Count() int {
	n := 0
	c := r.tx.Cursor(r.table.Bucket)
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		n++
	}
	return n
}

// Find returns the row that holds a unique key of the table, or ErrNotFound.
func (r Rows[T]) Find(b Bucket, key []byte) (*T, error) {
	v := r.tx.Get(b, key)
	if v == nil {
		return nil, ErrNotFound
	}
	return r.Get(ID(v))
}

// EachUnder calls fn with every row that an index of the table holds under a key prefix, in key
// order, until fn returns false.
func (r Rows[T]) EachUnder(b Bucket, prefix []byte, fn func(*T) (bool, error)) error {
	c := r.tx.Cursor(b)
	for k, _ := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		v, err := r.Get(ID(k))
		if err != nil {
			return fmt.Errorf("%s: index points to %d: %w", r.table.Name, ID(k), err)
		}
		if more, err := fn(v); err != nil || !more {
			return err
		}
	}
	return nil
}

// EachSound calls fn with every row that decodes, ascending. It is for check, which has reported the
// others; a fault in one row must not hide the rest.
func (r Rows[T]) EachSound(fn func(*T)) {
	c := r.tx.Cursor(r.table.Bucket)
	for k, b := c.First(); k != nil; k, b = c.Next() {
		if len(k) != 8 {
			continue
		}
		if v, err := r.decode(ID(k), b); err == nil {
			fn(v)
		}
	}
}

// Check walks the table and its keys both ways and reports each fault: a row that does not decode, a
// row that its own key does not find, a key that finds nothing or another row.
func (r Rows[T]) Check(fault func(format string, args ...any)) error {
	want, missing := make(map[Bucket]int), make(map[Bucket]bool)
	c := r.tx.Cursor(r.table.Bucket)
	for k, b := c.First(); k != nil; k, b = c.Next() {
		if len(k) != 8 {
			fault("%s: key of %d bytes, want 8", r.table.Name, len(k))
			continue
		}
		v, err := r.decode(ID(k), b)
		if err != nil {
			fault("%v", err)
			continue
		}
		for _, u := range r.table.Unique {
			key := u.Key(v)
			if key == nil {
				continue
			}
			want[u.Bucket]++
			if by := r.tx.Get(u.Bucket, key); by == nil || ID(by) != ID(k) {
				fault("%s %d: its %s does not find it", r.table.Name, ID(k), u.Field)
				missing[u.Bucket] = true
			}
		}
		for _, x := range r.table.Index {
			keys := x.keys(ID(k), v)
			for i, key := range keys {
				if holds(keys[:i], key) {
					continue
				}
				want[x.Bucket]++
				if r.tx.Get(x.Bucket, key) == nil {
					fault("%s %d: missing from its index", r.table.Name, ID(k))
					missing[x.Bucket] = true
				}
			}
		}
	}
	// Each wanted key was looked for, so only a surplus, or a gap that it makes up for, is a stray.
	for _, u := range r.table.Unique {
		if missing[u.Bucket] || CountKeys(r.tx, u.Bucket) != want[u.Bucket] {
			r.strayUnique(u, fault)
		}
	}
	for _, x := range r.table.Index {
		if missing[x.Bucket] || CountKeys(r.tx, x.Bucket) != want[x.Bucket] {
			r.strayIndex(x, fault)
		}
	}
	return nil
}

func (r Rows[T]) strayUnique(u Unique[T], fault func(string, ...any)) {
	c := r.tx.Cursor(u.Bucket)
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if row, ok := r.sound(ID(v)); !ok {
			fault("%s: %s %q leads to row %d, which does not exist", r.table.Name, u.Field, k, ID(v))
		} else if row != nil && !bytes.Equal(u.Key(row), k) {
			fault("%s %d: found by %s %q, which is not its own", r.table.Name, ID(v), u.Field, k)
		}
	}
}

func (r Rows[T]) strayIndex(x Index[T], fault func(string, ...any)) {
	c := r.tx.Cursor(x.Bucket)
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		if row, ok := r.sound(ID(k)); !ok {
			fault("%s: index key %x leads to row %d, which does not exist", r.table.Name, k, ID(k))
		} else if row != nil && !holds(x.keys(ID(k), row), k) {
			fault("%s %d: found by index key %x, which is not its own", r.table.Name, ID(k), k)
		}
	}
}

// sound returns a row, nil if it does not decode, and whether it exists.
func (r Rows[T]) sound(id uint64) (*T, bool) {
	b := r.tx.Get(r.table.Bucket, Key(nil).U64(id))
	if b == nil {
		return nil, false
	}
	v, err := r.decode(id, b)
	if err != nil {
		return nil, true
	}
	return v, true
}

// CountKeys returns how many keys a bucket holds: about 30 ns each.
func CountKeys(tx Txn, b Bucket) int {
	n := 0
	c := tx.Cursor(b)
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		n++
	}
	return n
}
