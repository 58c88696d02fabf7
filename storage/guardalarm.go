package storage

import (
	"fmt"
	"time"

	"billd/rating"
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

// String spells a sum for operators.
func (s GuardSum) String() string {
	return fmt.Sprintf("%d calls, %d s, %s", s.Calls, s.Seconds, s.Spent)
}
