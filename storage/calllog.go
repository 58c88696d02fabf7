package storage

import (
	"encoding/binary"

	"billd/rating"
	"billd/storage/kv"
)

// logRow is how many CDR numbers one row of the ingest log holds at most.
const logRow = 1024

// logCalls appends the commit's calls to the ingest log: a row is keyed by the sequence of its first
// call and holds the numbers of the calls from there on.
func (tx *Tx) logCalls(ids []rating.CDRID) error {
	if len(ids) == 0 {
		return nil
	}
	first, err := tx.sequences().Next("cdr.log", uint64(len(ids)))
	if err != nil {
		return err
	}
	for len(ids) > 0 {
		n := min(len(ids), logRow)
		v := make([]byte, 0, 8*n)
		for _, id := range ids[:n] {
			v = binary.BigEndian.AppendUint64(v, uint64(id))
		}
		if err := tx.Txn.Put(bCDRLog, kv.Key(nil).U64(first), v); err != nil {
			return err
		}
		first += uint64(n)
		ids = ids[n:]
	}
	return nil
}

// EachLogged calls fn with calls in the order they were taken in, from a sequence number on, until it
// returns false.
func (tx *Tx) EachLogged(from uint64, fn func(seq uint64, id rating.CDRID) (bool, error)) error {
	c := tx.Txn.Cursor(bCDRLog)
	k, v := c.Seek(kv.Key(nil).U64(from))
	if k == nil || kv.ID(k) > from {
		if p, pv := c.Prev(); p != nil && kv.ID(p)+uint64(len(pv)/8) > from {
			k, v = p, pv
		} else {
			k, v = c.Seek(kv.Key(nil).U64(from))
		}
	}
	for ; k != nil; k, v = c.Next() {
		for i := 0; i+8 <= len(v); i += 8 {
			seq := kv.ID(k) + uint64(i/8)
			if seq < from {
				continue
			}
			if more, err := fn(seq, rating.CDRID(binary.BigEndian.Uint64(v[i:]))); err != nil || !more {
				return err
			}
		}
	}
	return nil
}
