package storage

import (
	"encoding/json"
	"maps"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// AccountGuard is what the fraud guard is told of one account beside the defaults.
type AccountGuard struct {
	ID    uint64       `json:"id"` // the account
	Guard rating.Guard `json:"guard"`
	Since uint32       `json:"since,omitempty"` // the hour from which its tallies count
}

// guardDefaults is what the guard is told of all accounts.
type guardDefaults struct {
	Guard    rating.Guard `json:"guard"`
	Prefixes []string     `json:"prefixes"` // null: those that a store begins with
}

type guardTables struct {
	guards kv.Table[AccountGuard]
	states kv.Table[GuardState]
	alarms kv.Table[GuardAlarm]
}

// GuardRows are the tables of the fraud guard: what is watched, where accounts stand, what was raised.
type GuardRows struct {
	AccountGuards Rows[AccountGuard]
	GuardStates   Rows[GuardState]
	GuardAlarms   Rows[GuardAlarm]
}

func newGuardTables() guardTables {
	t := guardTables{
		guards: jsonTable("guard", bGuard, func(v *AccountGuard) *uint64 { return &v.ID }),
		states: jsonTable("guard state", bGuardState, func(v *GuardState) *uint64 { return &v.ID }),
		alarms: jsonTable("alarm", bGuardAlarm, func(v *GuardAlarm) *uint64 { return &v.ID }),
	}
	t.states.Audit, t.alarms.Audit = false, false // alarms tell; who lifts a block is noted
	t.states.Index = []kv.Index[GuardState]{{Bucket: bGuardBlocked, Keys: func(s *GuardState) [][]byte {
		if s.Block == nil {
			return nil
		}
		return one(nil)
	}}}
	t.alarms.Index = []kv.Index[GuardAlarm]{{Bucket: bGuardAlarmAccount, Keys: func(a *GuardAlarm) [][]byte {
		return one(kv.Key(nil).U64(uint64(a.Account)))
	}}}
	return t
}

func bindGuards(tx *Tx) GuardRows {
	return GuardRows{bind(tx, &schema.guards), bind(tx, &schema.states), bind(tx, &schema.alarms)}
}

// guardBook is what the guard watches, as charging needs it. It never changes.
type guardBook struct {
	told     guardDefaults
	list     rating.GuardList
	floor    uint32 // calls that began in an hour before it are not counted
	defaults guarded
	own      map[rating.AccountID]*guarded
	rows     map[rating.AccountID]AccountGuard
	active   bool // some account may be watched
}

// guarded is what is watched of an account.
type guarded struct {
	rating.Guard
	watched bool
	counts  uint8
	since   uint32
}

func newGuarded(g rating.Guard, since uint32) guarded {
	return guarded{Guard: g, watched: g.Watches(), counts: g.Counts(), since: since}
}

// countsLike reports whether two guards of an account count the same calls.
func (g *guarded) countsLike(h *guarded) bool {
	return g.counts == h.counts && (g.counts&(1<<rating.GuardNights) == 0 || g.Night.String() == h.Night.String())
}

// of returns what is watched of an account.
func (b *guardBook) of(id rating.AccountID) *guarded {
	if g, ok := b.own[id]; ok {
		return g
	}
	return &b.defaults
}

// newGuardBook makes a book of what is told.
func newGuardBook(told guardDefaults, floor uint32, rows map[rating.AccountID]AccountGuard) *guardBook {
	b := &guardBook{told: told, floor: floor, rows: maps.Clone(rows), defaults: newGuarded(told.Guard, 0), own: make(map[rating.AccountID]*guarded, len(rows))}
	if b.rows == nil {
		b.rows = map[rating.AccountID]AccountGuard{}
	}
	b.list = rating.NewGuardList(told.prefixes())
	b.active = b.defaults.watched
	for id, row := range rows {
		b.own[id] = b.merge(row)
		b.active = b.active || b.own[id].watched
	}
	return b
}

func (b *guardBook) merge(row AccountGuard) *guarded {
	g := newGuarded(row.Guard.Over(&b.told.Guard), row.Since)
	return &g
}

// putGuard puts a row of one account in force: in a copy of the book, unless this transaction made it.
func (tx *Tx) putGuard(b *guardBook, row AccountGuard) {
	if !tx.ownGuard {
		now := *b
		now.own, now.rows = maps.Clone(b.own), maps.Clone(b.rows)
		b = &now
	}
	id := rating.AccountID(row.ID)
	b.own[id], b.rows[id] = b.merge(row), row
	b.active = b.active || b.own[id].watched
	tx.publishGuard(b)
}

func (d *guardDefaults) prefixes() []string {
	if d.Prefixes == nil {
		return rating.GuardPrefixes()
	}
	return d.Prefixes
}

// The keys under which settings and store keep what is told of all accounts, and the tallies' floor.
const (
	guardSetting = "guard"
	guardFloor   = "guard_floor"
)

// readGuard reads what is watched from the store.
func (tx *Tx) readGuard() (*guardBook, error) {
	told, floor, err := tx.readGuardDefaults()
	if err != nil {
		return nil, err
	}
	rows := map[rating.AccountID]AccountGuard{}
	err = tx.AccountGuards.Each(0, func(g *AccountGuard) (bool, error) {
		rows[rating.AccountID(g.ID)] = *g
		return true, nil
	})
	return newGuardBook(told, floor, rows), err
}

func (tx *Tx) readGuardDefaults() (told guardDefaults, floor uint32, err error) {
	for _, v := range [...]struct {
		bucket kv.Bucket
		key    string
		into   any
	}{{bSetting, guardSetting, &told}, {bMeta, guardFloor, &floor}} {
		if err := tx.getJSON(v.bucket, v.key, v.into); err != nil && rating.KindOf(err) != rating.NotFound {
			return told, 0, err
		}
	}
	return told, floor, nil
}

// guardWork is what a transaction knows of the guard.
type guardWork struct {
	guard       *guardBook               // what is watched, nil for what is in force
	guardCounts map[guardKey]*guardCount // what it counts here
	blocking    int                      // whether it blocks anybody
	ownGuard    bool                     // the book was made in this transaction, which alone knows it
}

// guardBook returns what is watched, as this transaction sees it.
func (tx *Tx) guardBook() (*guardBook, error) {
	if tx.guard != nil {
		return tx.guard, nil
	}
	if tx.Txn.Writable() {
		return tx.db.guard.Load(), nil
	}
	b, err := tx.readGuard()
	tx.guard = b
	return b, err
}

// publishGuard puts a book in force for the rest of this transaction and, at commit, for all after it.
func (tx *Tx) publishGuard(b *guardBook) {
	if !tx.ownGuard {
		tx.published = append(tx.published, func() { tx.db.guard.Store(tx.guard) })
	}
	tx.guard, tx.ownGuard = b, true
}

// GuardOf returns what is watched of an account, its own rules over the defaults, and its own alone.
func (tx *Tx) GuardOf(id rating.AccountID) (is, own rating.Guard, err error) {
	b, err := tx.guardBook()
	if err != nil {
		return is, own, err
	}
	return b.of(id).Guard, b.rows[id].Guard, nil
}

// GuardDefaults returns what is watched of accounts that say nothing else, and the high-risk prefixes.
func (tx *Tx) GuardDefaults() (rating.Guard, []string, error) {
	b, err := tx.guardBook()
	if err != nil {
		return rating.Guard{}, nil, err
	}
	return b.told.Guard, b.told.prefixes(), nil
}

// EachGuarded calls fn with the accounts that have rules of their own, by number.
func (tx *Tx) EachGuarded(fn func(rating.AccountID, *rating.Guard) error) error {
	return tx.AccountGuards.Each(0, func(g *AccountGuard) (bool, error) {
		if g.Guard.IsZero() {
			return true, nil
		}
		return true, fn(rating.AccountID(g.ID), &g.Guard)
	})
}

// hourOf returns the hour of the clock in UTC that holds an instant, in hours since 1970.
func hourOf(t time.Time) uint32 { return uint32(max(t.Unix(), 0) / 3600) }

// SetGuard replaces an account's own rules; the zero guard leaves it those of the defaults. What was not
// counted before counts from the hour that now is.
func (tx *Tx) SetGuard(id rating.AccountID, g rating.Guard) error {
	if _, err := tx.Accounts.Get(uint64(id)); err != nil {
		return err
	}
	was, err := tx.guardBook()
	if err != nil {
		return err
	}
	row := AccountGuard{ID: uint64(id), Guard: g, Since: was.rows[id].Since}
	if row.Guard == was.rows[id].Guard {
		return nil
	}
	fresh := !was.of(id).countsLike(was.merge(row))
	if fresh {
		row.Since = hourOf(tx.now)
	}
	if err := tx.AccountGuards.Put(&row); err != nil {
		return err
	}
	tx.putGuard(was, row)
	if fresh {
		return tx.recountGuard(id)
	}
	return nil
}

// recountGuardOf counts an account's calls anew from this hour on: its days lie elsewhere now.
func (tx *Tx) recountGuardOf(id rating.AccountID) error {
	b, err := tx.guardBook()
	if err != nil || b.of(id).counts&(1<<rating.GuardNights) == 0 {
		return err
	}
	row := b.rows[id]
	row.ID, row.Since = uint64(id), hourOf(tx.now)
	if err := tx.AccountGuards.Put(&row); err != nil {
		return err
	}
	tx.putGuard(b, row)
	return tx.recountGuard(id)
}

// SetGuardDefaults replaces what is watched of accounts that say nothing else.
func (tx *Tx) SetGuardDefaults(g rating.Guard) error {
	was, err := tx.guardBook()
	if err != nil || was.told.Guard == g {
		return err
	}
	told := was.told
	told.Guard = g
	now := newGuardBook(told, was.floor, was.rows)
	fresh := !was.defaults.countsLike(&now.defaults)
	for id := range now.own {
		fresh = fresh || !was.own[id].countsLike(now.own[id])
	}
	return tx.saveGuardDefaults(now, fresh)
}

// SetGuardPrefixes replaces the high-risk prefixes; nil are those that a store begins with. Fails with Invalid.
func (tx *Tx) SetGuardPrefixes(list []string) error {
	was, err := tx.guardBook()
	if err != nil {
		return err
	}
	told := was.told
	if told.Prefixes = nil; list != nil {
		if told.Prefixes, err = rating.CheckGuardPrefixes(list); err != nil {
			return err
		}
	}
	now := newGuardBook(told, was.floor, was.rows)
	const risk = 1 << rating.GuardRisk
	fresh := now.defaults.counts&risk != 0
	for id := range now.own {
		fresh = fresh || now.own[id].counts&risk != 0
	}
	return tx.saveGuardDefaults(now, fresh)
}

// saveGuardDefaults stores what is told of all accounts. fresh counts all calls anew from this hour on.
func (tx *Tx) saveGuardDefaults(b *guardBook, fresh bool) error {
	text, err := json.Marshal(b.told)
	if err != nil {
		return err
	}
	old := tx.Txn.Get(bSetting, []byte(guardSetting))
	if err := tx.record("guard defaults", 0, jsonRow(old), text); err != nil {
		return err
	}
	if err := tx.Txn.Put(bSetting, []byte(guardSetting), text); err != nil {
		return err
	}
	if !fresh {
		tx.publishGuard(b)
		return nil
	}
	b.floor = max(b.floor, hourOf(tx.now))
	if err := tx.putMeta(guardFloor, b.floor); err != nil {
		return err
	}
	tx.publishGuard(b)
	return tx.recountGuard(0)
}

func (db *DB) loadGuard(t *Tx) error {
	b, err := t.readGuard()
	if err == nil {
		db.guard.Store(b)
	}
	return err
}
