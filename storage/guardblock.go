package storage

import (
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// GuardBlocking is what blocks an account.
type GuardBlocking struct {
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until,omitzero"` // zero: until an operator lifts it
	Why    string    `json:"why"`
	Alarms []uint64  `json:"alarms"`
}

// holds reports whether the account is blocked at an instant.
func (b *GuardBlocking) holds(now time.Time) bool {
	return b != nil && (b.Until.IsZero() || now.Before(b.Until))
}

// What a transaction knows of blocked accounts.
const (
	guardBlocksUnknown = iota
	guardBlocksNone
	guardBlocksSome
)

// anyBlocked reports whether the guard blocks anybody at all.
func (tx *Tx) anyBlocked() bool {
	if tx.blocking == guardBlocksUnknown {
		tx.blocking = guardBlocksNone
		if k, _ := tx.Txn.Cursor(bGuardBlocked).First(); k != nil {
			tx.blocking = guardBlocksSome
		}
	}
	return tx.blocking == guardBlocksSome
}

// GuardBlock returns what blocks an account, nil for nothing.
func (tx *Tx) GuardBlock(id rating.AccountID) (*GuardBlocking, error) {
	if !tx.anyBlocked() || tx.Txn.Get(bGuardBlocked, kv.Key(nil).U64(uint64(id))) == nil {
		return nil, nil
	}
	s, err := tx.guardStateOf(id)
	if err != nil || !s.Block.holds(tx.now) {
		return nil, err
	}
	return s.Block, nil
}

// BlockedAccounts returns how many accounts the guard blocks.
func (tx *Tx) BlockedAccounts() int { return kv.CountKeys(tx.Txn, bGuardBlocked) }

// GuardAlarmsRaised returns how many alarms were raised since the store was opened.
func (db *DB) GuardAlarmsRaised() int64 { return db.alarms.Load() }

// EachBlocked calls fn with the accounts that the guard blocks, by number.
func (tx *Tx) EachBlocked(fn func(rating.AccountID) error) error {
	c := tx.Txn.Cursor(bGuardBlocked)
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		if err := fn(rating.AccountID(kv.ID(k))); err != nil {
			return err
		}
	}
	return nil
}

// LiftGuard ends what blocks an account and returns the alarms that did. In the hour, day or night that
// runs, each rule that was told of has its whole limit again. Fails with Conflict if nothing blocks it.
func (tx *Tx) LiftGuard(id rating.AccountID) ([]*GuardAlarm, error) {
	a, err := tx.Accounts.Get(uint64(id))
	if err != nil {
		return nil, err
	}
	s, err := tx.guardStateOf(id)
	if err != nil {
		return nil, err
	}
	if s.Block == nil {
		return nil, rating.Errorf(rating.Conflict, "account", "account %d is not blocked by the fraud guard", id)
	}
	for r := range rating.NumGuardRules {
		mark, ok := s.Marks[r.String()]
		if !ok || !mark.Told {
			continue
		}
		if mark.Told = false; r != rating.GuardConcurrent {
			if mark.Base, err = tx.guardValue(r, mark.Period, a); err != nil {
				return nil, err
			}
		}
		s.Marks[r.String()] = mark
	}
	if err := tx.Note("account", uint64(id), "the fraud guard's block was lifted: "+s.Block.Why); err != nil {
		return nil, err
	}
	return tx.endBlock(a, s, tx.by)
}

// endBlock ends what blocks an account.
func (tx *Tx) endBlock(a *rating.Account, s *GuardState, by string) (ended []*GuardAlarm, err error) {
	for _, n := range s.Block.Alarms {
		m, err := tx.GuardAlarms.Get(n)
		if err != nil {
			return nil, err
		}
		m.EndedAt, m.EndedBy = tx.now, by
		if err := tx.GuardAlarms.Put(m); err != nil {
			return nil, err
		}
		ended = append(ended, m)
	}
	s.Block, tx.blocking = nil, guardBlocksUnknown
	if err := tx.GuardStates.Put(s); err != nil || len(ended) == 0 {
		return ended, err
	}
	return ended, tx.tellLifted(a, ended[len(ended)-1])
}

// guardPassed says who ends a block that ends by itself.
const guardPassed = "its window passed"

// Bounds of the guard's own work.
const (
	guardBatch = 500                  // accounts whose blocks one transaction ends, and alarms that it drops
	AlarmKept  = 180 * 24 * time.Hour // an alarm that blocks nobody
)

// EndGuardBlocks ends the blocks that have passed, a bounded number of them, and returns how many.
func (tx *Tx) EndGuardBlocks() (n int, err error) {
	var ids []rating.AccountID
	c := tx.Txn.Cursor(bGuardBlocked)
	for k, _ := c.First(); k != nil && len(ids) < guardBatch; k, _ = c.Next() {
		id := rating.AccountID(kv.ID(k))
		s, err := tx.guardStateOf(id)
		if err != nil {
			return 0, err
		}
		if !s.Block.holds(tx.now) {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		s, err := tx.guardStateOf(id)
		if err != nil {
			return 0, err
		}
		a, err := tx.Accounts.Get(uint64(id))
		if err != nil {
			return 0, err
		}
		if _, err := tx.endBlock(a, s, guardPassed); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}
