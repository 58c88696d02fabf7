package storage

import (
	"container/heap"
	"math"
	"slices"

	"billd/rating"
	"billd/storage/kv"
)

// callWalk steps over the keys of a search: of the calls themselves, or of accounts' indexes.
type callWalk struct {
	tx   *Tx
	s    *CallSearch
	back bool
	id   rating.CDRID
	err  error

	c          kv.Cursor // of the calls
	begun      bool
	key, value []byte    // where c stands
	first, end []byte    // bounds of the calls' keys
	index      *CallScan // nil when the calls themselves are walked

	low, high int64 // milliseconds that lie only partly inside the search, -1 for none
}

func (tx *Tx) callWalk(s *CallSearch, back bool) *callWalk {
	w := &callWalk{tx: tx, s: s, back: back, c: tx.Txn.Cursor(bCDR), low: -1, high: -1}
	const last = 1<<44 - 1 // the latest millisecond that a call's number can hold
	from := max(s.From, 0)
	first, end := rating.MakeCDRID(min(from/1000, last), 0), rating.CDRID(math.MaxUint64)
	if from%1000 != 0 {
		w.low = from / 1000
	}
	if s.Till != 0 {
		till := max(s.Till, 0)
		if till%1000 != 0 {
			w.high = till / 1000
			till += 1000
		}
		end = rating.MakeCDRID(min(till/1000, last), 0)
	}
	w.first, w.end = kv.Key(nil).U64(uint64(first)), kv.Key(nil).U64(uint64(end))
	if s.Accounts == nil {
		return w
	}
	bucket := [...]kv.Bucket{bCDRCustomer, bCDRVendor}[s.Side&1]
	w.index = &CallScan{legHeap{back: back}}
	for _, a := range s.Accounts {
		under := kv.Key(nil).U64(uint64(a))
		l := callLeg{c: tx.Txn.Cursor(bucket), first: append(slices.Clone(under), w.first...), end: append(slices.Clone(under), w.end...)}
		if l.begin(back) {
			w.index.heap.legs = append(w.index.heap.legs, l)
		}
	}
	heap.Init(&w.index.heap)
	return w
}

// next stands on the next call of the search, Where and Also apart, and reports whether there is one.
func (w *callWalk) next() bool {
	for w.err == nil {
		ok := false
		if w.index != nil {
			w.id, ok = w.index.Next()
		} else {
			ok = w.step()
		}
		if !ok {
			return false
		}
		if milli := w.id.Milli(); milli != w.low && milli != w.high || w.inside() {
			return true
		}
	}
	return false
}

// step moves along the calls themselves.
func (w *callWalk) step() bool {
	switch {
	case w.begun && w.back:
		w.key, w.value = w.c.Prev()
	case w.begun:
		w.key, w.value = w.c.Next()
	case !w.back:
		w.key, w.value = w.c.Seek(w.first)
	default:
		if w.key, w.value = w.c.Seek(w.end); w.key == nil {
			w.key, w.value = w.c.Last()
		} else {
			w.key, w.value = w.c.Prev()
		}
	}
	w.begun = true
	if w.key == nil {
		return false
	}
	w.id = rating.CDRID(kv.ID(w.key))
	if w.back {
		return string(w.key) >= string(w.first)
	}
	return string(w.key) < string(w.end)
}

// inside reads whether a call that began in the same millisecond as a bound lies within it.
func (w *callWalk) inside() bool {
	b, err := w.row()
	if err != nil {
		w.err = err
		return false
	}
	start, _, _ := cdrColumn(w.id, b, rating.CDRTimeStart)
	return start >= w.s.From && (w.s.Till == 0 || start < w.s.Till)
}

// row returns the call that the walk stands on. Calls that lie side by side are read by stepping.
func (w *callWalk) row() ([]byte, error) {
	if w.err != nil || w.index == nil {
		return w.value, w.err
	}
	want := kv.Key(make([]byte, 0, 8)).U64(uint64(w.id))
	if string(w.key) == string(want) {
		return w.value, nil
	}
	if w.key != nil && w.back {
		w.key, w.value = w.c.Prev()
	} else if w.key != nil {
		w.key, w.value = w.c.Next()
	}
	if string(w.key) != string(want) {
		w.key, w.value = w.c.Seek(want)
	}
	if string(w.key) != string(want) {
		return nil, rating.Errorf(rating.Internal, "cdr", "an account's index points to CDR %d, which does not exist", w.id)
	}
	return w.value, nil
}
