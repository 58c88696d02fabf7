package storage

import (
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// guardKey names what the guard counts of one account: in an hour since 1970, or in the night of a day.
type guardKey struct {
	Tally   rating.GuardTally
	Period  uint32
	Account rating.AccountID
}

const guardKeySize = 13

func (k guardKey) bytes() []byte {
	return kv.Key(make([]byte, 0, guardKeySize)).U8(uint8(k.Tally)).U32(k.Period).U64(uint64(k.Account))
}

func guardKeyFrom(b []byte) (k guardKey, ok bool) {
	if len(b) != guardKeySize || b[0] >= uint8(rating.NumGuardTallies) {
		return k, false
	}
	return guardKey{rating.GuardTally(b[0]), binary.BigEndian.Uint32(b[1:]), rating.AccountID(kv.ID(b))}, true
}

// GuardSum is what was counted: answered calls, their talk time, and what all calls cost, VAT included.
type GuardSum struct {
	Spent          rating.Money
	Calls, Seconds int64
}

func (s GuardSum) add(t GuardSum) (GuardSum, error) {
	spent, err := s.Spent.Add(t.Spent)
	return GuardSum{spent, s.Calls + t.Calls, s.Seconds + t.Seconds}, err
}

func appendGuardSum(b []byte, s GuardSum) []byte {
	for _, n := range [...]int64{int64(s.Spent), s.Calls, s.Seconds} {
		b = binary.AppendVarint(b, n)
	}
	return b
}

func decodeGuardSum(b []byte) (s GuardSum, err error) {
	if b == nil {
		return s, nil
	}
	for _, p := range [...]*int64{(*int64)(&s.Spent), &s.Calls, &s.Seconds} {
		n, size := binary.Varint(b)
		if size <= 0 {
			return s, rating.Errorf(rating.Internal, "guard", "a tally of the guard does not decode")
		}
		*p, b = n, b[size:]
	}
	return s, nil
}

// guardCount is what a transaction added to a tally, and what the store held of it, once that was read.
type guardCount struct {
	by, stored GuardSum
	read       bool
}

// How long tallies are kept, and how far from UTC a zone's day may begin, in hours.
const (
	guardKept = 72
	dayShift  = 14
)

// exactFrom reports whether all that a tally counts began in or after an hour.
func (k guardKey) exactFrom(hour uint32) bool {
	if k.Tally == rating.GuardNights {
		return k.Period*24 >= hour+dayShift
	}
	return k.Period >= hour
}

// over reports whether all that a tally counts began before an hour.
func (k guardKey) over(hour uint32) bool {
	if k.Tally == rating.GuardNights {
		return (k.Period+2)*24+dayShift <= hour
	}
	return k.Period < hour
}

// countGuard adds (sign 1) or takes away (-1) an own call on what the guard counts of its customer.
func (tx *Tx) countGuard(c *rating.CDR, a *rating.Account, sign int64) error {
	b, err := tx.guardBook()
	if err != nil || !b.active || c.Origin == rating.History {
		return err
	}
	g := b.of(a.ID)
	if g.counts == 0 {
		return nil
	}
	start := c.Time(rating.CDRTimeStart)
	hour := hourOf(start)
	if hour < b.floor || hour < g.since {
		return nil
	}
	net, tax := c.Effect(rating.CustomerSide)
	by := GuardSum{Spent: rating.Money(-sign) * (net + tax)}
	if c.Bool(rating.CDRSuccess) {
		by.Calls, by.Seconds = sign, sign*c.Int(rating.CDRDuration)
	}
	if tx.guardCounts == nil {
		tx.guardCounts = map[guardKey]*guardCount{}
	}
	for t := range rating.NumGuardTallies {
		if g.counts&(1<<t) == 0 {
			continue
		}
		if key, ok := tx.guardKey(b, g, t, c, a, start); ok {
			if err := tx.addGuard(key, by); err != nil {
				return err
			}
		}
	}
	return nil
}

// guardKey names the tally of a kind that a call belongs to, if it does to one.
func (tx *Tx) guardKey(b *guardBook, g *guarded, t rating.GuardTally, c *rating.CDR, a *rating.Account, start time.Time) (guardKey, bool) {
	key := guardKey{t, hourOf(start), a.ID}
	switch t {
	case rating.GuardRisk:
		return key, b.list.Holds(c.Text(rating.CDRDstPrefixRouting))
	case rating.GuardNights:
		day, in := g.Night.Of(start, tx.db.zone(a.Timezone))
		key.Period = uint32(day)
		return key, in
	}
	return key, true
}

func (tx *Tx) addGuard(key guardKey, by GuardSum) (err error) {
	n := tx.guardCounts[key]
	if n == nil {
		n = &guardCount{}
		tx.guardCounts[key] = n
	}
	n.by, err = n.by.add(by)
	return err
}

// guardSum returns what was counted, with what this transaction adds.
func (tx *Tx) guardSum(key guardKey) (GuardSum, error) {
	n := tx.guardCounts[key]
	if n == nil {
		return decodeGuardSum(tx.Txn.Get(bGuardTally, key.bytes()))
	}
	if err := tx.readGuardCount(key, n); err != nil {
		return GuardSum{}, err
	}
	return n.by.add(n.stored)
}

func (tx *Tx) readGuardCount(key guardKey, n *guardCount) (err error) {
	if !n.read {
		n.stored, err = decodeGuardSum(tx.Txn.Get(bGuardTally, key.bytes()))
		n.read = err == nil
	}
	return err
}

// flushGuard writes what this transaction counted.
func (tx *Tx) flushGuard() error {
	keys := make([][]byte, 0, len(tx.guardCounts))
	for k := range tx.guardCounts {
		keys = append(keys, k.bytes())
	}
	slices.SortFunc(keys, func(a, b []byte) int { return slices.Compare(a, b) })
	for _, key := range keys {
		k, _ := guardKeyFrom(key)
		n := tx.guardCounts[k]
		if err := tx.readGuardCount(k, n); err != nil {
			return err
		}
		sum, err := n.by.add(n.stored)
		switch {
		case err != nil:
		case sum == (GuardSum{}):
			err = tx.Txn.Delete(bGuardTally, key)
		default:
			err = tx.Txn.Put(bGuardTally, key, appendGuardSum(nil, sum))
		}
		if err != nil {
			return err
		}
	}
	tx.guardCounts = nil
	return nil
}

// recountGuard counts the calls of an account, 0 for all, anew that began in this hour or later: what was
// counted by other rules is dropped.
func (tx *Tx) recountGuard(id rating.AccountID) error {
	if err := tx.flushGuard(); err != nil {
		return err
	}
	this := hourOf(tx.now)
	if err := tx.dropGuardTallies(id, this); err != nil {
		return err
	}
	from := int64(this) * 3600 * 1000
	count := func(c *rating.CDR) (bool, error) {
		if c.Customer() == 0 {
			return true, nil
		}
		a, err := tx.account(c.Customer())
		if err != nil {
			return false, err
		}
		return true, tx.countGuard(c, a, 1)
	}
	if id != 0 {
		return tx.EachCallOf(bCDRCustomer, id, from, 0, count)
	}
	var cdr rating.CDR
	cur := tx.Txn.Cursor(bCDR)
	for k, v := cur.Seek(kv.Key(nil).U64(uint64(rating.MakeCDRID(from, 0)))); k != nil; k, v = cur.Next() {
		if err := decodeCDR(rating.CDRID(kv.ID(k)), v, &cdr); err != nil {
			return err
		}
		if _, err := count(&cdr); err != nil {
			return err
		}
	}
	return nil
}

// dropGuardTallies drops what was counted: of one account all of it, of all accounts (0) what is not over
// before this hour. What is over is dropped by and by.
func (tx *Tx) dropGuardTallies(id rating.AccountID, this uint32) error {
	var keys [][]byte
	for t := range rating.NumGuardTallies {
		c := tx.Txn.Cursor(bGuardTally)
		from := guardKey{Tally: t}
		if id == 0 {
			if from.Period = this; t == rating.GuardNights {
				from.Period = this/24 - min(this/24, 2)
			}
		}
		for k, _ := c.Seek(from.bytes()); k != nil && k[0] == uint8(t); k, _ = c.Next() {
			if key, ok := guardKeyFrom(k); ok && (id == 0 || key.Account == id) {
				keys = append(keys, slices.Clone(k))
			}
		}
	}
	for _, k := range keys {
		if err := tx.Txn.Delete(bGuardTally, k); err != nil {
			return err
		}
	}
	return nil
}

// guardDropBatch is how many old tallies one transaction drops.
const guardDropBatch = 5000

// DropGuardTallies drops tallies that no rule looks at any more, a bounded number of them, and returns how
// many. Calls that began before are counted no more.
func (tx *Tx) DropGuardTallies() (n int, err error) {
	b, err := tx.guardBook()
	if err != nil {
		return 0, err
	}
	if floor := hourOf(tx.now); floor > guardKept && floor-guardKept > b.floor {
		floor -= guardKept
		if !b.active && tx.noGuardTally() {
			return 0, nil
		}
		now := *b
		now.own, now.rows, now.floor = maps.Clone(b.own), maps.Clone(b.rows), floor
		if err := tx.putMeta(guardFloor, floor); err != nil {
			return 0, err
		}
		tx.publishGuard(&now)
		b = &now
	}
	var old [][]byte
	for t := range rating.NumGuardTallies {
		c := tx.Txn.Cursor(bGuardTally)
		for k, _ := c.Seek([]byte{uint8(t)}); k != nil && k[0] == uint8(t) && len(old) < guardDropBatch; k, _ = c.Next() {
			if key, ok := guardKeyFrom(k); ok && !key.over(b.floor) {
				break
			}
			old = append(old, slices.Clone(k))
		}
	}
	for _, k := range old {
		if err := tx.Txn.Delete(bGuardTally, k); err != nil {
			return 0, err
		}
	}
	return len(old), nil
}

func (tx *Tx) noGuardTally() bool {
	k, _ := tx.Txn.Cursor(bGuardTally).First()
	return k == nil
}
