package journal

import (
	"encoding/binary"
	"errors"

	"billd/storage/kv"
)

var (
	errReadOnly = errors.New("write in a read transaction")
	errLarge    = errors.New("too much for a record of the journal")
)

// maxRecord bounds the writes of an Update, in bytes. One that is larger runs again as a Bulk.
const maxRecord = 8 << 20

// txn is one transaction over the store and the layers above it. One goroutine uses it.
type txn struct {
	base   kv.Txn
	layers layers
	text   []byte // of a lookup

	// of an Update: layers[0] is its own
	writable bool
	rec      []byte // the record, behind room for its header; keys and values of layers[0] lie in it
	writes   int
	large    bool
}

func (t *txn) Writable() bool { return t.writable }

// Get returns nil if there is no such key; a value that is empty is not nil.
func (t *txn) Get(b kv.Bucket, key []byte) []byte {
	t.text = append(append(t.text[:0], byte(b)), key...)
	if v, found := t.layers.get(asString(t.text)); found {
		return v
	}
	return t.base.Get(b, key)
}

// Put copies key and value.
func (t *txn) Put(b kv.Bucket, key, value []byte) error {
	if len(key) == 0 || len(key) > 1<<15 {
		return errors.New("a key of 1 to 32768 bytes is wanted")
	}
	if value == nil {
		value = noValue
	}
	return t.write(b, key, value)
}

// Delete of a key that is not there does nothing that can be seen.
func (t *txn) Delete(b kv.Bucket, key []byte) error { return t.write(b, key, nil) }

func (t *txn) write(b kv.Bucket, key, value []byte) error {
	if !t.writable {
		return errReadOnly
	}
	if t.large || len(t.rec)+len(key)+len(value) > maxRecord {
		t.large = true
		return errLarge
	}
	n := uint64(0)
	if value != nil {
		n = uint64(len(value)) + 1
	}
	t.rec = binary.AppendUvarint(t.rec, uint64(len(key))+1)
	t.rec = binary.AppendUvarint(t.rec, n)
	at := len(t.rec)
	t.rec = append(append(append(t.rec, byte(b)), key...), value...)
	row, end := t.rec[at:], 1+len(key)
	if value != nil {
		value = row[end:len(row):len(row)]
	}
	t.layers[0].rows.Set(asString(row[:end]), value)
	t.writes++
	return nil
}

// Cursor walks the store's rows and the layers' as one.
func (t *txn) Cursor(b kv.Bucket) kv.Cursor {
	if !t.writable && !t.layers.touch(b) {
		return t.base.Cursor(b)
	}
	return t.newCursor(b)
}
