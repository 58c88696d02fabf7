package storage

import (
	"encoding/binary"

	"billd/rating"
	"billd/storage/kv"
)

// knownCalls is what the writer remembers of cdr.call from one transaction to the next, so that a call
// that is not there need not be looked for: of some minutes it has all keys. It may have keys that the
// store has not, of a transaction that failed; never the reverse.
type knownCalls struct {
	minutes    map[uint32]*callMinute
	young, old map[rating.CallKey]struct{}
	turn       int // how often young became old
	limit      int // of young and minutes
}

type callMinute struct {
	probes int
	turn   int  // when its first key was taken in
	loaded bool // all keys of the minute are known
}

const (
	firstKeys  = 16      // keys of a minute that its first probe reads at most
	loadAfter  = 64      // probes after which a minute is loaded
	loadedKeys = 1 << 14 // keys that loading a minute reads at most, 1 ms
	youngKeys  = 1 << 18 // keys after which the oldest are forgotten: some 20 MB in all
)

func newKnownCalls() *knownCalls {
	return &knownCalls{minutes: map[uint32]*callMinute{}, young: map[rating.CallKey]struct{}{}, limit: youngKeys}
}

// knownCalls returns the writer's, and to a reader one of its own.
func (tx *Tx) knownCalls() *knownCalls {
	if !tx.Txn.Writable() {
		return newKnownCalls()
	}
	if tx.db.known == nil {
		tx.db.known = newKnownCalls()
	}
	tx.db.known.forget()
	return tx.db.known
}

// forget drops the older half of a memory that has grown large. It is for the beginning of a
// transaction: later, what is forgotten may not be in the store yet.
func (k *knownCalls) forget() {
	if len(k.young)+len(k.minutes) < k.limit {
		return
	}
	k.old, k.young = k.young, map[rating.CallKey]struct{}{}
	for minute, m := range k.minutes {
		if m.turn < k.turn {
			delete(k.minutes, minute)
		}
	}
	k.turn++
}

func (k *knownCalls) has(key rating.CallKey) bool {
	if _, ok := k.young[key]; ok {
		return true
	}
	_, ok := k.old[key]
	return ok
}

// add takes in a key that is written; last is the last minute that the store has keys of.
func (k *knownCalls) add(key rating.CallKey, last int64) {
	k.young[key] = struct{}{}
	if k.minutes[key.Minute] == nil && int64(key.Minute) > last {
		k.minutes[key.Minute] = &callMinute{turn: k.turn, loaded: true}
	}
}

// mayHave reports whether the store may hold a key.
func (tx *Tx) mayHave(key rating.CallKey) bool {
	if int64(key.Minute) > tx.tail().minute {
		return false
	}
	known := tx.batch().known
	m := known.minutes[key.Minute]
	if m == nil {
		m = &callMinute{turn: known.turn}
		known.minutes[key.Minute] = m
		tx.loadMinute(key.Minute, m, firstKeys)
	}
	if m.probes++; m.probes == loadAfter && !m.loaded {
		tx.loadMinute(key.Minute, m, loadedKeys)
	}
	return !m.loaded || known.has(key)
}

// loadMinute reads the keys of a minute unless there are more than limit.
func (tx *Tx) loadMinute(minute uint32, m *callMinute, limit int) {
	c := tx.Txn.Cursor(bCDRCall)
	young := tx.calls.known.young
	for k, _ := c.Seek(kv.Key(make([]byte, 0, 4)).U32(minute)); len(k) == callKeySize && binary.BigEndian.Uint32(k) == minute; k, _ = c.Next() {
		if limit--; limit < 0 {
			return
		}
		young[rating.CallKey{Minute: minute, Hash: binary.BigEndian.Uint64(k[4:])}] = struct{}{}
	}
	m.loaded = true
}
