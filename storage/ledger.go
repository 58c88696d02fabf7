package storage

import (
	"encoding/binary"
	"slices"

	"billd/rating"
	"billd/storage/kv"
)

// tallyKey names one account's local day on one side.
type tallyKey struct {
	Day     rating.Day
	Account rating.AccountID
	Side    rating.Side
	Origin  rating.Origin
}

func (k tallyKey) bytes() []byte {
	return kv.Key(nil).U32(uint32(k.Day)).U64(uint64(k.Account)).U8(uint8(k.Side)).U8(uint8(k.Origin))
}

func tallyKeyFrom(b []byte) (k tallyKey, ok bool) {
	if len(b) != 14 {
		return k, false
	}
	return tallyKey{rating.Day(binary.BigEndian.Uint32(b)), rating.AccountID(binary.BigEndian.Uint64(b[4:])), rating.Side(b[12]), rating.Origin(b[13])}, true
}

// Post writes a posting and moves both balances. A posting whose reference was posted before changes
// nothing: it takes the earlier one's place and fresh is false.
func (tx *Tx) Post(p *rating.Posting) (fresh bool, err error) {
	if err := p.Valid(); err != nil {
		return false, err
	}
	if p.Ref != "" {
		if earlier, err := tx.Postings.Find(bPostingRef, textKey(p.Ref)); err == nil {
			*p = *earlier
			return false, nil
		} else if rating.KindOf(err) != rating.NotFound {
			return false, err
		}
	}
	if p.At.IsZero() {
		p.At = tx.now
	}
	if err := tx.Postings.Put(p); err != nil {
		return false, err
	}
	if err := tx.move(p.Debit, rating.Balance{Debits: p.Amount}); err != nil {
		return false, err
	}
	return true, tx.move(p.Credit, rating.Balance{Credits: p.Amount})
}

// move adds to a ledger's balance; it is written once, when the transaction finishes.
func (tx *Tx) move(l rating.Ledger, by rating.Balance) error {
	if tx.moves == nil {
		tx.moves = map[rating.Ledger]rating.Balance{}
	}
	sum, err := tx.moves[l].Add(by)
	if err != nil {
		return err
	}
	tx.moves[l] = sum
	return nil
}

// Balance returns a ledger's sums, with what this transaction has moved so far.
func (tx *Tx) Balance(l rating.Ledger) (rating.Balance, error) {
	b, err := tx.storedBalance(l.Key())
	if err != nil {
		return b, err
	}
	if by, ok := tx.moves[l]; ok {
		return b.Add(by)
	}
	return b, nil
}

// AccountBalance returns what an account holds.
func (tx *Tx) AccountBalance(a *rating.Account) (rating.Money, error) {
	b, err := tx.Balance(AccountLedger(a))
	return b.Amount(), err
}

// AccountLedger names the ledger of a billing account.
func AccountLedger(a *rating.Account) rating.Ledger {
	return rating.Ledger{Kind: rating.LedgerAccount, Currency: a.Currency, Account: a.ID}
}

// SystemLedger names a ledger of the operator's own books.
func SystemLedger(kind rating.LedgerKind, c rating.Currency) rating.Ledger {
	return rating.Ledger{Kind: kind, Currency: c}
}

func (tx *Tx) storedBalance(key []byte) (b rating.Balance, err error) {
	v := tx.Txn.Get(bBalance, key)
	if v == nil {
		return b, nil
	}
	for _, m := range []*rating.Money{&b.CallDebits, &b.CallCredits, &b.Debits, &b.Credits} {
		n, size := binary.Varint(v)
		if size <= 0 {
			return b, rating.Errorf(rating.Internal, "balance", "a balance row does not decode")
		}
		*m = rating.Money(n)
		v = v[size:]
	}
	return b, nil
}

func (tx *Tx) flushBalances() error {
	type row struct {
		key []byte
		by  rating.Balance
	}
	rows := make([]row, 0, len(tx.moves))
	for l, by := range tx.moves {
		rows = append(rows, row{l.Key(), by})
	}
	slices.SortFunc(rows, func(a, b row) int { return slices.Compare(a.key, b.key) })
	for _, r := range rows {
		b, err := tx.storedBalance(r.key)
		if err != nil {
			return err
		}
		if b, err = b.Add(r.by); err != nil {
			return err
		}
		v := make([]byte, 0, 24)
		for _, m := range []rating.Money{b.CallDebits, b.CallCredits, b.Debits, b.Credits} {
			v = binary.AppendVarint(v, int64(m))
		}
		if err := tx.Txn.Put(bBalance, r.key, v); err != nil {
			return err
		}
	}
	tx.moves = nil
	return nil
}

// EachBalance calls fn with every ledger and its sums as stored.
func (tx *Tx) EachBalance(fn func(rating.Ledger, rating.Balance) error) error {
	c := tx.Txn.Cursor(bBalance)
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		l, err := rating.LedgerFromKey(k)
		if err != nil {
			return err
		}
		b, err := tx.storedBalance(k)
		if err != nil {
			return err
		}
		if err := fn(l, b); err != nil {
			return err
		}
	}
	return nil
}

