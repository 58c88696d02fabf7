package storage

import (
	"billd/rating"
	"billd/storage/kv"
)

// rateCursor reads rate rows by number. Numbers that go on where one of the last few reads was, as those
// of one import do in the order of prefixes, are read by stepping, at a tenth of the cost of seeking.
type rateCursor struct {
	tx    *Tx
	lanes [4]rateLane // a deck of up to four imports, one row of each per prefix
	turn  int
}

type rateLane struct {
	c  kv.Cursor
	at uint64
}

// row returns the row of a number, nil if there is none.
func (r *rateCursor) row(id rating.RateID) []byte {
	for i := range r.lanes {
		l := &r.lanes[i]
		if l.c == nil || l.at+1 != uint64(id) {
			continue
		}
		if k, v := l.c.Next(); k != nil && kv.ID(k) == uint64(id) {
			l.at = uint64(id)
			return v
		}
		l.at = 0
		break
	}
	l := &r.lanes[r.turn]
	r.turn = (r.turn + 1) % len(r.lanes)
	if l.c == nil {
		l.c = r.tx.Txn.Cursor(bRate)
	}
	k, v := l.c.Seek(kv.Key(nil).U64(uint64(id)))
	if k == nil || kv.ID(k) != uint64(id) {
		l.at = 0
		return nil
	}
	l.at = uint64(id)
	return v
}
