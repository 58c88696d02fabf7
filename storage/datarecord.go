package storage

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// RecordData takes one record of a broadband session in: what it shows beyond the records before it is
// counted on its user's subscription, on the day that its account's zone has at the record's time, and
// charged. A record that came before changes nothing, in whatever order they come. What cannot be taken
// is held with its reason and answered as such; an error means that the store is broken.
func (tx *Tx) RecordData(r *rating.DataRecord) (rating.DataVerdict, error) {
	return tx.recordData(r, tx.Settings().DataRate())
}

// recordData is RecordData with a limit of octets a second, 0 for none.
func (tx *Tx) recordData(r *rating.DataRecord, limit uint64) (rating.DataVerdict, error) {
	if reason, detail := r.Fault(tx.now); reason != "" {
		return tx.holdData(r, reason, detail)
	}
	if r.Status == rating.DataOn || r.Status == rating.DataOff {
		return tx.restartSource(r)
	}
	s, err := tx.dataSessionOf(r)
	if err != nil {
		return rating.DataVerdict{}, err
	}
	points, step := s.Points.Add(r.Point(), s.Dropped, r.Wraps)
	if step.Known || step.Stale {
		return rating.DataVerdict{Outcome: rating.DataDuplicate, Session: s.ID}, nil
	}
	if detail := tooFast(r, s, step, limit); detail != "" {
		return tx.holdData(r, rating.HeldTooFast, detail)
	}
	used, err := s.Used.Add(step.Used)
	var plan *usagePlan
	if err == nil {
		plan, err = tx.planUsage(r.User, r.At, step.Used)
	}
	if err != nil {
		if rating.KindOf(err) == rating.Range {
			return tx.holdData(r, rating.HeldRange, err.Error())
		}
		return rating.DataVerdict{}, err
	}
	s.Dropped = s.Dropped || len(s.Points) == rating.KeptPoints
	s.Points, s.Used = points, used
	s.note(r, step)
	if err := tx.DataSessions.Put(s); err != nil {
		return rating.DataVerdict{}, err
	}
	v := rating.DataVerdict{Outcome: rating.DataStored, Session: s.ID, Used: step.Used}
	if step.Reset {
		v.Outcome = rating.DataReset
	}
	if plan.sub == nil {
		if !step.Used.IsZero() {
			v.Outcome = rating.DataUnassigned
		}
		return v, tx.addUnassigned(r.User, r.At, step.Used)
	}
	v.Subscription, v.Charged = plan.sub.ID, plan.net
	return v, tx.applyUsage(plan)
}

// note keeps what a record says beside its counters.
func (s *DataSession) note(r *rating.DataRecord, step rating.CounterStep) {
	s.Records++
	if step.Reset {
		s.Resets++
	}
	began := r.At
	if r.Status != rating.DataStart {
		began = began.Add(-time.Duration(r.Seconds) * time.Second)
	}
	if began.Before(s.StartAt) && !began.Before(rating.DataEpoch) {
		s.StartAt = began
	}
	s.Seconds = max(s.Seconds, r.Seconds)
	if !r.At.Before(s.LastAt) {
		s.LastAt = r.At
		for _, f := range [...]struct{ to, from *string }{{&s.Address, &r.Address}, {&s.Calling, &r.Calling}, {&s.Called, &r.Called}} {
			if *f.from != "" {
				*f.to = *f.from
			}
		}
	}
	if r.Status == rating.DataStop {
		s.StoppedAt, s.Cause = r.At, r.Cause
	}
}

// tooFast says that more octets passed than can in the time since the record before, with a minute
// granted on top: clocks and sources are not exact. "" if they can.
func tooFast(r *rating.DataRecord, s *DataSession, step rating.CounterStep, limit uint64) string {
	const grace, longest = 60, 10_000_000 // seconds; the product with any limit fits
	if limit == 0 {
		return ""
	}
	seconds := uint64(max(0, r.At.UnixMilli()-step.Since)) / 1000
	if len(s.Points) == 0 {
		seconds = uint64(r.Seconds)
	}
	most := (min(seconds, longest) + grace) * limit
	if step.Used.Up <= most && step.Used.Down <= most {
		return ""
	}
	return fmt.Sprintf("%d octets up and %d down in %d s, data.max_rate is %d a second", step.Used.Up, step.Used.Down, seconds, limit)
}

// startAgain is how long after a session's latest record one that says it starts is another session, and
// not a retransmission by a source that gives no times.
const startAgain = 10 * time.Minute

// dataSessionOf finds the session that a record is of, or makes it, without writing it: the latest one of
// its number and user that had begun by then, unless that is over and the number is used anew.
func (tx *Tx) dataSessionOf(r *rating.DataRecord) (*DataSession, error) {
	s, err := tx.findDataSession(r)
	if err != nil {
		return nil, err
	}
	source, err := tx.dataSource(r.Source)
	if err != nil {
		return nil, err
	}
	if s != nil && !s.anew(r, source.RestartAt) {
		return s, nil
	}
	return &DataSession{Source: r.Source, Session: r.Session, User: r.User, StartAt: r.At, LastAt: r.At}, nil
}

// anew reports whether a record's session number was given out again since s.
func (s *DataSession) anew(r *rating.DataRecord, restart time.Time) bool {
	if !restart.IsZero() && r.At.After(restart) && s.LastAt.Before(restart) {
		return !outlived(r, restart)
	}
	if r.Status != rating.DataStart {
		return false
	}
	if s.Open() {
		return r.At.Sub(s.LastAt) > startAgain
	}
	return r.At.After(s.StoppedAt)
}

