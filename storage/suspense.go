package storage

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// hold puts a call into suspense with its reason. A conflict leaves the key to the first record.
func (tx *Tx) hold(call *rating.Call, v rating.Verdict) (uint64, error) {
	key := heldKey(v)
	if v.Reason == rating.ReasonConflict {
		if id, found, err := tx.sameConflict(key, v.Content); err != nil || found {
			return id, err
		}
	}
	place, err := tx.freePlace(key)
	if err != nil {
		return 0, err
	}
	s := &Suspended{Reason: v.Reason, Detail: v.Detail, At: tx.now, Source: call.Text(rating.CDRSource),
		HeldCall: heldCallOf(call), StartAt: writtenTime(call), CallKey: place[:]}
	if err := tx.Suspense.Put(s); err != nil {
		return 0, err
	}
	tx.remember(call, pendingCall{place: place, content: v.Content, row: -1, suspense: s.ID, reason: v.Reason, detail: v.Detail})
	return s.ID, nil
}

// writtenTime returns the start of a held call, zero when it lies in no year that a date can be
// written in: switches send milliseconds where seconds belong.
func writtenTime(call *rating.Call) time.Time {
	if t := call.Time(rating.CDRTimeStart); t.Year() >= 1 && t.Year() <= 9999 {
		return t
	}
	return time.Time{}
}

// heldKey is where a held call is looked for. A conflicting record is keyed by its content, so that
// its repetition is found too.
func heldKey(v rating.Verdict) rating.CallKey {
	if v.Reason == rating.ReasonConflict {
		v.Key.Hash = v.Content
	}
	return v.Key
}

// sameConflict finds a conflicting record that was delivered before with the same content.
func (tx *Tx) sameConflict(k rating.CallKey, content uint64) (uint64, bool, error) {
	place := placeOf(k, 0)
	if i, ok := tx.batch().seen[place]; ok {
		n := tx.calls.keyed[i].suspense
		return n, n != 0, nil
	}
	raw := tx.storedAt(place)
	if raw == nil {
		return 0, false, nil
	}
	v, err := callValueFrom(raw)
	return v.number, err == nil && v.held && v.content == content, err
}

// HoldRaw puts a record that could not be read into suspense; the same text again is the same row.
func (tx *Tx) HoldRaw(source, raw, detail string) (uint64, error) {
	var call rating.Call
	call.SetText(rating.CDRSource, source)
	call.AccountRef = raw
	content := call.Content()
	place := placeOf(rating.CallKey{Hash: content}, 0)
	if i, ok := tx.batch().seen[place]; ok {
		return tx.calls.keyed[i].suspense, nil
	}
	if b := tx.storedAt(place); b != nil {
		v, err := callValueFrom(b)
		return v.number, err
	}
	const maxRaw = 64 << 10 // bytes of an unreadable record that are kept
	if len(raw) > maxRaw {
		raw = raw[:maxRaw]
	}
	s := &Suspended{Reason: rating.ReasonBadRecord, Detail: detail, At: tx.now, Source: source, Raw: raw, CallKey: place[:]}
	if err := tx.Suspense.Put(s); err != nil {
		return 0, err
	}
	tx.remember(&call, pendingCall{place: place, content: content, row: -1, suspense: s.ID, reason: s.Reason, detail: s.Detail})
	return s.ID, nil
}

func heldCallOf(call *rating.Call) HeldCall {
	return HeldCall{Call: appendCDR(nil, &call.CDR), Account: call.AccountRef, Vendor: call.VendorRef, Rated: call.Rated, Gateway: call.Gateway, Inbound: call.Inbound}
}

// Read makes call what was delivered; false when nothing of it could be read.
func (h *HeldCall) Read(call *rating.Call) (bool, error) {
	call.Reset()
	if len(h.Call) == 0 {
		return false, nil
	}
	err := decodeCDR(0, h.Call, &call.CDR)
	call.AccountRef, call.VendorRef, call.Rated = h.Account, h.Vendor, h.Rated
	call.Gateway, call.Inbound = h.Gateway, h.Inbound
	return true, err
}

// RetrySuspended bills a held call again, as if it were delivered now. What can be charged becomes a
// CDR, the row goes, and the key that makes the call once leads to the CDR from then on; else the row
// stays with the reason of now. A record that could not be read is not tried.
func (tx *Tx) RetrySuspended(id uint64) (rating.Verdict, error) {
	return tx.retrySuspended(id, func(s *Suspended, _ *rating.Call) error {
		return rating.Errorf(rating.Invalid, "suspense", "%s", s.Detail)
	})
}

// ReadAgain reads what was kept of a record that could not be read into call, which is empty. It fails with why it
// still cannot be read.
type ReadAgain func(s *Suspended, call *rating.Call) error

