package storage

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"billd/rating"
	"billd/storage/kv"
)

// Dialog is a call that no record tells alone (rating.Half): one half of it came, or all of it not long ago.
type Dialog struct {
	ID       uint64       `json:"id"`
	Scope    string       `json:"scope"`
	Key      string       `json:"key"`
	Machine  string       `json:"machine,omitempty"`
	Source   string       `json:"source"`
	Whole    bool         `json:"whole,omitempty"`
	HeldCall              // as the INVITE tells it, until it is charged
	StartAt  time.Time    `json:"start_at,omitzero"`
	EndAt    time.Time    `json:"end_at,omitzero"`
	Kept     string       `json:"kept,omitempty"` // of the half that came first, until it is charged
	HeardAt  time.Time    `json:"heard_at"`
	DueAt    time.Time    `json:"due_at"`             // when it is looked at again
	CDR      rating.CDRID `json:"cdr,omitempty"`      // that it became
	Suspense uint64       `json:"suspense,omitempty"` // where it, or the half that is alone, waits instead
}

// How long halves are kept.
const (
	dialogLongest = 24 * time.Hour     // an INVITE waits for its BYE
	byeAlone      = time.Hour          // a BYE for the INVITE that it overtook
	dialogKept    = time.Hour          // a call that is told: its switch may not have heard the answer
	dialogLate    = 7 * 24 * time.Hour // one in suspense: its other half may still come
	maxDialogs    = 1_000_000          // then the one that is due next waits no more
	dialogChunk   = 500                // that one transaction looks at
)

// Waiting reports whether the call's other half is waited for.
func (d *Dialog) Waiting() bool { return d.CDR == 0 && d.Suspense == 0 }

// complete reports whether both halves are there.
func (d *Dialog) complete() bool { return d.Whole || !d.StartAt.IsZero() && !d.EndAt.IsZero() }

type dialogTables struct{ dialogs kv.Table[Dialog] }

// DialogRows is the table of calls that are told in halves.
type DialogRows struct{ Dialogs Rows[Dialog] }

func dialogKey(scope, key string) []byte { return kv.Key(make([]byte, 0, 96)).Text(scope).Text(key) }

