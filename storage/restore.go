package storage

import (
	"slices"

	"billd/rating"
	"billd/storage/kv"
)

// An export of calls that comes back: into the store it came from, or into one that has no calls yet
// and goes on for it from then on, each call takes its old place again — number, UUID, origin,
// revision — and an own call moves balances like any other. Where import-accounts brought the account's
// whole balance, which such calls are part of, the opening posting is lessened by as much in the same
// transaction, so that the balance is right at any moment and the sums of R10 hold. Into any other
// store the call comes as history: its money is in the opening balance.

// placeExported decides where an exported call goes. done says that its verdict is known already.
func (tx *Tx) placeExported(call *rating.Call) (v rating.Verdict, done bool, err error) {
	e := &call.Exported
	if e.ID.Milli() != call.Int(rating.CDRTimeStart)/1000 {
		v = rating.Verdict{Outcome: rating.OutcomeSuspended, Reason: rating.ReasonBadRecord, Detail: "the id is not the time_start's: this is no export of billd's", Write: true}
		v.Content = call.Content()
		v.Key = rating.CallKey{Hash: v.Content}
		v.Suspense, err = tx.hold(call, v)
		return v, true, err
	}
	if e.Restore, err = tx.continues(e.Store); err != nil || !e.Restore {
		return v, false, err
	}
	if u, err := rating.ParseUUID(call.Text(rating.CDRUUID)); err == nil && u == rating.NumberUUID(tx.cdrSpace(), uint64(e.ID)) {
		call.Unset(rating.CDRUUID) // the number tells it
	}
	there, pending := tx.pendingID(e.ID)
	var old rating.CDR
	switch {
	case there && pending:
		err = decodeCDR(e.ID, tx.calls.rowOf(e.ID), &old)
	case there:
		err = tx.CDR(e.ID, &old)
	default:
		tx.reserve(e.ID)
		return v, false, nil
	}
	if err != nil {
		return v, false, err
	}
	v = rating.Verdict{Outcome: rating.OutcomeDuplicate, ID: e.ID, Price: old.Money(rating.CDRCustomerPrice), Currency: tx.Settings().Currency}
	if a, err := tx.account(old.Customer()); err == nil {
		v.Currency = a.Currency
	}
	if tx.sameFigures(&old, call) {
		return v, true, nil
	}
	v.Outcome, v.Reason, v.Write = rating.OutcomeSuspended, rating.ReasonConflict, true
	v.Detail = "the store has this CDR with other figures"
	e.Restore = false // its content is now that of this record
	v.Content = call.Content()
	v.Key = rating.CallKey{Minute: uint32(call.Int(rating.CDRTimeStart) / 60_000_000)}
	v.ID = 0
	v.Suspense, err = tx.hold(call, v)
	return v, true, err
}

// sameFigures reports whether an exported call is the stored one; its parties go by their UUIDs.
func (tx *Tx) sameFigures(old *rating.CDR, call *rating.Call) bool {
	is := call.CDR
	for _, party := range [...]struct {
		ref         string
		account, by rating.CDRField
	}{{call.AccountRef, rating.CDRCustomerAccID, rating.CDRCustomerID}, {call.VendorRef, rating.CDRVendorAccID, rating.CDRVendorID}} {
		if party.ref == "" {
			continue
		}
		u, err := rating.ParseUUID(party.ref)
		if err != nil {
			return false
		}
		a, err := tx.account(rating.AccountID(old.Int(party.account)))
		if err != nil || a.UUID != u {
			return false
		}
		is.SetInt(party.account, old.Int(party.account))
		if old.Has(party.by) {
			is.SetInt(party.by, old.Int(party.by))
		} else {
			is.Unset(party.by)
		}
	}
	is.ID, is.Origin, is.Revision = old.ID, call.Exported.Origin, call.Exported.Revision
	return is == *old
}

// pendingID reports whether a CDR number is taken, and whether by a call of this transaction.
func (tx *Tx) pendingID(id rating.CDRID) (taken, pending bool) {
	if tx.Txn.Get(bCDR, kv.Key(nil).U64(uint64(id))) != nil {
		return true, false
	}
	next, ok := tx.batch().next[id.Milli()]
	if !ok || uint32(id&0xfffff) >= next {
		return false, false
	}
	taken = tx.calls.rowOf(id) != nil
	return taken, taken
}

// rowOf returns the row of a call of the batch.
func (b *callBatch) rowOf(id rating.CDRID) []byte {
	if i := slices.IndexFunc(b.rows, func(r pendingRow) bool { return r.id == id }); i >= 0 {
		return b.rows[i].value
	}
	return nil
}

// reserve takes a CDR number out of those that are handed out.
func (tx *Tx) reserve(id rating.CDRID) {
	tx.batch().next[id.Milli()] = max(tx.nextInMilli(id.Milli()), uint32(id&0xfffff)+1)
}

// continues reports whether this store goes on for the one that an export names: it is that store, or
// has no calls and becomes it.
func (tx *Tx) continues(store [6]byte) (bool, error) {
	if tx.cdrSpace() == store {
		return true, nil
	}
	if k, _ := tx.Txn.Cursor(bCDR).First(); k != nil || len(tx.batch().rows) > 0 {
		return false, nil
	}
	tx.batch().store = &store
	space := append(slices.Clone(tx.db.space.Rate[:]), store[:]...)
	if err := tx.putMeta("spaces", space); err != nil {
		return false, err
	}
	tx.published = append(tx.published, func() { tx.db.cdrSpace.Store(&store) })
	return true, nil
}

// cdrSpace names the store in the UUIDs of its calls.
func (tx *Tx) cdrSpace() [6]byte {
	if tx.calls != nil && tx.calls.store != nil {
		return *tx.calls.store
	}
	return *tx.db.cdrSpace.Load()
}

// openingRef is the reference of the posting that import-accounts makes of an account's balance.
func openingRef(a *rating.Account) string { return "opening/" + a.UUID.String() }

// noteRestored remembers what a restored own call moved on an account whose balance came whole.
func (tx *Tx) noteRestored(call *rating.Call) error {
	if !call.Exported.Restore || call.Origin != rating.Own {
		return nil
	}
	legs, n := call.Legs()
	for _, l := range legs[:n] {
		moved := l.Net + l.Tax
		if !l.Credit {
			moved = -moved
		}
		b := tx.batch()
		if b.restored == nil {
			b.restored = map[rating.AccountID]rating.Money{}
		}
		sum, err := b.restored[l.Account].Add(moved)
		if err != nil {
			return err
		}
		b.restored[l.Account] = sum
	}
	return nil
}

// settleRestored lessens opening balances by what restored calls moved.
func (tx *Tx) settleRestored() error {
	ids := make([]rating.AccountID, 0, len(tx.calls.restored))
	for id := range tx.calls.restored {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		moved := tx.calls.restored[id]
		a, err := tx.account(id)
		if err != nil {
			return err
		}
		if moved == 0 || tx.Txn.Get(bPostingRef, textKey(openingRef(a))) == nil {
			continue
		}
		p := transfer(rating.PostingOpening, a, SystemLedger(rating.LedgerAdjustment, a.Currency), -moved)
		p.Text = "Calls that the opening balance holds already"
		if _, err := tx.Post(p); err != nil {
			return err
		}
	}
	return nil
}
