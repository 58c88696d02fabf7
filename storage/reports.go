package storage

import (
	"bytes"
	"context"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// CallQuery asks for calls, newest start first. Its zero value asks for all.
type CallQuery struct {
	Account rating.AccountID // 0: everybody's
	Side    rating.Side      // what the account was in the calls
	From    time.Time        // earliest start, zero for no bound
	Till    time.Time        // exclusive, zero for no bound
	Number  string           // beginning of the dialled or of the calling number
	Below   rating.CDRID     // only calls before this one, as the page before it ended; 0: from the newest
}

// maxCallsRead bounds how many rows one NewestCalls reads for a number that few calls have, about 0.1 s.
const maxCallsRead = 200_000

// NewestCalls returns up to limit calls of a query. more is the Below of the next page, 0 at the end:
// a page may hold fewer calls than limit and still have a next one, because a read ends after
// maxCallsRead rows.
func (tx *Tx) NewestCalls(ctx context.Context, q CallQuery, limit int) (calls []*rating.CDR, more rating.CDRID, err error) {
	s := tx.callsBelow(q)
	read := 0
	for id, ok := s.first(); ok; id, ok = s.next() {
		if len(calls) == limit || read == maxCallsRead {
			return calls, id + 1, ctx.Err()
		}
		if read++; read%1024 == 0 && ctx.Err() != nil {
			return nil, 0, ctx.Err()
		}
		row := s.row(id)
		if row == nil {
			return nil, 0, rating.Errorf(rating.Internal, "cdr", "an account's index points to CDR %d, which does not exist", id)
		}
		if q.Number != "" && !numberBegins(id, row, q.Number) {
			continue
		}
		c := new(rating.CDR)
		if err := decodeCDR(id, row, c); err != nil {
			return nil, 0, err
		}
		calls = append(calls, c)
	}
	return calls, 0, ctx.Err()
}

// backwardCalls walks the primary key, or an account's index, from its end.
type backwardCalls struct {
	tx        *Tx
	c         kv.Cursor
	under     []byte // the account's part of the index; empty for the primary key
	from, end rating.CDRID
	bounded   bool
	value     []byte
}

func (tx *Tx) callsBelow(q CallQuery) *backwardCalls {
	s := &backwardCalls{tx: tx}
	bucket := bCDR
	if q.Account != 0 {
		bucket = [...]kv.Bucket{bCDRCustomer, bCDRVendor}[q.Side&1]
		s.under = kv.Key(nil).U64(uint64(q.Account))
	}
	s.c = tx.Txn.Cursor(bucket)
	if !q.From.IsZero() {
		s.from = rating.MakeCDRID(max(q.From.UnixMilli(), 0), 0)
	}
	if !q.Till.IsZero() {
		s.end, s.bounded = rating.MakeCDRID(max(q.Till.UnixMilli(), 0), 0), true
	}
	if q.Below != 0 && (!s.bounded || q.Below < s.end) {
		s.end, s.bounded = q.Below, true
	}
	return s
}

func (s *backwardCalls) first() (rating.CDRID, bool) {
	var after kv.Key
	switch {
	case s.bounded:
		after = kv.Key(bytes.Clone(s.under)).U64(uint64(s.end))
	case s.under != nil:
		after = kv.Key(nil).U64(kv.ID(s.under) + 1)
	default:
		return s.stand(s.c.Last())
	}
	if k, _ := s.c.Seek(after); k == nil {
		return s.stand(s.c.Last())
	}
	return s.next()
}

func (s *backwardCalls) next() (rating.CDRID, bool) { return s.stand(s.c.Prev()) }

func (s *backwardCalls) stand(k, v []byte) (rating.CDRID, bool) {
	if k == nil || !bytes.HasPrefix(k, s.under) {
		return 0, false
	}
	s.value = v
	id := rating.CDRID(kv.ID(k))
	return id, id >= s.from
}

func (s *backwardCalls) row(id rating.CDRID) []byte {
	if s.under == nil {
		return s.value
	}
	return s.tx.Txn.Get(bCDR, kv.Key(nil).U64(uint64(id)))
}

// numberBegins reports whether one of a call's numbers begins so, without decoding the row.
func numberBegins(id rating.CDRID, row []byte, number string) bool {
	var v cdrView
	if v.open(id, row) != nil {
		return true // let decoding say what is wrong
	}
	for _, f := range [...]rating.CDRField{rating.CDRDstPrefixRouting, rating.CDRDstPrefixIn, rating.CDRSrcPrefixRouting, rating.CDRSrcPrefixIn} {
		if text, ok := v.Text(f); ok && bytes.HasPrefix(text, []byte(number)) {
			return true
		}
	}
	return false
}

// NewestInvoices calls fn with invoices, the last made first, from below a number (0: the newest),
// until it returns false.
func (tx *Tx) NewestInvoices(below uint64, fn func(*rating.Invoice) (bool, error)) error {
	return newestRows(tx, bInvoice, tx.Invoices, below, fn)
}

// NewestSuspended calls fn with calls in suspense, the last to come first, from below a number (0: the
// newest), until it returns false.
func (tx *Tx) NewestSuspended(below uint64, fn func(*Suspended) (bool, error)) error {
	return newestRows(tx, bSuspense, tx.Suspense, below, fn)
}

func newestRows[T any](tx *Tx, b kv.Bucket, rows Rows[T], below uint64, fn func(*T) (bool, error)) error {
	c := tx.Txn.Cursor(b)
	k, _ := c.Last()
	if below != 0 {
		if at, _ := c.Seek(kv.Key(nil).U64(below)); at != nil {
			k, _ = c.Prev()
		} else {
			k, _ = c.Last()
		}
	}
	for ; k != nil; k, _ = c.Prev() {
		v, err := rows.Get(kv.ID(k))
		if err != nil {
			return err
		}
		if more, err := fn(v); err != nil || !more {
			return err
		}
	}
	return nil
}
