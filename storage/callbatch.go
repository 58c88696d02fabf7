package storage

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"billd/rating"
	"billd/storage/kv"
)

// callBatch holds the calls of one transaction until it finishes: they are then written sorted, which
// touches each page once. Members of the batch see each other through it.
type callBatch struct {
	rows    []pendingRow // in the order they came
	keyed   []pendingCall
	seen    map[callPlace]int32 // → keyed
	next    map[int64]uint32    // start ms → sequence to hand out
	known   *knownCalls
	tail    callTail
	arena   arena
	order   []int32
	sides   [2][]sideKey
	ids     []rating.CDRID
	free    callPlace   // where the last lookup of a call's own minute ended
	self    uint64      // the suspense row that is being retried: a call is not its own earlier delivery
	key     []byte      // of a lookup
	scratch rating.Call // the call that is charged
	// restoring
	store    *[6]byte                          // the store that this one goes on for, from this transaction on
	restored map[rating.AccountID]rating.Money // what own calls moved that an opening balance holds already
}

type pendingRow struct {
	id               rating.CDRID
	value            []byte
	customer, vendor rating.AccountID
}

// pendingCall is what a call key of the batch leads to, with what tells its call from others.
type pendingCall struct {
	place          callPlace
	content        uint64
	row            int32 // in rows, -1 when it went to suspense
	suspense       uint64
	reason, detail string
	source, callID string
	attempt        int64
	price          rating.Money
	currency       rating.Currency
}

// same reports whether call is the one that p was, by source, call id and attempt.
func (p *pendingCall) same(call *rating.Call) bool {
	return p.source == call.Text(rating.CDRSource) && p.callID == call.CallID() && p.attempt == call.Int(rating.CDRRoutingAttempt)
}

// callPlace is a row key of cdr.call: a call's key, and its number among the calls that share it.
type callPlace [callKeySize]byte

const callKeySize = 13

// maxSameKey bounds how many different calls may share a key; 64-bit hashes make two unlikely.
const maxSameKey = 8

func placeOf(k rating.CallKey, n uint8) (p callPlace) {
	binary.BigEndian.PutUint32(p[:], k.Minute)
	binary.BigEndian.PutUint64(p[4:], k.Hash)
	p[12] = n
	return p
}

// key returns the key that p is a place of.
func (p callPlace) key() rating.CallKey {
	return rating.CallKey{Minute: binary.BigEndian.Uint32(p[:]), Hash: binary.BigEndian.Uint64(p[4:])}
}

func callKey(k rating.CallKey, n uint8) []byte {
	p := placeOf(k, n)
	return p[:]
}

// callValue is what a call key leads to.
type callValue struct {
	number  uint64 // of the CDR, or of the suspense row
	content uint64
	held    bool // the number is a suspense number
}

const callValueSize = 17

func (v callValue) append(dst []byte) []byte {
	held := uint8(0)
	if v.held {
		held = 1
	}
	return kv.Key(dst).U64(v.number).U64(v.content).U8(held)
}

func callValueFrom(b []byte) (callValue, error) {
	if len(b) != callValueSize {
		return callValue{}, rating.Errorf(rating.Internal, "cdr", "a call key leads to a damaged value")
	}
	return callValue{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:]), b[16] == 1}, nil
}

func (tx *Tx) batch() *callBatch {
	if tx.calls != nil {
		return tx.calls
	}
	if b := tx.db.spare; b != nil && tx.Txn.Writable() {
		tx.calls, tx.db.spare = b, nil
		b.known = tx.knownCalls()
		return b
	}
	tx.calls = &callBatch{seen: map[callPlace]int32{}, next: map[int64]uint32{}, known: tx.knownCalls()}
	return tx.calls
}

// keepBatch keeps a batch's memory for the next transaction of about the same size: clearing the maps
// of a much larger one would cost more than making new ones.
func (db *DB) keepBatch(b *callBatch) {
	db.spare = nil
	if b == nil {
		return
	}
	b.arena.reset()
	if len(b.keyed) < cap(b.keyed)/8 {
		db.spare = &callBatch{seen: map[callPlace]int32{}, next: map[int64]uint32{}, arena: b.arena, key: b.key}
		return
	}
	clear(b.rows)
	clear(b.keyed)
	clear(b.seen)
	clear(b.next)
	db.spare = &callBatch{rows: b.rows[:0], keyed: b.keyed[:0], seen: b.seen, next: b.next,
		arena: b.arena, order: b.order[:0], sides: [2][]sideKey{b.sides[0][:0], b.sides[1][:0]}, ids: b.ids[:0], key: b.key}
}

// arena hands out bytes that stay where they are until the transaction is over.
type arena struct {
	room   []byte
	pieces [][]byte // all of them, room being the one at piece
	piece  int
}

const (
	arenaSize  = 256 << 10
	keptPieces = 16
)

// grow returns the free bytes, at least n; keep takes those that were filled.
func (a *arena) grow(n int) []byte {
	if cap(a.room)-len(a.room) < n {
		if a.room != nil {
			a.piece++
		}
		if a.piece == len(a.pieces) {
			a.pieces = append(a.pieces, make([]byte, 0, max(arenaSize, n)))
		}
		a.room = a.pieces[a.piece]
	}
	return a.room[len(a.room):]
}

