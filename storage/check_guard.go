package storage

import (
	"slices"

	"billd/rating"
)

// guard proves what the guard counted, and that its rows refer to what exists.
func (c *checker) guard() error {
	tx := c.tx
	tx.AccountGuards.EachSound(func(g *AccountGuard) { c.refer("guard", g.ID, "account", g.ID, tx.Accounts.Has) })
	tx.GuardAlarms.EachSound(func(m *GuardAlarm) {
		c.refer("alarm", m.ID, "account", uint64(m.Account), tx.Accounts.Has)
		if m.GuardRule() == rating.NumGuardRules {
			c.fault("alarm %d: rule %q is none", m.ID, m.Rule)
		}
	})
	tx.GuardStates.EachSound(func(s *GuardState) {
		c.refer("guard state", s.ID, "account", s.ID, tx.Accounts.Has)
		if s.Block == nil {
			return
		}
		for _, n := range s.Block.Alarms {
			m, err := tx.GuardAlarms.Get(n)
			if err != nil || uint64(m.Account) != s.ID || !m.Blocks || !m.EndedAt.IsZero() {
				c.fault("guard state %d: blocked by alarm %d, which does not block it", s.ID, n)
			}
		}
	})
	return c.guardTallies()
}

func (c *checker) guardTallies() error {
	b, want := c.guarded.guard, c.guarded.guardCounts
	cur := c.tx.Txn.Cursor(bGuardTally)
	for k, v := cur.First(); k != nil; k, v = cur.Next() {
		key, ok := guardKeyFrom(k)
		if !ok {
			c.fault("guard: tally key %x is damaged", k)
			continue
		}
		n := want[key]
		delete(want, key)
		if !key.exactFrom(b.floor) {
			continue
		}
		is, err := decodeGuardSum(v)
		var sum GuardSum
		if n != nil {
			sum = n.by
		}
		switch {
		case err != nil:
			c.fault("guard: tally of account %d: %v", key.Account, err)
		case is != sum:
			c.fault("guard: tally %d of account %d, period %d: %s; its calls make %s", key.Tally, key.Account, key.Period, is, sum)
		}
	}
	keys := make([][]byte, 0, len(want))
	for k, n := range want {
		if n.by != (GuardSum{}) && k.exactFrom(b.floor) {
			keys = append(keys, k.bytes())
		}
	}
	slices.SortFunc(keys, func(a, b []byte) int { return slices.Compare(a, b) })
	for _, b := range keys {
		k, _ := guardKeyFrom(b)
		c.fault("guard: tally %d of account %d, period %d: none stored; its calls make %s", k.Tally, k.Account, k.Period, want[k].by)
	}
	return nil
}
