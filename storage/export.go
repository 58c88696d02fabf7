package storage

import (
	"context"
	"encoding/binary"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// CallSpan picks stored calls: an account's on either side, 0 for all, that start in [From, Till);
// zero times are no bound.
type CallSpan struct {
	Account    rating.AccountID
	From, Till time.Time
}

// ids returns the range of CDR numbers, from the first up to but not including the second.
func (r CallSpan) ids() (from, till rating.CDRID) {
	till = ^rating.CDRID(0)
	if !r.From.IsZero() {
		from = rating.MakeCDRID(max(r.From.UnixMilli(), 0), 0)
	}
	if !r.Till.IsZero() {
		till = rating.MakeCDRID(max(r.Till.UnixMilli(), 0), 0)
	}
	return from, till
}

// ExportedCall is a stored call with what an export says beside its columns.
type ExportedCall struct {
	rating.CDR
	Store          [6]byte     // names this store
	UUID           string      // that the call is known by
	Content        uint64      // of the record as the switch gave it
	Payer, Carrier rating.UUID // of its accounts, zero where it has none
}

// callPage is how many calls one View of a long read looks at, so that old pages are let go of.
const callPage = 5000

// ExportCalls calls fn with the calls of a range in order of start. The call is reused.
func (db *DB) ExportCalls(ctx context.Context, r CallSpan, fn func(*ExportedCall) error) error {
	from, till := r.ids()
	e := exporter{fn: fn}
	for from < till {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := db.View(ctx, func(tx *Tx) (err error) {
			from, err = e.page(tx, r.Account, from, till)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// exporter holds what an export looks up once for many calls.
type exporter struct {
	fn       func(*ExportedCall) error
	call     ExportedCall
	minute   uint32
	contents map[uint64]uint64 // of the minute's calls, by number
}

// page hands out a page of calls and returns where the next one begins.
func (e *exporter) page(tx *Tx, account rating.AccountID, from, till rating.CDRID) (rating.CDRID, error) {
	e.contents, e.call.Store = nil, tx.cdrSpace()
	c := tx.Txn.Cursor(bCDR)
	n := 0
	for k, v := c.Seek(kv.Key(nil).U64(uint64(from))); k != nil && rating.CDRID(kv.ID(k)) < till; k, v = c.Next() {
		id := rating.CDRID(kv.ID(k))
		if n++; n > callPage {
			return id, nil
		}
		if err := decodeCDR(id, v, &e.call.CDR); err != nil {
			return 0, err
		}
		if account != 0 && e.call.Customer() != account && e.call.Vendor() != account {
			continue
		}
		if err := e.complete(tx); err != nil {
			return 0, err
		}
		if err := e.fn(&e.call); err != nil {
			return 0, err
		}
	}
	return till, nil
}

// complete looks up what is not in the call's row.
func (e *exporter) complete(tx *Tx) error {
	c := &e.call
	for _, p := range [...]struct {
		id rating.AccountID
		to *rating.UUID
	}{{c.Customer(), &c.Payer}, {c.Vendor(), &c.Carrier}} {
		*p.to = rating.UUID{}
		if p.id == 0 {
			continue
		}
		a, err := tx.readAccount(p.id)
		if err != nil {
			return err
		}
		*p.to = a.UUID
	}
	c.UUID = tx.CDRUUID(&c.CDR)
	minute := uint32(c.Int(rating.CDRTimeStart) / 60_000_000)
	if e.contents == nil || e.minute != minute {
		if err := e.load(tx, minute); err != nil {
			return err
		}
	}
	c.Content = e.contents[uint64(c.ID)]
	return nil
}

// load reads the call keys of a minute: calls come in order of their starts.
func (e *exporter) load(tx *Tx, minute uint32) error {
	e.minute, e.contents = minute, map[uint64]uint64{}
	cur := tx.Txn.Cursor(bCDRCall)
	for k, v := cur.Seek(kv.Key(nil).U32(minute)); len(k) == callKeySize && binary.BigEndian.Uint32(k) == minute; k, v = cur.Next() {
		val, err := callValueFrom(v)
		if err != nil {
			return err
		}
		if !val.held {
			e.contents[val.number] = val.content
		}
	}
	return nil
}

// readAccount is Accounts.Get that remembers, for reads that meet the same accounts again and again.
func (tx *Tx) readAccount(id rating.AccountID) (*rating.Account, error) {
	if a := tx.known[id]; a != nil {
		return a, nil
	}
	a, err := tx.Accounts.Get(uint64(id))
	if err != nil {
		return nil, err
	}
	if tx.known == nil {
		tx.known = map[rating.AccountID]*rating.Account{}
	}
	tx.known[id] = a
	return a, nil
}