// countCall adds (sign 1) or takes away (sign -1) a call on the day tally of each side, and on what the
// fraud guard counts of its customer.
func (tx *Tx) countCall(c *rating.CDR, sign int64) error {
	for side, id := range [...]rating.AccountID{c.Customer(), c.Vendor()} {
		if id == 0 {
			continue
		}
		a, err := tx.account(id)
		if err != nil {
			return err
		}
		if err := tx.countSide(c, rating.Side(side), a, sign); err != nil {
			return err
		}
		if rating.Side(side) == rating.CustomerSide {
			if err := tx.countGuard(c, a, sign); err != nil {
				return err
			}
		}
	}
	return nil
}

// countSide counts a call on one side's account, on the day that its zone had at the start.
func (tx *Tx) countSide(c *rating.CDR, side rating.Side, a *rating.Account, sign int64) error {
	var net, tax rating.Money
	legs, n := c.Legs()
	for _, l := range legs[:n] {
		if l.Side == side {
			net, tax = l.Net, l.Tax
			if l.Credit != (side == rating.VendorSide) {
				net, tax = -net, -tax // against the usual direction
			}
		}
	}
	billed := c.Int(rating.CDRCustomerDuration)
	if side == rating.VendorSide {
		billed = c.Int(rating.CDRVendorDuration)
	}
	day := rating.DayOf(c.Time(rating.CDRTimeStart), tx.db.zone(a.Timezone))
	return tx.tally(tallyKey{day, a.ID, side, c.Origin}, c, billed, net, tax, sign)
}

func (tx *Tx) tally(key tallyKey, c *rating.CDR, billed int64, net, tax rating.Money, sign int64) error {
	if tx.tallies == nil {
		tx.tallies = map[tallyKey]rating.Tally{}
	}
	t := tx.tallies[key]
	answered := uint64(0)
	if c.Bool(rating.CDRSuccess) {
		answered = 1
	}
	t.Calls += uint64(sign)
	t.Answered += answered * uint64(sign)
	t.Seconds += uint64(c.Int(rating.CDRDuration) * sign)
	t.Billed += uint64(billed * sign)
	var err error
	if t.Net, err = t.Net.Add(net * rating.Money(sign)); err != nil {
		return err
	}
	if t.Tax, err = t.Tax.Add(tax * rating.Money(sign)); err != nil {
		return err
	}
	tx.tallies[key] = t
	return nil
}

func (tx *Tx) flushTallies() error {
	keys := make([][]byte, 0, len(tx.tallies))
	for k := range tx.tallies {
		keys = append(keys, k.bytes())
	}
	slices.SortFunc(keys, func(a, b []byte) int { return slices.Compare(a, b) })
	for _, key := range keys {
		k, _ := tallyKeyFrom(key)
		t, err := decodeTally(tx.Txn.Get(bTally, key))
		if err != nil {
			return err
		}
		if t, err = addTally(t, tx.tallies[k]); err != nil {
			return err
		}
		if t.IsZero() {
			err = tx.Txn.Delete(bTally, key)
		} else {
			err = tx.Txn.Put(bTally, key, appendTally(nil, t))
		}
		if err != nil {
			return err
		}
	}
	tx.tallies = nil
	return nil
}

func addTally(a, b rating.Tally) (rating.Tally, error) {
	net, err := a.Net.Add(b.Net)
	if err != nil {
		return a, err
	}
	tax, err := a.Tax.Add(b.Tax)
	return rating.Tally{Calls: a.Calls + b.Calls, Answered: a.Answered + b.Answered, Seconds: a.Seconds + b.Seconds, Billed: a.Billed + b.Billed, Net: net, Tax: tax}, err
}

func appendTally(dst []byte, t rating.Tally) []byte {
	for _, n := range [...]uint64{t.Calls, t.Answered, t.Seconds, t.Billed} {
		dst = binary.AppendUvarint(dst, n)
	}
	dst = binary.AppendVarint(dst, int64(t.Net))
	return binary.AppendVarint(dst, int64(t.Tax))
}

func decodeTally(b []byte) (t rating.Tally, err error) {
	if b == nil {
		return t, nil
	}
	damaged := rating.Errorf(rating.Internal, "tally", "a day tally does not decode")
	for _, p := range [...]*uint64{&t.Calls, &t.Answered, &t.Seconds, &t.Billed} {
		n, size := binary.Uvarint(b)
		if size <= 0 {
			return t, damaged
		}
		*p, b = n, b[size:]
	}
	for _, p := range [...]*rating.Money{&t.Net, &t.Tax} {
		n, size := binary.Varint(b)
		if size <= 0 {
			return t, damaged
		}
		*p, b = rating.Money(n), b[size:]
	}
	return t, nil
}

// EachTally calls fn with every day tally from one local day up to but not including another, all
// accounts, in order of days.
func (tx *Tx) EachTally(from, till rating.Day, fn func(day rating.Day, a rating.AccountID, s rating.Side, o rating.Origin, t rating.Tally) error) error {
	c := tx.Txn.Cursor(bTally)
	for k, v := c.Seek(kv.Key(nil).U32(uint32(from))); k != nil; k, v = c.Next() {
		key, ok := tallyKeyFrom(k)
		if !ok {
			return rating.Errorf(rating.Internal, "tally", "a day tally has a damaged key")
		}
		if key.Day >= till {
			return nil
		}
		t, err := decodeTally(v)
		if err != nil {
			return err
		}
		if err := fn(key.Day, key.Account, key.Side, key.Origin, t); err != nil {
			return err
		}
	}
	return nil
}
