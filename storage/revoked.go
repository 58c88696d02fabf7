package storage

import (
	"encoding/binary"
	"time"

	"billd/storage/kv"
)

// Revoke keeps the hash of a token that must not be accepted any more, until it would have expired.
// Those that expired meanwhile are dropped on the way.
func (tx *Tx) Revoke(hash [32]byte, until time.Time) error {
	var stale [][]byte
	c := tx.Txn.Cursor(bRevoked)
	for k, v := c.First(); k != nil && len(stale) < 100; k, v = c.Next() {
		if len(v) == 8 && int64(binary.BigEndian.Uint64(v)) < tx.now.UnixMilli() {
			stale = append(stale, append([]byte(nil), k...))
		}
	}
	for _, k := range stale {
		if err := tx.Txn.Delete(bRevoked, k); err != nil {
			return err
		}
	}
	return tx.Txn.Put(bRevoked, append([]byte(nil), hash[:]...), kv.Key(nil).Milli(until))
}

// EachRevoked calls fn with every revoked token that has not expired.
func (tx *Tx) EachRevoked(fn func(hash [32]byte, until time.Time)) {
	c := tx.Txn.Cursor(bRevoked)
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if len(k) != 32 || len(v) != 8 {
			continue
		}
		if until := time.UnixMilli(int64(binary.BigEndian.Uint64(v))).UTC(); until.After(tx.now) {
			fn([32]byte(k), until)
		}
	}
}
