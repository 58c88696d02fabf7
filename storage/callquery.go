package storage

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// CallSearch asks for stored calls in order of their starts: whose they are, when they began and what
// their columns hold. Its zero value asks for all, oldest first.
type CallSearch struct {
	Accounts []rating.AccountID // calls in which one of these took the side; nil: everybody's, empty: none
	Side     rating.Side
	From     int64 // earliest start, unix microseconds
	Till     int64 // exclusive; 0 for no bound
	Newest   bool  // newest first
	Where    []CallCond
	Also     func(*CallRow) (bool, error) // a condition that columns alone cannot express; may be nil
}

// CallCond is a condition on one column. An unset column meets it only if Null.
type CallCond struct {
	Field  rating.CDRField
	Within CallRanges        // of a column held as a number: one of these holds it
	Text   func([]byte) bool // of a column held as text
	Not    bool              // the opposite of Within or Text
	Null   bool
}

// CallRange is the whole numbers from Least to Most, both included, in the column's stored unit.
type CallRange struct{ Least, Most int64 }

// CallRanges are alternatives.
type CallRanges []CallRange

// Hold reports whether n lies in one of the ranges.
func (list CallRanges) Hold(n int64) bool {
	for _, r := range list {
		if r.Least <= n && n <= r.Most {
			return true
		}
	}
	return false
}

func (c *CallCond) match(v *cdrView) bool {
	if cdrTexts.has(c.Field) {
		t, ok := v.Text(c.Field)
		if !ok {
			return c.Null
		}
		return c.Text(t) != c.Not
	}
	n, ok := v.Int(c.Field)
	if !ok {
		return c.Null
	}
	return c.Within.Hold(n) != c.Not
}

// CallRow is one stored call whose columns are read without decoding the row. It is valid during its
// transaction.
type CallRow struct{ view cdrView }

// ID returns the call's number.
func (r *CallRow) ID() rating.CDRID { return r.view.id }

// Int returns a column that is held as a number; ok is false when it is null.
func (r *CallRow) Int(f rating.CDRField) (n int64, ok bool) { return r.view.Int(f) }

// Text returns a column that is held as text; ok is false when it is null.
func (r *CallRow) Text(f rating.CDRField) (s string, ok bool) {
	b, ok := r.view.Text(f)
	return string(b), ok
}

// Bytes returns a column that is held as text as part of the row, nil when it is null.
func (r *CallRow) Bytes(f rating.CDRField) []byte {
	b, _ := r.view.Text(f)
	return b
}

// Decode reads the whole call into c.
func (r *CallRow) Decode(c *rating.CDR) error { return decodeCDR(r.view.id, r.view.b, c) }

// CallRow returns a call without decoding it, or NotFound.
func (tx *Tx) CallRow(id rating.CDRID) (r CallRow, err error) {
	b := tx.Txn.Get(bCDR, kv.Key(nil).U64(uint64(id)))
	if b == nil {
		return r, rating.Errorf(rating.NotFound, "cdr", "CDR %d does not exist", id)
	}
	return r, r.view.open(id, b)
}

// CDRNumber returns the call whose number a UUID spells; ok is false for every other UUID.
func (tx *Tx) CDRNumber(u rating.UUID) (id rating.CDRID, ok bool) {
	n, ok := u.Number(tx.cdrSpace())
	return rating.CDRID(n), ok
}

// filtered reports whether rows must be read to tell which calls a search asks for.
func (s *CallSearch) filtered() bool { return len(s.Where) > 0 || s.Also != nil }

// meets reports whether a row fulfils Where and Also.
func (s *CallSearch) meets(r *CallRow) (bool, error) {
	for i := range s.Where {
		if !s.Where[i].match(&r.view) {
			return false, nil
		}
	}
	if s.Also != nil {
		return s.Also(r)
	}
	return true, nil
}