func (tx *Tx) retrySuspended(id uint64, again ReadAgain) (rating.Verdict, error) {
	s, err := tx.Suspense.Get(id)
	if err != nil {
		return rating.Verdict{}, err
	}
	stays := rating.Verdict{Outcome: rating.OutcomeSuspended, Suspense: id, Reason: s.Reason, Detail: s.Detail}
	call := &tx.batch().scratch
	readable, err := s.Read(call)
	if err != nil {
		return stays, err
	}
	if !readable {
		if why := again(s, call); why != nil {
			if strings.HasSuffix(s.Detail, why.Error()) { // behind the line of its file
				return stays, nil
			}
			s.Detail, stays.Detail = why.Error(), why.Error()
			s.Attempts++
			return stays, tx.Suspense.Put(s)
		}
		s.HeldCall, s.Raw, s.StartAt = heldCallOf(call), "", writtenTime(call)
	}
	call.Profile = tx.profileOf(call)
	tx.calls.self, tx.billing = id, &call.CDR
	v, err := rating.Bill(billBook{tx}, call, tx.now)
	tx.calls.self, tx.billing = 0, nil
	if err != nil {
		return v, err
	}
	was := callPlace(s.CallKey)
	switch {
	case v.Outcome == rating.OutcomeSuspended:
		if s.Reason, s.Detail = v.Reason, v.Detail; v.Reason == "" {
			s.Reason, s.Detail = stays.Reason, stays.Detail
		}
		s.Attempts++
		v.Suspense = id
		return v, tx.Suspense.Put(s)
	case v.Outcome == rating.OutcomeDuplicate:
		// a conflict whose first record was dropped and delivered again with this content
		return v, tx.dropSuspended(s)
	}
	place := was
	if was.key() != v.Key {
		if place, err = tx.freePlace(v.Key); err != nil {
			return v, err
		}
		if err := tx.freeKey(was); err != nil {
			return v, err
		}
	}
	if err := tx.Suspense.Delete(id); err != nil {
		return v, err
	}
	return v, tx.apply(call, v, place)
}

// DropSuspended gives up a held call, with a note in the audit trail. Its key is freed: when the
// switch delivers the record again it is a new one.
func (tx *Tx) DropSuspended(id uint64) error {
	s, err := tx.Suspense.Get(id)
	if err != nil {
		return err
	}
	if err := tx.Note("suspense", id, fmt.Sprintf("dropped: %s: %s", s.Reason, s.Detail)); err != nil {
		return err
	}
	return tx.dropSuspended(s)
}

func (tx *Tx) dropSuspended(s *Suspended) error {
	if err := tx.freeKey(callPlace(s.CallKey)); err != nil {
		return err
	}
	return tx.Suspense.Delete(s.ID)
}

// freeKey empties a place of cdr.call. The last of the calls that share its key moves into it: the
// search under a key ends at the first empty place.
func (tx *Tx) freeKey(p callPlace) error {
	last := p
	for n := p[12] + 1; n < maxSameKey; n++ {
		next := placeOf(p.key(), n)
		if _, pending := tx.batch().seen[next]; pending {
			return rating.Errorf(rating.Conflict, "suspense", "another call takes the same key at this moment: try again")
		}
		if tx.storedAt(next) == nil {
			break
		}
		last = next
	}
	if last != p {
		moved := bytes.Clone(tx.storedAt(last))
		if err := tx.Txn.Put(bCDRCall, p[:], moved); err != nil {
			return err
		}
		if v, err := callValueFrom(moved); err != nil {
			return err
		} else if v.held {
			s, err := tx.Suspense.Get(v.number)
			if err != nil {
				return err
			}
			s.CallKey = p[:]
			if err := tx.Suspense.Put(s); err != nil {
				return err
			}
		}
	}
	return tx.Txn.Delete(bCDRCall, last[:])
}

// retryChunk is how many held calls one transaction tries or drops, so that charging goes on.
const retryChunk = 1000

// suspendedAfter returns a chunk of the numbers that a filter picks, from one on.
func (tx *Tx) suspendedAfter(from uint64, f SuspenseFilter) (ids []uint64, err error) {
	if f.ID != 0 {
		if from > f.ID {
			return nil, nil
		}
		_, err := tx.Suspense.Get(f.ID)
		return []uint64{f.ID}, err
	}
	err = tx.EachSuspended(from, f, func(s *Suspended) (bool, error) {
		ids = append(ids, s.ID)
		return len(ids) < retryChunk, nil
	})
	return ids, err
}

// RetrySuspense tries the held calls that a filter picks, in order of their numbers, a chunk in each
// transaction. each hears what became of them once that is durable. Fails with NotFound for a number
// that does not exist. Records that could not be read are read by again, which may be nil.
func (db *DB) RetrySuspense(ctx context.Context, f SuspenseFilter, again ReadAgain, each func([]rating.Verdict)) error {
	retry := (*Tx).RetrySuspended
	if again != nil {
		retry = func(tx *Tx, id uint64) (rating.Verdict, error) { return tx.retrySuspended(id, again) }
	}
	return db.eachSuspended(ctx, f, retry, each)
}

// DropSuspense drops the held calls that a filter picks, a chunk in each transaction.
func (db *DB) DropSuspense(ctx context.Context, f SuspenseFilter, each func([]rating.Verdict)) error {
	return db.eachSuspended(ctx, f, func(tx *Tx, id uint64) (rating.Verdict, error) {
		return rating.Verdict{Outcome: rating.OutcomeSuspended, Suspense: id}, tx.DropSuspended(id)
	}, each)
}

func (db *DB) eachSuspended(ctx context.Context, f SuspenseFilter, do func(*Tx, uint64) (rating.Verdict, error), each func([]rating.Verdict)) error {
	var till uint64 // rows that come meanwhile are left for the next time
	err := db.View(ctx, func(tx *Tx) error {
		if k, _ := tx.Txn.Cursor(bSuspense).Last(); k != nil {
			till = kv.ID(k)
		}
		return nil
	})
	for from := uint64(1); err == nil && (from <= till || f.ID != 0); {
		if err := ctx.Err(); err != nil {
			return err
		}
		var verdicts []rating.Verdict
		var ids []uint64
		err = db.Update(ctx, func(tx *Tx) (err error) {
			verdicts = verdicts[:0]
			if ids, err = tx.suspendedAfter(from, f); err != nil {
				return err
			}
			for _, id := range ids {
				v, err := do(tx, id)
				if err != nil {
					return err
				}
				verdicts = append(verdicts, v)
			}
			return nil
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, v := range verdicts {
			db.outcomes[v.Outcome&3].Add(1)
		}
		each(verdicts)
		from = ids[len(ids)-1] + 1
	}
	return err
}
