package storage

import (
	"context"
	"sync/atomic"

	"billd/rating"
)

// authGroup is how many requests one transaction answers at most.
const authGroup = 512

// AuthQueue groups what comes at the same time about calls that begin into one commit each, as Ingest does
// for calls that have ended: a lane of its own, so that no switch waits behind a bulk of records (R20).
type AuthQueue struct {
	db *DB
	*lane[*authWork]
	waiting atomic.Int64
}

type authWork struct {
	by    string
	do    func(*Tx) error
	err   error
	ready chan struct{}
}

// NewAuthQueue starts the queue's writers. Stop ends them.
func NewAuthQueue(db *DB) *AuthQueue {
	q := &AuthQueue{db: db}
	q.lane = newLane(q.commit)
	return q
}

// Do runs fn in a transaction that it shares with others and returns when that is durable.
//
// fn may be run again, has no effect but on its Tx and what it answers with, and has written nothing when
// it refuses. Once queued it is done whatever the caller does. Fails as fn does, with ErrBusy when too many
// wait, and otherwise only when the store is broken.
func (q *AuthQueue) Do(ctx context.Context, fn func(*Tx) error) error {
	if q.waiting.Add(1) > maxQueued {
		q.waiting.Add(-1)
		return ErrBusy
	}
	w := &authWork{by: Principal(ctx), do: fn, ready: make(chan struct{})}
	if err := q.put(context.WithoutCancel(ctx), w, w.ready); err != nil {
		q.waiting.Add(-1)
		return err
	}
	return w.err
}

// commit does a piece of work, and all that waits when its transaction begins, in one. If that fails each
// is tried alone.
func (q *AuthQueue) commit(first *authWork) {
	group := []*authWork{first}
	filled := false
	err := q.run(func() []*authWork {
		if !filled {
			group, filled = q.fill(group), true
		}
		return group
	})
	if err != nil {
		for _, w := range group {
			if len(group) > 1 {
				err = q.run(func() []*authWork { return []*authWork{w} })
			}
			if err != nil {
				w.err = err
			}
		}
	}
	q.waiting.Add(-int64(len(group)))
	for _, w := range group {
		close(w.ready)
	}
}

func (q *AuthQueue) fill(group []*authWork) []*authWork {
	for len(group) < authGroup {
		w, ok := q.next()
		if !ok {
			break
		}
		group = append(group, w)
	}
	return group
}

// run does the work of one transaction. A refusal is its asker's own; only a broken store fails for all.
func (q *AuthQueue) run(group func() []*authWork) error {
	return q.db.Update(context.Background(), func(tx *Tx) error {
		for _, w := range group() {
			tx.by = w.by
			if w.err = w.do(tx); w.err != nil && rating.KindOf(w.err) == rating.Internal {
				return w.err
			}
		}
		return nil
	})
}