// sideColumns hold the account of each side.
var sideColumns = [...]rating.CDRField{rating.CustomerSide: rating.CDRCustomerAccID, rating.VendorSide: rating.CDRVendorAccID}

// Covers reports whether a search asks for the call.
func (s *CallSearch) Covers(r *CallRow) (bool, error) {
	if id, ok := r.Int(sideColumns[s.Side&1]); s.Accounts != nil && (!ok || !slices.Contains(s.Accounts, rating.AccountID(id))) {
		return false, nil
	}
	if start, _ := r.Int(rating.CDRTimeStart); start < s.From || s.Till != 0 && start >= s.Till {
		return false, nil
	}
	return s.meets(r)
}

// cancelEvery is how many rows a search reads between two looks at its context, about 1 ms.
const cancelEvery = 8192

// EachCall calls fn with the calls of a search in its order until fn returns false. The row is reused
// between calls of fn: who keeps one copies it.
func (tx *Tx) EachCall(ctx context.Context, s *CallSearch, fn func(*CallRow) (bool, error)) error {
	w := tx.callWalk(s, s.Newest)
	var row CallRow
	for n := 0; w.next(); n++ {
		if n%cancelEvery == cancelEvery-1 && ctx.Err() != nil {
			return ctx.Err()
		}
		b, err := w.row()
		if err != nil {
			return err
		}
		if err := row.view.open(w.id, b); err != nil {
			return err
		}
		ok, err := s.meets(&row)
		if err == nil && ok {
			ok, err = fn(&row)
			if !ok {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// CallPage returns the calls of a search from a place on, at most limit of them, and how many there are
// in all. Without conditions on columns the rows before the page are not read, and the count comes from
// the day tallies.
func (tx *Tx) CallPage(ctx context.Context, s *CallSearch, skip, limit int64) (page []CallRow, total int64, err error) {
	if !s.filtered() {
		if total, err = tx.CountSearch(ctx, s); err != nil || skip >= total {
			return nil, total, err
		}
		page, err = tx.unfilteredPage(ctx, s, skip, min(limit, total-skip), total)
		return page, total, err
	}
	err = tx.EachCall(ctx, s, func(r *CallRow) (bool, error) {
		if total >= skip && total-skip < limit {
			page = append(page, *r)
		}
		total++
		return true, nil
	})
	return page, total, err
}

// unfilteredPage steps over index keys from the nearer end.
func (tx *Tx) unfilteredPage(ctx context.Context, s *CallSearch, skip, limit, total int64) ([]CallRow, error) {
	back, turned := s.Newest, skip > total/2
	if turned {
		back, skip = !back, total-skip-limit
	}
	w := tx.callWalk(s, back)
	var page []CallRow
	for n := int64(0); n < skip+limit && w.next(); n++ {
		if n%cancelEvery == cancelEvery-1 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if n < skip {
			continue
		}
		b, err := w.row()
		if err != nil {
			return nil, err
		}
		page = append(page, CallRow{})
		if err := page[len(page)-1].view.open(w.id, b); err != nil {
			return nil, err
		}
	}
	if turned {
		slices.Reverse(page)
	}
	return page, nil
}

// maxKeyCount is how many keys of an account are counted before its day tallies are asked.
const maxKeyCount = 4096

// CountSearch counts the calls of a search. An account's whole days are counted by their tallies, what
// is left of the first and last day by keys, and rows are read only for conditions on columns.
func (tx *Tx) CountSearch(ctx context.Context, s *CallSearch) (n int64, err error) {
	switch {
	case s.filtered():
		err = tx.EachCall(ctx, s, func(*CallRow) (bool, error) { n++; return true, nil })
		return n, err
	case s.Accounts == nil && s.From <= 0 && s.Till == 0:
		return int64(lastLogged(tx.Txn)), nil
	case s.Accounts == nil:
		return tx.countKeys(ctx, s, math.MaxInt64)
	}
	for _, id := range s.Accounts {
		one := *s
		one.Accounts = []rating.AccountID{id}
		sum, err := tx.countKeys(ctx, &one, maxKeyCount)
		if err == nil && sum == maxKeyCount {
			sum, err = tx.countByDays(ctx, &one)
		}
		if err != nil {
			return 0, err
		}
		n += sum
	}
	return n, nil
}

// countKeys counts a search's keys up to a number.
func (tx *Tx) countKeys(ctx context.Context, s *CallSearch, most int64) (n int64, err error) {
	w := tx.callWalk(s, false)
	for n < most && w.next() {
		if n++; n%cancelEvery == 0 && ctx.Err() != nil {
			return 0, ctx.Err()
		}
	}
	return n, w.err
}

// countByDays counts the calls of one account: whole local days by tallies, the rest by keys.
func (tx *Tx) countByDays(ctx context.Context, s *CallSearch) (int64, error) {
	a, err := tx.account(s.Accounts[0])
	if err != nil {
		return 0, err
	}
	zone := tx.Location(a)
	first, end := rating.Day(0), rating.Day(math.MaxUint32)
	var total int64
	if s.From > 0 {
		first = rating.DayOf(time.UnixMicro(s.From), zone)
		if first.Start(zone).UnixMicro() < s.From {
			first++
		}
		head := *s
		head.Till = first.Start(zone).UnixMicro()
		if s.Till != 0 && head.Till >= s.Till {
			return tx.countKeys(ctx, s, math.MaxInt64)
		}
		if total, err = tx.countKeys(ctx, &head, math.MaxInt64); err != nil {
			return 0, err
		}
	}
	if s.Till != 0 {
		end = rating.DayOf(time.UnixMicro(s.Till), zone)
		tail := *s
		tail.From = max(end.Start(zone).UnixMicro(), s.From)
		n, err := tx.countKeys(ctx, &tail, math.MaxInt64)
		if err != nil {
			return 0, err
		}
		total += n
	}
	n, err := tx.tallied(a.ID, s.Side, first, end)
	return total + n, err
}

// tallied adds up an account's calls of the days from first up to but not including end, own and
// history, with one seek a day.
func (tx *Tx) tallied(a rating.AccountID, side rating.Side, first, end rating.Day) (n int64, err error) {
	c := tx.Txn.Cursor(bTally)
	for day := first; day < end; {
		k, v := c.Seek(tallyKey{day, a, side, 0}.bytes())
		key, ok := tallyKeyFrom(k)
		if k == nil {
			return n, nil
		}
		for ; ok && key.Day == day && key.Account == a && key.Side == side; key, ok = tallyKeyFrom(k) {
			t, err := decodeTally(v)
			if err != nil {
				return 0, err
			}
			n += int64(t.Calls)
			if k, v = c.Next(); k == nil {
				return n, nil
			}
		}
		if !ok {
			return 0, rating.Errorf(rating.Internal, "tally", "a day tally has a damaged key")
		}
		day = max(day+1, key.Day)
	}
	return n, nil
}

// SetCallMetadata replaces the JSON that a client keeps with a call; nil removes it. It is audited.
func (tx *Tx) SetCallMetadata(id rating.CDRID, metadata json.RawMessage) error {
	var c rating.CDR
	if err := tx.CDR(id, &c); err != nil {
		return err
	}
	old := c.Text(rating.CDRMetadata)
	if old == string(metadata) {
		return nil
	}
	c.SetText(rating.CDRMetadata, string(metadata))
	if err := tx.Txn.Put(bCDR, kv.Key(nil).U64(uint64(id)), appendCDR(nil, &c)); err != nil {
		return err
	}
	return tx.record("cdr", uint64(id), metadataJSON(old), metadataJSON(string(metadata)))
}

// metadataJSON is how the audit trail shows a call's metadata.
func metadataJSON(s string) json.RawMessage {
	if s == "" {
		s = "null"
	}
	return json.RawMessage(`{"metadata":` + s + `}`)
}
