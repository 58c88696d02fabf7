package storage

import "billd/rating"

// Match finds who pays for a call by the rules of its source, and brings its numbers into the form that is rated.
// Fails with NotFound when nobody does.
func (tx *Tx) Match(call *rating.Call) (rating.Party, error) {
	call.Profile = tx.profileOf(call)
	call.Profile.Apply(call)
	return billBook{tx}.Payer(call)
}

// Try decides what would become of a call if it were delivered now, in a View, and writes nothing. Calls that are
// tried in one View see each other: a duplicate of an earlier one has no number.
func (tx *Tx) Try(call *rating.Call) (rating.Verdict, error) {
	if tx.Txn.Writable() {
		panic("storage: Try in an Update")
	}
	call.Profile = tx.profileOf(call)
	tx.batch()
	tx.billing = &call.CDR
	v, err := rating.Bill(billBook{tx}, call, tx.now)
	tx.billing = nil
	if err != nil || !v.Write {
		return v, err
	}
	key := v.Key
	if v.Outcome == rating.OutcomeSuspended {
		key = heldKey(v)
	}
	place, err := tx.freePlace(key)
	if err == nil {
		tx.remember(call, pendingCall{place: place, content: v.Content, row: -1, reason: v.Reason, price: v.Price, currency: v.Currency})
	}
	return v, err
}