// outlived reports whether a record that comes after its source began anew is of a session that was there
// before: a source that shuts down in order still stops its sessions.
func outlived(r *rating.DataRecord, restart time.Time) bool {
	const skew = 30 * time.Second
	if r.Seconds == 0 {
		return r.Status == rating.DataStop
	}
	return r.At.Add(skew - time.Duration(r.Seconds)*time.Second).Before(restart)
}

// findDataSession returns the latest session of a record's number and user that had begun by then, else
// the first of them, else nil.
func (tx *Tx) findDataSession(r *rating.DataRecord) (*DataSession, error) {
	under := sessionKey(r.Source, r.Session, r.User)
	c := tx.Txn.Cursor(bDataSessionKey)
	k, _ := c.Seek(slices.Clone(under).Milli(r.At).U64(^uint64(0)))
	if k == nil {
		k, _ = c.Last()
	} else {
		k, _ = c.Prev()
	}
	if len(k) != len(under)+16 || !bytes.HasPrefix(k, under) {
		if k, _ = c.Seek(under); len(k) != len(under)+16 || !bytes.HasPrefix(k, under) {
			return nil, nil
		}
	}
	return tx.DataSessions.Get(kv.ID(k))
}

// dataSource returns what is known of a source; an empty row of one that never began anew.
func (tx *Tx) dataSource(name string) (*DataSource, error) {
	s, err := tx.DataSources.Rows.Find(bDataSourceName, textKey(name))
	if err == kv.ErrNotFound {
		return &DataSource{Name: name}, nil
	}
	return s, err
}

// restartSource notes that a source began anew: what was open on it is over. EndSessions closes it.
func (tx *Tx) restartSource(r *rating.DataRecord) (rating.DataVerdict, error) {
	s, err := tx.dataSource(r.Source)
	if err != nil {
		return rating.DataVerdict{}, err
	}
	if !r.At.After(s.RestartAt) {
		return rating.DataVerdict{Outcome: rating.DataDuplicate}, nil
	}
	s.RestartAt, s.Restarts = r.At, s.Restarts+1
	return rating.DataVerdict{Outcome: rating.DataStored}, tx.DataSources.Put(s)
}

// maxHeldText bounds in bytes what is kept of a text that no record may have.
const maxHeldText = 300

// holdData keeps a record with the reason why it cannot be taken. The same one again is counted.
func (tx *Tx) holdData(r *rating.DataRecord, reason, detail string) (rating.DataVerdict, error) {
	v := rating.DataVerdict{Outcome: rating.DataHeld, Reason: reason, Detail: detail}
	kept := *r
	for _, f := range [...]*string{&kept.Source, &kept.Session, &kept.User, &kept.Address, &kept.Calling, &kept.Called, &kept.Cause, &kept.Damage} {
		*f = clipText(strings.ToValidUTF8(*f, "?"), maxHeldText)
	}
	if y := kept.At.Year(); y < 1 || y > 9998 {
		kept.At = time.Time{} // a time that JSON cannot say
	}
	text, err := json.Marshal(&kept)
	if err != nil {
		return v, err
	}
	sum := sha256.Sum256(text)
	key := hex.EncodeToString(sum[:16])
	h, err := tx.HeldData.Rows.Find(bDataHeldKey, textKey(key))
	if err == kv.ErrNotFound {
		h, err = &HeldData{At: tx.now, Key: key, Record: kept}, nil
	}
	if err != nil {
		return v, err
	}
	h.Reason, h.Detail, h.Times = reason, detail, h.Times+1
	err = tx.HeldData.Put(h)
	v.Held = h.ID
	return v, err
}

// HeldFilter picks held records: one, those of a reason or a user, or all.
type HeldFilter struct {
	ID     uint64
	Reason string
	User   string
}

// EachHeldData calls fn with the held records that a filter picks, in order of their numbers, from one on,
// until it returns false.
func (tx *Tx) EachHeldData(from uint64, f HeldFilter, fn func(*HeldData) (bool, error)) error {
	if f.ID != 0 {
		h, err := tx.HeldData.Get(f.ID)
		if err == nil {
			_, err = fn(h)
		}
		return err
	}
	return tx.HeldData.Each(from, func(h *HeldData) (bool, error) {
		if f.Reason != "" && h.Reason != f.Reason || f.User != "" && h.Record.User != f.User {
			return true, nil
		}
		return fn(h)
	})
}

// RetryHeldData takes a held record in as if it came now. accept takes one that passed too much in its
// time. It is gone from suspense unless it is held again.
func (tx *Tx) RetryHeldData(id uint64, accept bool) (rating.DataVerdict, error) {
	h, err := tx.HeldData.Get(id)
	if err != nil {
		return rating.DataVerdict{}, err
	}
	limit := tx.Settings().DataRate()
	if accept {
		limit = 0
	}
	v, err := tx.recordData(&h.Record, limit)
	if err != nil || v.Outcome == rating.DataHeld {
		return v, err
	}
	return v, tx.HeldData.Delete(id)
}

// DropHeldData gives a held record up; the audit trail notes it.
func (tx *Tx) DropHeldData(id uint64) error {
	if err := tx.HeldData.Delete(id); err != nil {
		return err
	}
	return tx.Note("held data record", id, "dropped")
}
