package storage

import (
	"billd/rating"
	"billd/storage/kv"
)

// PruneAlarms drops alarms that were kept long enough, a bounded number of them, and returns how many.
func (tx *Tx) PruneAlarms() (n int, err error) {
	var old []uint64
	err = tx.GuardAlarms.Each(0, func(m *GuardAlarm) (bool, error) {
		if tx.now.Sub(m.RaisedAt) < AlarmKept {
			return false, nil
		}
		if !m.Blocks || !m.EndedAt.IsZero() {
			old = append(old, m.ID)
		}
		return len(old) < guardBatch, nil
	})
	if err != nil {
		return 0, err
	}
	for _, id := range old {
		if err := tx.GuardAlarms.Delete(id); err != nil {
			return 0, err
		}
	}
	return len(old), nil
}

// EachAlarm calls fn with alarms by number from one on, of one account unless it is 0, until it returns
// false.
func (tx *Tx) EachAlarm(from uint64, id rating.AccountID, fn func(*GuardAlarm) (bool, error)) error {
	if id == 0 {
		return tx.GuardAlarms.Each(from, fn)
	}
	return tx.GuardAlarms.EachUnder(bGuardAlarmAccount, kv.Key(nil).U64(uint64(id)), func(m *GuardAlarm) (bool, error) {
		if m.ID < from {
			return true, nil
		}
		return fn(m)
	})
}

// NewestAlarms calls fn with alarms, the newest first, below a number unless that is 0, until it returns
// false.
func (tx *Tx) NewestAlarms(below uint64, fn func(*GuardAlarm) (bool, error)) error {
	c := tx.Txn.Cursor(bGuardAlarm)
	k, _ := c.Last()
	if below != 0 {
		if k, _ = c.Seek(kv.Key(nil).U64(below)); k != nil {
			k, _ = c.Prev()
		} else {
			k, _ = c.Last()
		}
	}
	for ; k != nil; k, _ = c.Prev() {
		m, err := tx.GuardAlarms.Get(kv.ID(k))
		if err != nil {
			return err
		}
		if more, err := fn(m); err != nil || !more {
			return err
		}
	}
	return nil
}

// GuardWatched is one rule of an account with what it compares now.
type GuardWatched struct {
	Rule  rating.GuardRule
	Limit rating.GuardLimit
	Value int64
}

// GuardNow returns the rules that are watched of an account with what their present hour, day or night
// holds. A night rule outside of a night compares nothing.
func (tx *Tx) GuardNow(a *rating.Account) ([]GuardWatched, error) {
	g, err := tx.guardedNow(a.ID)
	if err != nil || g == nil {
		return nil, err
	}
	var list []GuardWatched
	for r := range rating.NumGuardRules {
		if !g.Rules[r].Watches() {
			continue
		}
		w := GuardWatched{Rule: r, Limit: g.Rules[r]}
		if p, in := tx.guardPeriod(g, r, a, tx.now); in {
			if w.Value, err = tx.guardValue(r, p.number, a); err != nil {
				return nil, err
			}
		}
		if r == rating.GuardConcurrent {
			held, err := tx.Reserved(a.ID)
			if err != nil {
				return nil, err
			}
			w.Value = int64(held.Originated)
		}
		w.Value = r.Shown(w.Value)
		list = append(list, w)
	}
	return list, nil
}
