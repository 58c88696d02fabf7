package storage

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"billd/rating"
)

// Limits of the ingest queue (R20).
const (
	maxQueued    = 10000                  // records waiting
	maxQueueWait = 250 * time.Millisecond // of the oldest one, before newcomers are refused
	maxWaiting   = 5000                   // records that may wait that long
	bulkGroup    = 3000                   // records of a group; a submission of more is a bulk one
	writers      = 2                      // one charges a group while the other's is synced
)

// ErrBusy says that the queue is full; nothing of the submission was stored.
var ErrBusy = &rating.Error{Kind: rating.Limit, Field: "queue", Rule: "busy", Msg: "too many calls are waiting, try again in a moment"}

// Record is one delivered record: a call that was read, or the text of one that could not be.
type Record struct {
	Call   *rating.Call
	Raw    string // with Detail: why it could not be read
	Detail string
	Source string
	Half   *rating.Half // the record does not tell the call alone; of a BYE Call says the source and nothing else
}

// Ingest groups calls that are delivered at the same time into one commit each: it drains what is
// waiting, writes it with one fsync and answers everybody (never bbolt's Batch).
type Ingest struct {
	db *DB
	*lane[*submission]
	queued atomic.Int64
	oldest atomic.Int64 // unix ns since when something has been waiting, 0 when nothing is
}

type submission struct {
	by       string
	records  []Record
	verdicts []rating.Verdict
	err      error
	ready    chan struct{}
}

// NewIngest starts the queue's writers. Stop ends them.
func NewIngest(db *DB) *Ingest {
	q := &Ingest{db: db}
	q.lane = newLane(q.commit)
	return q
}

// Waiting returns how many records are queued.
func (q *Ingest) Waiting() int { return int(q.queued.Load()) }

// Submit charges records and returns when they are durable: a verdict per record, in order.
//
// Once queued they are committed whatever the caller does; a caller that left delivers again and is
// told duplicate. Fails with ErrBusy when the queue is full, and otherwise only when the store is broken.
func (q *Ingest) Submit(ctx context.Context, records []Record) ([]rating.Verdict, error) {
	n := int64(len(records))
	if n == 0 {
		return nil, nil
	}
	if q.busy(n) {
		return nil, ErrBusy
	}
	s := &submission{by: Principal(ctx), records: records, ready: make(chan struct{})}
	q.queued.Add(n)
	q.oldest.CompareAndSwap(0, time.Now().UnixNano())
	switch err := q.put(ctx, s, s.ready); err {
	case nil:
		return s.verdicts, s.err
	case ErrBusy:
		q.queued.Add(-n)
		return nil, err
	default:
		return nil, err
	}
}

// busy reports whether the queue cannot take n more records. A single large submission to an empty
// queue is always taken.
func (q *Ingest) busy(n int64) bool {
	waiting := q.queued.Load()
	if waiting > 0 && waiting+n > maxQueued {
		return true
	}
	since := q.oldest.Load()
	return waiting > maxWaiting && since != 0 && time.Since(time.Unix(0, since)) > maxQueueWait
}

// fill takes what waits behind the first submission into its group, unless that is large already.
func (q *Ingest) fill(g *group) {
	for g.records < bulkGroup {
		s, ok := q.next()
		if !ok {
			return
		}
		g.add(s)
	}
}

// group is the submissions of one transaction.
type group struct {
	submissions []*submission
	records     int
}

func (g *group) add(s *submission) {
	g.submissions = append(g.submissions, s)
	g.records += len(s.records)
}

// commit charges a submission, and all that wait when its transaction begins, in one. If that fails
// each submission is tried alone.
func (q *Ingest) commit(first *submission) {
	g := &group{}
	g.add(first)
	if err := q.db.charge(g, q.fill); err != nil {
		for _, s := range g.submissions {
			if len(g.submissions) > 1 {
				err = q.db.charge(groupOf(s), nil)
			}
			s.err = err
		}
	}
	if q.queued.Add(-int64(g.records)) == 0 {
		q.oldest.Store(0)
	} else {
		q.oldest.Store(time.Now().UnixNano())
	}
	for _, s := range g.submissions {
		close(s.ready)
	}
}

func groupOf(s *submission) *group {
	return &group{[]*submission{s}, len(s.records)}
}

// Outcomes returns how many calls became what since the store was opened, by rating.Outcome.
func (db *DB) Outcomes() (n [4]int64) {
	for i := range db.outcomes {
		n[i] = db.outcomes[i].Load()
	}
	return n
}

