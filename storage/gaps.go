package storage

import (
	"context"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// Gaps looks in all that was delivered of a span, charged or held, for what was not. Without From it
// begins a week before Till, without Till it ends now. progress hears how many records were read.
func (db *DB) Gaps(ctx context.Context, span CallSpan, source string, progress func(done int)) ([]rating.SourceGaps, error) {
	if span.Till.IsZero() {
		span.Till = db.Now()
	}
	if span.From.IsZero() {
		span.From = span.Till.AddDate(0, 0, -7)
	}
	finder, done := rating.NewGapFinder(), 0
	add := func(from string, call *rating.Call) {
		if done++; source == "" || from == source {
			finder.Add(from, call.Time(rating.CDRTimeStart), call.CallID())
		}
	}
	var call rating.Call
	for from, till := span.ids(); from < till; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		err := db.View(ctx, func(tx *Tx) error {
			c, n := tx.Txn.Cursor(bCDR), 0
			for k, v := c.Seek(kv.Key(nil).U64(uint64(from))); k != nil && rating.CDRID(kv.ID(k)) < till; k, v = c.Next() {
				id := rating.CDRID(kv.ID(k))
				if n++; n > callPage {
					from = id
					return nil
				}
				if err := decodeCDR(id, v, &call.CDR); err != nil {
					return err
				}
				if call.Origin != rating.History {
					add(call.Text(rating.CDRSource), &call)
				}
			}
			from = till
			return nil
		})
		if err != nil {
			return nil, err
		}
		progress(done)
	}
	err := db.View(ctx, func(tx *Tx) error {
		return tx.Suspense.Each(0, func(s *Suspended) (bool, error) {
			if s.StartAt.Before(span.From) || !s.StartAt.Before(span.Till) {
				return true, nil
			}
			if readable, err := s.Read(&call); err != nil || !readable {
				return true, err
			}
			add(s.Source, &call)
			return true, nil
		})
	})
	return finder.Gaps(earlier(span.Till, db.Now())), err
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
