package journal

import (
	"unsafe"

	"billd/storage/kv"

	"github.com/tidwall/btree"
)

// memory is what Updates wrote over the store's state, in key order. It is not changed once it is in a
// state: the next Update works on a copy that shares what it does not touch.
//
// A key begins with its bucket; a nil value says that the key was deleted.
type memory struct {
	rows *btree.Map[string, []byte]
	size int64 // bytes of its records in the journal
}

func newMemory() *memory { return &memory{rows: btree.NewMap[string, []byte](16)} }

// noValue stands for an empty value, since nil is a deletion.
var noValue = []byte{}

func asString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
func asBytes(s string) []byte  { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// layers are the memories of one state, the newer before the older; both may be nil.
type layers [2]*memory

// get returns the value that the newest layer has for a key; found is true for a deletion too.
func (l *layers) get(key string) (value []byte, found bool) {
	for _, m := range l {
		if m != nil {
			if v, ok := m.rows.Get(key); ok {
				return v, true
			}
		}
	}
	return nil, false
}

func (l *layers) empty() bool {
	return (l[0] == nil || l[0].rows.Len() == 0) && (l[1] == nil || l[1].rows.Len() == 0)
}

// touch reports whether a layer has a key of bucket b.
func (l *layers) touch(b kv.Bucket) bool {
	var first [1]byte
	first[0] = byte(b)
	for _, m := range l {
		if m == nil || m.rows.Len() == 0 {
			continue
		}
		it := m.rows.Iter()
		if it.Seek(asString(first[:])) && it.Key()[0] == byte(b) {
			return true
		}
	}
	return false
}

// apply writes a memory's rows in key order.
func (m *memory) apply(t kv.Txn) (err error) {
	m.rows.Scan(func(key string, value []byte) bool {
		b, k := kv.Bucket(key[0]), asBytes(key[1:])
		if value == nil {
			err = t.Delete(b, k)
		} else {
			err = t.Put(b, k, value)
		}
		return err == nil
	})
	return err
}