// charge charges a group in one transaction and counts what became of it. fill, if there is one, adds
// what came while the transaction waited for others.
//
// A record whose figures leave what a balance or a day's total can hold makes the transaction fail for
// all. The submission is then halved until that record stands alone, and it is held: only a fault of
// the store is an error.
func (db *DB) charge(g *group, fill func(*group)) error {
	err := db.chargeGroup(g, fill)
	if unstorable(err) && len(g.submissions) == 1 {
		err = db.chargeHalves(g.submissions[0], err)
	}
	if err != nil {
		return err
	}
	for _, s := range g.submissions {
		for _, v := range s.verdicts {
			if v.Outcome < rating.OutcomeWaiting {
				db.outcomes[v.Outcome].Add(1)
			}
		}
	}
	return nil
}

// unstorable reports whether err is about a record and not about the store.
func unstorable(err error) bool {
	return err != nil && (rating.KindOf(err) == rating.Range || rating.KindOf(err) == rating.Limit)
}

// chargeHalves charges a submission that failed with why in two parts, each in transactions of its own.
func (db *DB) chargeHalves(s *submission, why error) error {
	if len(s.records) == 1 {
		return db.holdUnstorable(s, why)
	}
	var verdicts []rating.Verdict
	half := len(s.records) / 2
	for _, records := range [...][]Record{s.records[:half], s.records[half:]} {
		part := &submission{by: s.by, records: records}
		err := db.chargeGroup(groupOf(part), nil)
		if unstorable(err) {
			err = db.chargeHalves(part, err)
		}
		if err != nil {
			return err
		}
		verdicts = append(verdicts, part.verdicts...)
	}
	s.verdicts = verdicts
	return nil
}

// holdUnstorable puts a single record into suspense, because its figures fit nowhere.
func (db *DB) holdUnstorable(s *submission, why error) error {
	r := &s.records[0]
	if r.Call == nil {
		return why
	}
	return db.Update(context.Background(), func(tx *Tx) error {
		tx.by = s.by
		hold := func(call *rating.Call) (rating.Verdict, error) { return tx.holdUnstorable(call, why) }
		v, err := rating.Verdict{}, error(nil)
		if r.Half != nil {
			v, err = tx.hearHalf(r, hold)
		} else {
			v, err = hold(r.Call)
		}
		s.verdicts = []rating.Verdict{v}
		return err
	})
}

func (tx *Tx) holdUnstorable(told *rating.Call, why error) (rating.Verdict, error) {
	call := *told
	call.Profile = tx.profileOf(&call)
	v, err := rating.Bill(billBook{tx}, &call, tx.now)
	switch {
	case err != nil && !unstorable(err):
		return v, err
	case err == nil && (!v.Write || v.Outcome == rating.OutcomeSuspended):
	default:
		call = *told
		v = rating.Verdict{Outcome: rating.OutcomeSuspended, Reason: rating.ReasonRange, Detail: why.Error(), Write: true, Key: v.Key, Content: v.Content}
	}
	if v.Write {
		v.Suspense, err = tx.hold(&call, v)
		return v, err
	}
	return v, nil
}

func (db *DB) chargeGroup(g *group, fill func(*group)) error {
	update := db.Update
	if g.records >= bulkGroup {
		update = db.Bulk
	}
	return update(context.Background(), func(tx *Tx) error {
		if fill != nil {
			fill(g)
			fill = nil // should this run again, the group is the same
		}
		for _, s := range g.submissions {
			s.err, s.verdicts = nil, slices.Grow(s.verdicts[:0], len(s.records))
			tx.by = s.by
			for i := range s.records {
				v, err := tx.take(&s.records[i])
				if err != nil {
					return err
				}
				s.verdicts = append(s.verdicts, v)
			}
		}
		return nil
	})
}

// take charges one record. The caller's call is left as it came, so that a group can be tried again.
func (tx *Tx) take(r *Record) (rating.Verdict, error) {
	if r.Half != nil {
		return tx.hearHalf(r, tx.Charge)
	}
	if r.Call == nil {
		return tx.holdText(r.Source, r.Raw, r.Detail)
	}
	call := &tx.batch().scratch
	*call = *r.Call
	return tx.Charge(call)
}

// ChargeNow charges records in one transaction of its own, past the queue: the bulk import, which
// brings its own groups.
func (db *DB) ChargeNow(ctx context.Context, records []Record) ([]rating.Verdict, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := &submission{by: Principal(ctx), records: records}
	err := db.charge(groupOf(s), nil)
	if errors.Is(err, context.Canceled) {
		return nil, ctx.Err()
	}
	return s.verdicts, err
}
