package storage

import (
	"container/heap"
	"math"

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
	key, value []byte       // where c stands
	first, end rating.CDRID // bounds of the calls' numbers, end exclusive
	index      *CallScan    // nil when the calls themselves are walked
	apart      int          // of an index: how many rows are sought before one is looked for nearby

	low, high int64 // milliseconds that lie only partly inside the search, -1 for none
}

func (tx *Tx) callWalk(s *CallSearch, back bool) *callWalk {
	w := &callWalk{tx: tx, s: s, back: back, c: tx.Txn.Cursor(bCDR), low: -1, high: -1}
	const last = 1<<44 - 1 // the latest millisecond that a call's number can hold
	from := max(s.From, 0)
	w.first, w.end = rating.MakeCDRID(min(from/1000, last), 0), rating.CDRID(math.MaxUint64)
	if from%1000 != 0 {
		w.low = from / 1000
	}
	if s.Till != 0 {
		till := max(s.Till, 0)
		if till%1000 != 0 {
			w.high = till / 1000
			till += 1000
		}
		w.end = rating.MakeCDRID(min(till/1000, last), 0)
	}
	if s.Accounts == nil {
		return w
	}
	bucket := [...]kv.Bucket{bCDRCustomer, bCDRVendor}[s.Side&1]
	w.index = &CallScan{legHeap{back: back}}
	for _, a := range s.Accounts {
		l := callLeg{c: tx.Txn.Cursor(bucket), first: kv.Key(nil).U64(uint64(a)).U64(uint64(w.first)), end: kv.Key(nil).U64(uint64(a)).U64(uint64(w.end))}
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
		w.key, w.value = w.c.Seek(kv.Key(nil).U64(uint64(w.first)))
	default:
		if w.key, w.value = w.c.Seek(kv.Key(nil).U64(uint64(w.end))); w.key == nil {
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
		return w.id >= w.first
	}
	return w.id < w.end
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

// A row of an index is looked for among the next nearby calls, which cost as much together as seeking
// one. Where that failed, the next farApart rows are sought.
const (
	nearby   = 16
	farApart = 15
)

// row returns the call that the walk stands on. Calls that lie near one another are read by stepping.
func (w *callWalk) row() ([]byte, error) {
	if w.err != nil || w.index == nil {
		return w.value, w.err
	}
	if w.apart > 0 {
		w.apart--
	} else if w.nearby() {
		return w.value, nil
	} else {
		w.apart = farApart
	}
	w.key, w.value = w.c.Seek(kv.Key(make([]byte, 0, 8)).U64(uint64(w.id)))
	if w.key == nil || rating.CDRID(kv.ID(w.key)) != w.id {
		return nil, rating.Errorf(rating.Internal, "cdr", "an account's index points to CDR %d, which does not exist", w.id)
	}
	return w.value, nil
}

// nearby moves to the call that the walk stands on if it is one of the next few.
func (w *callWalk) nearby() bool {
	for range nearby {
		if w.key == nil {
			return false
		}
		switch at := rating.CDRID(kv.ID(w.key)); {
		case at == w.id:
			return true
		case (at > w.id) != w.back:
			return false
		case w.back:
			w.key, w.value = w.c.Prev()
		default:
			w.key, w.value = w.c.Next()
		}
	}
	return false
}
