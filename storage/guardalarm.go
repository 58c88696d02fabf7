package storage

import (
	"fmt"
	"slices"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// GuardAlarm is a limit of the guard that an account passed.
type GuardAlarm struct {
	ID       uint64           `json:"id"`
	Account  rating.AccountID `json:"account"`
	Rule     string           `json:"rule"`
	From     time.Time        `json:"from"` // the hour, day or night
	Till     time.Time        `json:"till"`
	Limit    int64            `json:"limit"`         // Money or a count, as the rule says
	Value    int64            `json:"value"`         // what passed it
	RaisedAt time.Time        `json:"raised_at"`     //
	CDR      rating.CDRID     `json:"cdr,omitempty"` // the call that passed it; 0: one that was asked for
	Number   string           `json:"number,omitempty"`
	Blocks   bool             `json:"blocks,omitempty"`
	Until    time.Time        `json:"until,omitzero"` // when the block ends by itself; zero: an operator ends it
	EndedAt  time.Time        `json:"ended_at,omitzero"`
	EndedBy  string           `json:"ended_by,omitempty"`
}

// Holds reports whether the alarm blocks its account at an instant.
func (a *GuardAlarm) Holds(now time.Time) bool {
	return a.Blocks && a.EndedAt.IsZero() && (a.Until.IsZero() || now.Before(a.Until))
}

// GuardRule returns the rule whose limit was passed.
func (a *GuardAlarm) GuardRule() rating.GuardRule {
	r, err := rating.ParseGuardRule(a.Rule)
	if err != nil {
		return rating.NumGuardRules
	}
	return r
}

// GuardState is where an account stands with the guard: of each rule the period that was last told of, and
// what blocks it.
type GuardState struct {
	ID    uint64               `json:"id"` // the account
	Marks map[string]GuardMark `json:"marks,omitempty"`
	Block *GuardBlocking       `json:"block,omitempty"`
}

// GuardMark is what was last told of a rule: in a period once, unless a block was lifted in it. From then on
// what comes beyond Base counts.
type GuardMark struct {
	Period uint32 `json:"period"`
	Told   bool   `json:"told,omitempty"`
	Base   int64  `json:"base,omitempty"`
}

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

// guardStateOf returns where an account stands; the caller may change it.
func (tx *Tx) guardStateOf(id rating.AccountID) (*GuardState, error) {
	s, err := tx.GuardStates.Get(uint64(id))
	if err != nil && rating.KindOf(err) == rating.NotFound {
		s, err = &GuardState{ID: uint64(id)}, nil
	}
	if err == nil && s.Marks == nil {
		s.Marks = map[string]GuardMark{}
	}
	return s, err
}

// watchCall raises the alarms that a call brings which was charged now. One that ended too long ago raises
// none, nor does one that is restored from an export.
func (tx *Tx) watchCall(call *rating.Call) error {
	b, err := tx.guardBook()
	if err != nil || !b.active || call.Origin == rating.History || call.Exported.Restore || call.Customer() == 0 {
		return err
	}
	g := b.of(call.Customer())
	if !g.watched || !tx.fresh(&call.CDR) {
		return nil
	}
	a, err := tx.account(call.Customer())
	if err != nil {
		return err
	}
	start := call.Time(rating.CDRTimeStart)
	for r := range rating.NumGuardRules {
		l := &g.Rules[r]
		if !l.Watches() || r == rating.GuardConcurrent {
			continue
		}
		p, in := tx.guardPeriod(g, r, a, start)
		if !in || hourOf(start) < b.floor {
			continue
		}
		value, err := tx.guardValue(r, p.number, a)
		if err != nil {
			return err
		}
		if value <= r.Threshold(l.Limit) {
			continue
		}
		if err := tx.raise(g, r, a, p, value, &GuardAlarm{CDR: call.ID, Number: call.Text(rating.CDRDstPrefixRouting)}); err != nil {
			return err
		}
	}
	return nil
}

// fresh reports whether a call ended lately enough to raise an alarm.
func (tx *Tx) fresh(c *rating.CDR) bool {
	end := c.Time(rating.CDRTimeEnd)
	if !c.Has(rating.CDRTimeEnd) {
		end = c.Time(rating.CDRTimeStart).Add(time.Duration(c.Int(rating.CDRDuration)) * time.Second)
	}
	return tx.now.Sub(end) <= time.Duration(tx.Settings().FreshMinutes())*time.Minute
}

// guardPeriod is an hour, a day or a night.
type guardPeriod struct {
	number     uint32
	from, till time.Time
}

// guardPeriod returns the period of a rule that an instant lies in, if it does in one.
func (tx *Tx) guardPeriod(g *guarded, r rating.GuardRule, a *rating.Account, at time.Time) (p guardPeriod, in bool) {
	loc := tx.db.zone(a.Timezone)
	switch r {
	case rating.GuardSpendDay:
		day := rating.DayOf(at, loc)
		return guardPeriod{uint32(day), day.Start(loc).UTC(), (day + 1).Start(loc).UTC()}, true
	case rating.GuardNightCalls, rating.GuardNightSpend:
		day, in := g.Night.Of(at, loc)
		return guardPeriod{uint32(day), g.Night.Start(day, loc), g.Night.End(day, loc)}, in
	}
	from := at.UTC().Truncate(time.Hour)
	return guardPeriod{hourOf(at), from, from.Add(time.Hour)}, true
}

// guardValue returns what a rule compares with its limit.
func (tx *Tx) guardValue(r rating.GuardRule, period uint32, a *rating.Account) (int64, error) {
	if r == rating.GuardSpendDay {
		key := tallyKey{rating.Day(period), a.ID, rating.CustomerSide, rating.Own}
		t, err := decodeTally(tx.Txn.Get(bTally, key.bytes()))
		if err == nil {
			t, err = addTally(t, tx.tallies[key])
		}
		return int64(t.Net + t.Tax), err
	}
	tally, ok := r.Tally()
	if !ok {
		return 0, nil
	}
	sum, err := tx.guardSum(guardKey{tally, period, a.ID})
	switch r {
	case rating.GuardRiskCalls, rating.GuardNightCalls:
		return sum.Calls, err
	case rating.GuardRiskMinutes:
		return sum.Seconds, err
	}
	return int64(sum.Spent), err
}

// raise keeps an alarm of an account's rule, blocks the account if the rule says so, and queues the
// messages: once in a period, and once more each time that a block was lifted and the limit passed again.
func (tx *Tx) raise(g *guarded, r rating.GuardRule, a *rating.Account, p guardPeriod, value int64, m *GuardAlarm) error {
	s, err := tx.guardStateOf(a.ID)
	if err != nil {
		return err
	}
	l, mark := &g.Rules[r], s.Marks[r.String()]
	if p.number < mark.Period || p.number == mark.Period && (mark.Told || value-mark.Base <= r.Threshold(l.Limit)) {
		return nil
	}
	s.Marks[r.String()] = GuardMark{Period: p.number, Told: true}
	m.Account, m.Rule, m.From, m.Till, m.Limit, m.Value, m.RaisedAt = a.ID, r.String(), p.from, p.till, l.Limit, r.Shown(value), tx.now
	if l.Action == rating.GuardBlock {
		m.Blocks, m.Until = true, tx.blockEnd(g, r, a)
		if l.Passes && !tx.now.Before(m.Until) {
			m.Blocks, m.Until = false, time.Time{} // the night was over when its call came
		}
	}
	if err := tx.GuardAlarms.Put(m); err != nil {
		return err
	}
	if m.Blocks {
		if s.Block != nil && !s.Block.holds(tx.now) {
			if _, err := tx.endBlock(a, s, guardPassed); err != nil {
				return err
			}
		}
		if s.Block == nil {
			s.Block = &GuardBlocking{Since: tx.now, Until: m.Until, Why: guardSentence(a, m)}
		} else if m.Until.IsZero() || !s.Block.Until.IsZero() && s.Block.Until.Before(m.Until) {
			s.Block.Until = m.Until
		}
		s.Block.Alarms = append(s.Block.Alarms, m.ID)
		tx.blocking = guardBlocksSome
	}
	if err := tx.GuardStates.Put(s); err != nil {
		return err
	}
	tx.published = append(tx.published, func() { tx.db.alarms.Add(1) })
	return tx.tellGuard(a, m)
}

// blockEnd returns when a rule's block ends by itself, the zero time if it does not: with the period of
// the rule that holds now.
func (tx *Tx) blockEnd(g *guarded, r rating.GuardRule, a *rating.Account) time.Time {
	if !g.Rules[r].Passes {
		return time.Time{}
	}
	p, in := tx.guardPeriod(g, r, a, tx.now)
	if !in {
		return tx.now
	}
	return p.till
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

// gate returns what the guard says of an account that asks for a call.
func (tx *Tx) gate(a *rating.Account) (gate rating.GuardGate, err error) {
	block, err := tx.GuardBlock(a.ID)
	if err != nil {
		return gate, err
	}
	if block != nil {
		gate.Blocked = block.Why
	}
	g, err := tx.guardedNow(a.ID)
	if err != nil || g == nil {
		return gate, err
	}
	l := &g.Rules[rating.GuardConcurrent]
	gate.Refuses, gate.Most = l.Action == rating.GuardBlock, l.Limit
	return gate, nil
}

// guardedNow returns what is watched of an account, nil for nothing. A reader reads no more than that.
func (tx *Tx) guardedNow(id rating.AccountID) (*guarded, error) {
	if tx.guard == nil && !tx.Txn.Writable() {
		told, _, err := tx.readGuardDefaults()
		if err != nil {
			return nil, err
		}
		g := newGuarded(told.Guard, 0)
		own, err := tx.AccountGuards.Get(uint64(id))
		if err != nil && rating.KindOf(err) != rating.NotFound {
			return nil, err
		}
		if err == nil {
			g = newGuarded(own.Guard.Over(&told.Guard), own.Since)
		}
		return &g, nil
	}
	b, err := tx.guardBook()
	if err != nil || !b.active {
		return nil, err
	}
	return b.of(id), nil
}

// watchAsked raises the alarm of an account that asked for more calls at the same time than its rule
// allows, whether it was granted the last one or the rule refused it.
func (tx *Tx) watchAsked(granted *rating.Grant, number string) error {
	b, err := tx.guardBook()
	if err != nil || !b.active || granted.Refused != "" && granted.Refused != rating.RefusedGuard || tx.Settings().IsAlways(number) {
		return err
	}
	a := granted.Account
	g := b.of(a.ID)
	l := &g.Rules[rating.GuardConcurrent]
	if !l.Watches() {
		return nil
	}
	held, err := tx.Reserved(a.ID)
	if err != nil || held.Originated < uint64(l.Limit) {
		return err
	}
	p, _ := tx.guardPeriod(g, rating.GuardConcurrent, a, tx.now)
	return tx.raise(g, rating.GuardConcurrent, a, p, int64(held.Originated)+1, &GuardAlarm{Number: number})
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

// guardSentence says which limit an alarm's account passed.
func guardSentence(a *rating.Account, m *GuardAlarm) string {
	r := m.GuardRule()
	unit := map[bool]string{true: " " + a.Currency.String()}[r.IsMoney()]
	when := ""
	if r != rating.GuardConcurrent {
		loc := a.Location()
		when = fmt.Sprintf(" from %s to %s", m.From.In(loc).Format("2006-01-02 15:04"), m.Till.In(loc).Format("2006-01-02 15:04 MST"))
	}
	return fmt.Sprintf("account %d: fraud guard, %s %s%s%s, limit %s%s", a.ID, m.Rule, r.Figure(m.Value), unit, when, r.Figure(m.Limit), unit)
}

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

// String spells a sum for operators.
func (s GuardSum) String() string {
	return fmt.Sprintf("%d calls, %d s, %s", s.Calls, s.Seconds, s.Spent)
}
