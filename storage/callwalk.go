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
	key, value []byte       // where c stands
	first, end rating.CDRID // bounds of the calls' numbers, end exclusive
	index      *CallScan    // nil when the calls themselves are walked
	apart      int          // of an index: how many rows are sought before one is looked for nearby
	beside     int          // of an index: how many rows in a row were the next call
	along      bool         // the calls are walked though there is an index: nearly all are the accounts'
	strangers  int          // of such a walk: others' calls, less the accounts' own

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
	w.open(w.first, w.end)
	return w
}

// open puts the index on the accounts' calls that are numbered from first up to but not including end.
func (w *callWalk) open(first, end rating.CDRID) {
	bucket := [...]kv.Bucket{bCDRCustomer, bCDRVendor}[w.s.Side&1]
	w.index = &CallScan{legHeap{back: w.back}}
	for _, a := range w.s.Accounts {
		l := callLeg{c: w.tx.Txn.Cursor(bucket), first: kv.Key(nil).U64(uint64(a)).U64(uint64(first)), end: kv.Key(nil).U64(uint64(a)).U64(uint64(end))}
		if l.begin(w.back) {
			w.index.heap.legs = append(w.index.heap.legs, l)
		}
	}
	heap.Init(&w.index.heap)
}

// next stands on the next call of the search, Where and Also apart, and reports whether there is one.
func (w *callWalk) next() bool {
	for w.err == nil {
		ok := false
		if w.index != nil && !w.along {
			w.id, ok = w.index.Next()
		} else {
			ok = w.step()
		}
		if !ok {
			return false
		}
		if w.along && !w.own() {
			continue
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
	if w.err != nil || w.index == nil || w.along {
		return w.value, w.err
	}
	if w.apart > 0 {
		w.apart--
	} else if w.nearby() {
		return w.value, nil
	} else {
		w.apart, w.beside = farApart, 0
	}
	w.key, w.value = w.c.Seek(kv.Key(make([]byte, 0, 8)).U64(uint64(w.id)))
	if w.key == nil || rating.CDRID(kv.ID(w.key)) != w.id {
		return nil, rating.Errorf(rating.Internal, "cdr", "an account's index points to CDR %d, which does not exist", w.id)
	}
	return w.value, nil
}

// nearby moves to the call that the walk stands on if it is one of the next few.
func (w *callWalk) nearby() bool {
	for n := range nearby {
		if w.key == nil {
			return false
		}
		switch at := rating.CDRID(kv.ID(w.key)); {
		case at == w.id:
			if w.beside++; n > 1 { // the first look is at the call before
				w.beside = 0
			}
			w.begun, w.along = true, w.beside >= manyBeside
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

// Where so many rows in a row lie side by side, an index says nothing that the rows do not, at the cost
// of a second walk. It is taken up again after so many more calls of others than of the accounts.
const (
	manyBeside    = 256
	manyStrangers = 256
)

// own reports whether a call met along the way is one of the accounts'.
func (w *callWalk) own() bool {
	id, _, ok := cdrColumn(w.id, w.value, sideColumns[w.s.Side&1])
	if ok && slices.Contains(w.s.Accounts, rating.AccountID(id)) {
		w.strangers = max(0, w.strangers-1)
		return true
	}
	if w.strangers++; w.strangers == manyStrangers {
		w.along, w.beside, w.strangers = false, 0, 0
		if w.back {
			w.open(w.first, w.id)
		} else {
			w.open(w.id+1, w.end)
		}
	}
	return false
}