// reset makes all bytes free again, and keeps no more than a few pieces.
func (a *arena) reset() {
	a.room, a.piece = nil, 0
	a.pieces = a.pieces[:min(len(a.pieces), keptPieces)]
	if len(a.pieces) > 0 {
		a.room = a.pieces[0]
	}
}

// callTail is where the store's calls and their keys end: what lies behind need not be looked for.
type callTail struct {
	known  bool
	milli  int64 // of the newest call, -1 for none
	minute int64 // of the last call key, -1 for none
}

func (tx *Tx) tail() *callTail {
	t := &tx.batch().tail
	if !t.known {
		*t = callTail{known: true, milli: -1, minute: -1}
		if k, _ := tx.Txn.Cursor(bCDR).Last(); k != nil {
			t.milli = rating.CDRID(kv.ID(k)).Milli()
		}
		if k, _ := tx.Txn.Cursor(bCDRCall).Last(); len(k) == callKeySize {
			t.minute = int64(binary.BigEndian.Uint32(k))
		}
	}
	return t
}

func (a *arena) keep(b []byte) []byte {
	if cap(a.room)-len(a.room) >= len(b) && len(b) > 0 && &b[0] == &a.room[:cap(a.room)][len(a.room)] {
		a.room = a.room[:len(a.room)+len(b)]
	}
	return b[:len(b):len(b)]
}

// storedAt returns what the store holds at a place, nil for nothing.
func (tx *Tx) storedAt(p callPlace) []byte {
	b := tx.batch()
	b.key = append(b.key[:0], p[:]...)
	return tx.Txn.Get(bCDRCall, b.key)
}

// freePlace returns the first free place under a key.
func (tx *Tx) freePlace(k rating.CallKey) (callPlace, error) {
	b := tx.batch()
	if b.free != (callPlace{}) && b.free.key() == k {
		return b.free, nil // the lookup ended there
	}
	for n := uint8(0); n < maxSameKey; n++ {
		p := placeOf(k, n)
		if _, ok := b.seen[p]; !ok && tx.storedAt(p) == nil {
			return p, nil
		}
	}
	return callPlace{}, rating.Errorf(rating.Limit, "cdr", "more than %d calls share one key", maxSameKey)
}

// remember makes a place lead to what the call became.
func (tx *Tx) remember(call *rating.Call, p pendingCall) {
	b := tx.batch()
	b.known.add(p.place.key(), tx.tail().minute)
	p.source, p.callID, p.attempt = call.Text(rating.CDRSource), call.CallID(), call.Int(rating.CDRRoutingAttempt)
	b.free = callPlace{}
	if i, ok := b.seen[p.place]; ok {
		b.keyed[i] = p
		return
	}
	b.seen[p.place] = int32(len(b.keyed))
	b.keyed = append(b.keyed, p)
}

// flushCalls writes the batch: rows, both indexes, keys and the ingest log, each sorted.
func (tx *Tx) flushCalls() error {
	b := tx.calls
	if b == nil {
		return nil
	}
	if err := tx.settleRestored(); err != nil {
		return err
	}
	for i := range b.rows {
		b.order = append(b.order, int32(i))
		b.ids = append(b.ids, b.rows[i].id)
	}
	slices.SortFunc(b.order, func(x, y int32) int { return cmp.Compare(b.rows[x].id, b.rows[y].id) })
	var key [8]byte
	for _, i := range b.order {
		r := &b.rows[i]
		binary.BigEndian.PutUint64(key[:], uint64(r.id))
		if err := tx.Txn.Put(bCDR, key[:], r.value); err != nil {
			return err
		}
		for side, account := range [...]rating.AccountID{r.customer, r.vendor} {
			if account != 0 {
				b.sides[side] = append(b.sides[side], sideKey{account, r.id})
			}
		}
	}
	if err := tx.flushKeys(); err != nil {
		return err
	}
	if len(b.ids) == 0 {
		return nil
	}
	if err := tx.logCalls(b.ids); err != nil {
		return err
	}
	for side := range b.sides {
		slices.SortFunc(b.sides[side], compareSide)
	}
	return tx.indexSides(b.sides)
}

// flushKeys writes what the batch's call keys lead to.
func (tx *Tx) flushKeys() error {
	b := tx.calls
	b.order = b.order[:0]
	for i := range b.keyed {
		b.order = append(b.order, int32(i))
	}
	slices.SortFunc(b.order, func(x, y int32) int { return bytes.Compare(b.keyed[x].place[:], b.keyed[y].place[:]) })
	for _, i := range b.order {
		p := &b.keyed[i]
		v := callValue{number: p.suspense, content: p.content, held: true}
		if p.row >= 0 {
			v.number, v.held = uint64(b.rows[p.row].id), false
		}
		if err := tx.Txn.Put(bCDRCall, p.place[:], b.arena.keep(v.append(b.arena.grow(callValueSize)))); err != nil {
			return err
		}
	}
	return nil
}

// sideKey is a row key of cdr.customer or cdr.vendor.
type sideKey struct {
	account rating.AccountID
	id      rating.CDRID
}

// putSides writes sorted keys.
func (tx *Tx) putSides(b kv.Bucket, keys []sideKey) error {
	var key [16]byte
	for _, k := range keys {
		binary.BigEndian.PutUint64(key[:], uint64(k.account))
		binary.BigEndian.PutUint64(key[8:], uint64(k.id))
		if err := tx.Txn.Put(b, key[:], nil); err != nil {
			return err
		}
	}
	return nil
}
