package storage

import (
	"bytes"
	"container/heap"
	"math"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// CallScan walks the calls that several accounts are charged for as one list in order of start. It
// reads index keys only: a call that is stepped over costs no decoding.
type CallScan struct{ heap legHeap }

// legHeap has the account whose call is next on top.
type legHeap struct {
	back bool
	legs []callLeg
}

// callLeg is one account's part of the list.
type callLeg struct {
	c     kv.Cursor
	first []byte // keys lie from first up to but not including end
	end   []byte
	at    rating.CDRID
}

// Calls walks the calls charged to accounts that start in [from, till), oldest first. A zero till is
// no bound.
func (tx *Tx) Calls(accounts []rating.AccountID, from, till time.Time) *CallScan {
	return tx.callScan(&CallScan{}, accounts, from, till)
}

// CallsBack walks as Calls does, newest first.
func (tx *Tx) CallsBack(accounts []rating.AccountID, from, till time.Time) *CallScan {
	return tx.callScan(&CallScan{legHeap{back: true}}, accounts, from, till)
}

func (tx *Tx) callScan(s *CallScan, accounts []rating.AccountID, from, till time.Time) *CallScan {
	for _, a := range accounts {
		l := callLeg{c: tx.Txn.Cursor(bCDRCustomer), end: kv.Key(nil).U64(uint64(a) + 1)}
		l.first = kv.Key(nil).U64(uint64(a)).U64(uint64(rating.MakeCDRID(max(from.UnixMilli(), 0), 0)))
		if !till.IsZero() {
			l.end = kv.Key(nil).U64(uint64(a)).U64(uint64(rating.MakeCDRID(max(till.UnixMilli(), 0), 0)))
		}
		if l.begin(s.heap.back) {
			s.heap.legs = append(s.heap.legs, l)
		}
	}
	heap.Init(&s.heap)
	return s
}

// begin puts a leg on its first call and reports whether it has one.
func (l *callLeg) begin(back bool) bool {
	if !back {
		k, _ := l.c.Seek(l.first)
		return l.stand(k)
	}
	k, _ := l.c.Seek(l.end)
	if k == nil {
		k, _ = l.c.Last()
		return l.stand(k)
	}
	k, _ = l.c.Prev()
	return l.stand(k)
}

func (l *callLeg) stand(k []byte) bool {
	if k == nil || bytes.Compare(k, l.first) < 0 || bytes.Compare(k, l.end) >= 0 {
		return false
	}
	l.at = rating.CDRID(kv.ID(k))
	return true
}

// move is stand for a step in one direction, which only one of the bounds can end.
func (l *callLeg) move(k []byte, back bool) bool {
	if k == nil || back && bytes.Compare(k, l.first) < 0 || !back && bytes.Compare(k, l.end) >= 0 {
		return false
	}
	l.at = rating.CDRID(kv.ID(k))
	return true
}

// Next returns the number of the next call; false at the end.
func (s *CallScan) Next() (rating.CDRID, bool) {
	if len(s.heap.legs) == 0 {
		return 0, false
	}
	l := &s.heap.legs[0]
	id := l.at
	var k []byte
	if s.heap.back {
		k, _ = l.c.Prev()
	} else {
		k, _ = l.c.Next()
	}
	switch {
	case !l.move(k, s.heap.back):
		heap.Pop(&s.heap)
	case len(s.heap.legs) > 1:
		heap.Fix(&s.heap, 0)
	}
	return id, true
}

func (h *legHeap) Len() int { return len(h.legs) }

func (h *legHeap) Less(i, j int) bool {
	if h.back {
		i, j = j, i
	}
	return h.legs[i].at < h.legs[j].at
}

func (h *legHeap) Swap(i, j int) { h.legs[i], h.legs[j] = h.legs[j], h.legs[i] }

func (h *legHeap) Push(l any) { h.legs = append(h.legs, l.(callLeg)) }

func (h *legHeap) Pop() any {
	last := len(h.legs) - 1
	l := h.legs[last]
	h.legs = h.legs[:last]
	return l
}

// CountCalls counts the calls charged to accounts, own and history, from their day tallies.
func (tx *Tx) CountCalls(accounts []rating.AccountID) (n uint64, err error) {
	wanted := make(map[rating.AccountID]bool, len(accounts))
	for _, a := range accounts {
		wanted[a] = true
	}
	err = tx.EachTally(0, math.MaxUint32, func(_ rating.Day, a rating.AccountID, s rating.Side, _ rating.Origin, t rating.Tally) error {
		if s == rating.CustomerSide && wanted[a] {
			n += t.Calls
		}
		return nil
	})
	return n, err
}