// keyText is a text that can stand in a key: one that cannot is named by its hash.
func keyText(s string) string {
	const longest = 256 // bytes; a Call-ID with its tags has some 100
	if len(s) <= longest && utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func newDialogTables() dialogTables {
	t := jsonTable("dialog", bDialog, func(v *Dialog) *uint64 { return &v.ID })
	t.Unique = []kv.Unique[Dialog]{{Bucket: bDialogKey, Field: "key", Key: func(v *Dialog) []byte { return dialogKey(v.Scope, v.Key) }}}
	t.Index = []kv.Index[Dialog]{{Bucket: bDialogDue, Keys: func(v *Dialog) [][]byte { return one(kv.Key(nil).Milli(v.DueAt)) }}}
	t.Audit = false // a record of work
	return dialogTables{t}
}

func bindDialogs(tx *Tx) DialogRows { return DialogRows{bind(tx, &schema.dialogs)} }

// charger charges a call, or holds it.
type charger func(*rating.Call) (rating.Verdict, error)

// hearHalf keeps a half of a call; the one that completes it has it charged. A half that is there changes nothing.
func (tx *Tx) hearHalf(r *Record, charge charger) (rating.Verdict, error) {
	source := r.Source
	if r.Call != nil {
		source = r.Call.Text(rating.CDRSource)
	}
	scope, key := keyText(cmp.Or(r.Half.Scope, source)), keyText(r.Half.Key)
	d, err := tx.Dialogs.Rows.Find(bDialogKey, dialogKey(scope, key))
	switch {
	case err == kv.ErrNotFound:
		if err := tx.roomForDialog(); err != nil {
			return rating.Verdict{}, err
		}
		d = &Dialog{Scope: scope, Key: key, Machine: keyText(r.Half.Machine), Source: source, Whole: r.Half.Whole, Kept: r.Half.Kept, HeardAt: tx.now}
	case err != nil:
		return rating.Verdict{}, err
	case !d.lacks(r.Half):
		return tx.toldBefore(d)
	}
	d.take(r)
	if !d.complete() {
		if d.DueAt = tx.now.Add(dialogLongest); d.StartAt.IsZero() {
			d.DueAt = tx.now.Add(byeAlone)
		}
		return rating.Verdict{Outcome: rating.OutcomeWaiting}, tx.Dialogs.Put(d)
	}
	v, err := tx.tellDialog(d, r, charge)
	if err != nil {
		return v, err
	}
	d.CDR, d.Suspense, d.DueAt = v.ID, v.Suspense, tx.now.Add(dialogKept)
	if v.ID != 0 {
		d.HeldCall, d.Kept = HeldCall{}, ""
	}
	return v, tx.Dialogs.Put(d)
}

// lacks reports whether h is the half that d does not have.
func (d *Dialog) lacks(h *rating.Half) bool {
	switch {
	case d.Whole || h.Whole:
		return false
	case h.End != 0:
		return d.EndAt.IsZero()
	}
	return d.StartAt.IsZero()
}

// take takes a half over.
func (d *Dialog) take(r *Record) {
	if r.Half.End != 0 {
		d.EndAt = time.UnixMicro(r.Half.End).UTC()
		return
	}
	if r.Call != nil {
		d.StartAt, d.HeldCall = writtenTime(r.Call), heldCallOf(r.Call)
	}
}

// tellDialog charges the call that is complete with r. What waits in suspense of a half that was alone goes.
func (tx *Tx) tellDialog(d *Dialog, r *Record, charge charger) (rating.Verdict, error) {
	call := &tx.batch().scratch
	switch {
	case r.Call == nil:
		return tx.holdText(r.Source, r.Raw, r.Detail)
	case d.Whole:
		*call = *r.Call
		return charge(call)
	}
	if err := tx.fetchFromSuspense(d); err != nil {
		return rating.Verdict{}, err
	}
	if d.EndAt.Before(d.StartAt) {
		return tx.holdText(d.Source, d.Kept, fmt.Sprintf("ended at %s, before its INVITE at %s", d.EndAt.Format(time.RFC3339Nano), d.StartAt.Format(time.RFC3339Nano)))
	}
	if _, err := d.Read(call); err != nil {
		return rating.Verdict{}, err
	}
	call.SetTime(rating.CDRTimeEnd, d.EndAt)
	call.SetInt(rating.CDRDuration, int64((d.EndAt.Sub(d.StartAt)+time.Second-1)/time.Second)) // as a file's two records
	return charge(call)
}

// fetchFromSuspense takes the half out of suspense that was alone, if it is there.
func (tx *Tx) fetchFromSuspense(d *Dialog) error {
	if d.Suspense == 0 || !tx.Suspense.Has(d.Suspense) {
		return nil
	}
	s, err := tx.Suspense.Get(d.Suspense)
	if err != nil {
		return err
	}
	if err := tx.Note("suspense", s.ID, "the other half of its call has come"); err != nil {
		return err
	}
	return tx.dropSuspended(s)
}

// holdText puts what cannot be charged into suspense as text.
func (tx *Tx) holdText(source, raw, why string) (rating.Verdict, error) {
	id, err := tx.HoldRaw(source, raw, why)
	return rating.Verdict{Outcome: rating.OutcomeSuspended, Reason: rating.ReasonBadRecord, Detail: why, Suspense: id}, err
}

// toldBefore answers a half that is there with what became of its call.
func (tx *Tx) toldBefore(d *Dialog) (v rating.Verdict, err error) {
	switch {
	case d.Waiting():
		return rating.Verdict{Outcome: rating.OutcomeWaiting}, nil
	case d.CDR != 0:
		return tx.duplicateOf(d.CDR)
	}
	v = rating.Verdict{Outcome: rating.OutcomeSuspended, Suspense: d.Suspense, Reason: rating.ReasonBadRecord}
	if s, err := tx.Suspense.Rows.Get(d.Suspense); err != kv.ErrNotFound {
		if err == nil {
			v.Reason, v.Detail = s.Reason, s.Detail
		}
		return v, err
	}
	e, found, err := tx.inBooks(d) // it was retried there, or dropped
	if err == nil && found && e.ID != 0 {
		return tx.duplicateOf(e.ID)
	}
	v.Detail = fmt.Sprintf("given up in suspense, as %d", d.Suspense)
	return v, err
}

// duplicateOf answers a record of a call that is charged.
func (tx *Tx) duplicateOf(id rating.CDRID) (rating.Verdict, error) {
	var cdr rating.CDR
	if err := tx.chargedCall(id, &cdr); err != nil {
		return rating.Verdict{}, err
	}
	v := rating.Verdict{Outcome: rating.OutcomeDuplicate, ID: id, Price: cdr.Money(rating.CDRCustomerPrice), Currency: tx.Settings().Currency}
	if a, err := tx.account(cdr.Customer()); err == nil {
		v.Currency = a.Currency
	}
	return v, nil
}

// chargedCall reads a call that is stored, or charged in this transaction.
func (tx *Tx) chargedCall(id rating.CDRID, c *rating.CDR) error {
	for _, r := range tx.batch().rows {
		if r.id == id {
			return decodeCDR(id, r.value, c)
		}
	}
	return tx.CDR(id, c)
}

// inBooks finds what is known of the call of an INVITE by its id: a file may have told it whole.
func (tx *Tx) inBooks(d *Dialog) (rating.Earlier, bool, error) {
	var call rating.Call
	if there, err := d.Read(&call); err != nil || !there {
		return rating.Earlier{}, false, err
	}
	key, _ := call.Key()
	return billBook{tx}.Earlier(&call, key, 0)
}

// roomForDialog makes room for one more.
func (tx *Tx) roomForDialog() error {
	if tx.db.dialogs.Load() < maxDialogs {
		tx.db.dialogs.Add(1) // not when this commits: what publishes something holds up who comes next
		return nil
	}
	due, err := tx.dueDialogs(math.MaxInt64, 1)
	if err != nil || len(due) == 0 {
		return err
	}
	if d := due[0]; d.Waiting() {
		if _, err := tx.holdText(d.Source, d.Kept, fmt.Sprintf("%s, and %d other calls wait", d.wants(), maxDialogs)); err != nil {
			return err
		}
	}
	return tx.Dialogs.Delete(due[0].ID)
}

// wants says which half is missing.
func (d *Dialog) wants() string {
	if d.StartAt.IsZero() {
		return "a BYE whose INVITE did not come: when the call was answered is not known"
	}
	return "answered, and its BYE did not come: when it ended is not known"
}

// dueDialogs returns calls that are to be looked at by an instant in milliseconds since 1970, at most limit, the
// earliest first.
func (tx *Tx) dueDialogs(by int64, limit int) (due []*Dialog, err error) {
	c := tx.Txn.Cursor(bDialogDue)
	for k, _ := c.First(); len(k) == 16 && int64(binary.BigEndian.Uint64(k)) <= by && len(due) < limit; k, _ = c.Next() {
		d, err := tx.Dialogs.Get(kv.ID(k))
		if err != nil {
			return nil, err
		}
		due = append(due, d)
	}
	return due, nil
}

// EndDialogs puts halves into suspense whose other half has not come, and forgets calls that are told. It returns how
// many it looked at.
func (db *DB) EndDialogs(ctx context.Context) (done int, err error) {
	for n := dialogChunk; n == dialogChunk; done += n {
		if err := ctx.Err(); err != nil {
			return done, err
		}
		err := db.Update(ctx, func(tx *Tx) error {
			due, err := tx.dueDialogs(tx.now.UnixMilli(), dialogChunk)
			n = len(due)
			for _, d := range due {
				if err := tx.endDialog(d); err != nil {
					return err
				}
			}
			return err
		})
		if err != nil {
			return done, err
		}
	}
	if done > 0 {
		return done, db.countDialogs(ctx)
	}
	return 0, nil
}

// countDialogs counts the calls that are kept. In between their number rises with each that comes, and with some twice.
func (db *DB) countDialogs(ctx context.Context) error {
	return db.View(ctx, func(tx *Tx) error {
		db.dialogs.Store(int64(tx.Dialogs.Count()))
		return nil
	})
}

func (tx *Tx) endDialog(d *Dialog) error {
	if !d.Waiting() {
		return tx.Dialogs.Delete(d.ID)
	}
	if _, found, err := tx.inBooks(d); err != nil {
		return err
	} else if found {
		return tx.Dialogs.Delete(d.ID)
	}
	v, err := tx.holdText(d.Source, d.Kept, d.wants())
	if err != nil {
		return err
	}
	d.Suspense, d.DueAt = v.Suspense, tx.now.Add(dialogLate)
	return tx.Dialogs.Put(d)
}

// EndDialogsOf has the calls of a machine that lack a half looked at now: it was restarted, and none will come. It
// returns how many they are.
func (tx *Tx) EndDialogsOf(scope, machine string) (n int, err error) {
	var ids []uint64
	under, machine := kv.Key(nil).Text(keyText(scope)), keyText(machine)
	c := tx.Txn.Cursor(bDialogKey)
	for k, v := c.Seek(under); bytes.HasPrefix(k, under); k, v = c.Next() {
		ids = append(ids, kv.ID(v))
	}
	for _, id := range ids {
		d, err := tx.Dialogs.Get(id)
		if err != nil {
			return n, err
		}
		if d.Machine != machine || !d.Waiting() || !d.DueAt.After(tx.now) {
			continue
		}
		d.DueAt = tx.now
		if err := tx.Dialogs.Put(d); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// dialogs finds told calls that are not there, and waiting ones of which nothing is.
func (c *checker) dialogs() {
	c.tx.Dialogs.EachSound(func(d *Dialog) {
		switch {
		case d.CDR != 0:
			c.refer("dialog", d.ID, "CDR", uint64(d.CDR), func(id uint64) bool { return c.tx.Txn.Get(bCDR, kv.Key(nil).U64(id)) != nil })
		case d.Waiting() && d.StartAt.IsZero() == d.EndAt.IsZero():
			c.fault("dialog %d: waits, and has not one half", d.ID)
		case !d.StartAt.IsZero() && len(d.Call) == 0:
			c.fault("dialog %d: has no call", d.ID)
		}
	})
}
