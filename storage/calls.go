package storage

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strconv"

	"billd/rating"
	"billd/storage/kv"
)

// callBatch holds the calls of one transaction until it finishes: they are then written sorted, which
// touches each page once. Members of the batch see each other through it.
type callBatch struct {
	ids    []rating.CDRID // in the order they came
	rows   []pendingRow
	seen   map[string]pendingCall // call key ‖ n → what it became
	next   map[int64]uint32       // start ms → sequence to hand out
	arena  []byte
	nextNo uint64
}

type pendingRow struct {
	id               rating.CDRID
	value            []byte
	customer, vendor rating.AccountID
}

type pendingCall struct {
	content  uint64
	row      int // in rows, -1 when it went to suspense
	suspense uint64
	reason   string
	call     rating.CDR
	price    rating.Money
	currency rating.Currency
}

// callValue is what a call key leads to.
type callValue struct {
	number  uint64 // of the CDR, or of the suspense row
	content uint64
	held    bool // the number is a suspense number
}

const callKeySize = 13

// maxSameKey bounds how many different calls may share a key; 64-bit hashes make two unlikely.
const maxSameKey = 8

func callKey(k rating.CallKey, n uint8) []byte {
	return kv.Key(make([]byte, 0, callKeySize)).U32(k.Minute).U64(k.Hash).U8(n)
}

func (v callValue) bytes() []byte {
	held := uint8(0)
	if v.held {
		held = 1
	}
	return kv.Key(make([]byte, 0, 17)).U64(v.number).U64(v.content).U8(held)
}

func callValueFrom(b []byte) (callValue, error) {
	if len(b) != 17 {
		return callValue{}, rating.Errorf(rating.Internal, "cdr", "a call key leads to a damaged value")
	}
	return callValue{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:]), b[16] == 1}, nil
}

func (tx *Tx) batch() *callBatch {
	if tx.calls == nil {
		tx.calls = &callBatch{seen: map[string]pendingCall{}, next: map[int64]uint32{}}
	}
	return tx.calls
}

// billBook is the transaction as rating.Bill reads it.
type billBook struct{ tx *Tx }

var _ rating.BillBook = billBook{}

// Settings returns the settings in force.
func (b billBook) Settings() *rating.Settings { return b.tx.Settings() }

// Earlier looks for the call in the minute of its start and the two beside it (R15).
func (b billBook) Earlier(call *rating.Call, key rating.CallKey, content uint64) (rating.Earlier, bool, error) {
	_, identified := call.Key()
	around := []int64{0, -1, 1}
	if !identified || key.Minute == 0 {
		around = around[:1]
	}
	for _, off := range around {
		k := key
		k.Minute = uint32(int64(key.Minute) + off)
		e, found, err := b.at(call, k, content, identified)
		if err != nil || found {
			return e, found, err
		}
	}
	return rating.Earlier{}, false, nil
}

// at looks under one key: in the batch, then in the store.
func (b billBook) at(call *rating.Call, k rating.CallKey, content uint64, identified bool) (e rating.Earlier, found bool, err error) {
	for n := uint8(0); n < maxSameKey; n++ {
		key := callKey(k, n)
		if p, ok := b.tx.batch().seen[string(key)]; ok {
			if identified && !p.call.SameCall(&call.CDR) {
				continue
			}
			e = rating.Earlier{Suspense: p.suspense, Reason: p.reason, SameInput: p.content == content, Price: p.price, Currency: p.currency}
			if p.row >= 0 {
				e.ID = b.tx.calls.rows[p.row].id
			}
			return e, true, nil
		}
		raw := b.tx.Txn.Get(bCDRCall, key)
		if raw == nil {
			return e, false, nil
		}
		v, err := callValueFrom(raw)
		if err != nil {
			return e, false, err
		}
		e, same, err := b.stored(call, v, identified)
		if err != nil {
			return e, false, err
		}
		if same {
			e.SameInput = v.content == content
			return e, true, nil
		}
	}
	return e, false, rating.Errorf(rating.Limit, "cdr", "more than %d calls share one key", maxSameKey)
}

// stored reads what a key leads to and confirms it on the full ids.
func (b billBook) stored(call *rating.Call, v callValue, identified bool) (e rating.Earlier, same bool, err error) {
	var cdr rating.CDR
	if v.held {
		s, err := b.tx.Suspense.Get(v.number)
		if err != nil {
			return e, false, err
		}
		if len(s.Call) > 0 {
			if err := decodeCDR(0, s.Call, &cdr); err != nil {
				return e, false, err
			}
		}
		e = rating.Earlier{Suspense: v.number, Reason: s.Reason}
	} else {
		if err := b.tx.CDR(rating.CDRID(v.number), &cdr); err != nil {
			return e, false, err
		}
		e = rating.Earlier{ID: cdr.ID, Price: cdr.Money(rating.CDRCustomerPrice), Currency: b.Settings().Currency}
		if a, err := b.tx.account(cdr.Customer()); err == nil {
			e.Currency = a.Currency
		}
	}
	return e, !identified || cdr.SameCall(&call.CDR), nil
}

// Payer finds who is charged: the account that the record names; else the one whose number rules say.
func (b billBook) Payer(call *rating.Call) (rating.Party, error) {
	a, err := b.tx.party(call.AccountRef, call.Customer())
	if err != nil {
		return rating.Party{}, err
	}
	plan := a.RatePlan
	if plan == 0 {
		plan = rating.DefaultPlan
	}
	return rating.Party{Account: a, Plan: plan, Decks: b.tx.db.Catalog().Plan(plan)}, nil
}

// Vendor finds who terminated the call.
func (b billBook) Vendor(call *rating.Call) (rating.Party, error) {
	a, err := b.tx.party(call.VendorRef, call.Vendor())
	if err != nil {
		return rating.Party{}, err
	}
	return rating.Party{Account: a, Decks: b.tx.db.Catalog().Vendor(a.ID)}, nil
}

func (tx *Tx) party(ref string, id rating.AccountID) (*rating.Account, error) {
	switch {
	case ref != "":
		return tx.AccountByRef(ref)
	case id != 0:
		return tx.account(id)
	}
	return nil, rating.Errorf(rating.NotFound, "account", "the record names no account and no rule tells who pays")
}

// NewCDRID reserves the next number of a millisecond.
func (b billBook) NewCDRID(milli int64) (rating.CDRID, error) {
	batch := b.tx.batch()
	seq, ok := batch.next[milli]
	if !ok {
		c := b.tx.Txn.Cursor(bCDR)
		after := kv.Key(nil).U64(uint64(rating.MakeCDRID(milli+1, 0)))
		k, _ := c.Seek(after)
		if k == nil {
			k, _ = c.Last()
		} else {
			k, _ = c.Prev()
		}
		if k != nil {
			if last := rating.CDRID(kv.ID(k)); last.Milli() == milli {
				seq = uint32(last&0xfffff) + 1
			}
		}
	}
	if seq > 0xfffff {
		return 0, rating.Errorf(rating.Limit, "time_start", "more than 1048576 calls start in one millisecond")
	}
	batch.next[milli] = seq + 1
	return rating.MakeCDRID(milli, seq), nil
}

// account returns an account from the charging cache; a closed one is found too, for history.
func (tx *Tx) account(id rating.AccountID) (*rating.Account, error) {
	if tx.known != nil {
		if a := tx.known[id]; a != nil {
			return a, nil
		}
	}
	if !tx.Txn.Writable() {
		return tx.Accounts.Get(uint64(id))
	}
	if a, ok := tx.db.accounts[id]; ok && !tx.changedAccount(id) {
		return a, nil
	}
	a, err := tx.Accounts.Get(uint64(id))
	if err == nil && !tx.changedAccount(id) {
		tx.db.accounts[id] = a
	}
	return a, err
}

// changedAccount reports whether this transaction wrote the account, so that the cache is behind.
func (tx *Tx) changedAccount(id rating.AccountID) bool {
	_, ok := tx.dirty[id]
	return ok
}

// AccountByRef finds an open account by decimal number, UUID in either spelling, or exact name.
func (tx *Tx) AccountByRef(ref string) (*rating.Account, error) {
	var a *rating.Account
	var err error
	if n, perr := strconv.ParseUint(ref, 10, 63); perr == nil && len(ref) < 20 {
		a, err = tx.account(rating.AccountID(n))
	} else if u, perr := rating.ParseUUID(ref); perr == nil {
		a, err = tx.Accounts.Find(bAccountUUID, uuidKey(u))
	} else {
		err = rating.Errorf(rating.NotFound, "account", "no account")
	}
	if err != nil && rating.KindOf(err) == rating.NotFound {
		a, err = tx.Accounts.Find(bAccountName, textKey(ref))
	}
	if err != nil && rating.KindOf(err) != rating.NotFound {
		return nil, err
	}
	if err != nil || a.Closed() {
		return nil, rating.Errorf(rating.NotFound, "account", "account %q does not exist", clip(ref))
	}
	return a, nil
}

func clip(s string) string {
	const most = 60
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// Charge bills one call and applies what was decided: CDR, postings, balances, tally and the key that
// makes it once, all in this transaction.
func (tx *Tx) Charge(call *rating.Call) (rating.Verdict, error) {
	v, err := rating.Bill(billBook{tx}, call, tx.now)
	if err != nil || !v.Write {
		return v, err
	}
	if v.Outcome == rating.OutcomeSuspended {
		v.Suspense, err = tx.hold(call, v)
		return v, err
	}
	if err := tx.moveCall(&call.CDR, 1); err != nil {
		return v, err
	}
	if err := tx.countCall(&call.CDR, 1); err != nil {
		return v, err
	}
	if err := tx.noteLate(&call.CDR); err != nil {
		return v, err
	}
	batch := tx.batch()
	start := len(batch.arena)
	batch.arena = appendCDR(batch.arena, &call.CDR)
	batch.rows = append(batch.rows, pendingRow{id: v.ID, value: batch.arena[start:len(batch.arena):len(batch.arena)], customer: call.Customer(), vendor: call.Vendor()})
	batch.ids = append(batch.ids, v.ID)
	return v, tx.remember(call, v, pendingCall{content: v.Content, row: len(batch.rows) - 1, price: v.Price, currency: v.Currency})
}

// remember takes the first free place under the call's key.
func (tx *Tx) remember(call *rating.Call, v rating.Verdict, p pendingCall) error {
	// only what tells calls apart is kept
	p.call.SetText(rating.CDRSource, call.Text(rating.CDRSource))
	p.call.SetText(rating.CDRCallID, call.CallID())
	if call.Has(rating.CDRRoutingAttempt) {
		p.call.SetInt(rating.CDRRoutingAttempt, call.Int(rating.CDRRoutingAttempt))
	}
	batch := tx.batch()
	for n := uint8(0); n < maxSameKey; n++ {
		key := callKey(v.Key, n)
		if _, ok := batch.seen[string(key)]; ok || tx.Txn.Get(bCDRCall, key) != nil {
			continue
		}
		batch.seen[string(key)] = p
		return nil
	}
	return rating.Errorf(rating.Limit, "cdr", "more than %d calls share one key", maxSameKey)
}

// hold puts a call into suspense with its reason. A conflict leaves the key to the first record.
func (tx *Tx) hold(call *rating.Call, v rating.Verdict) (uint64, error) {
	s := &Suspended{Reason: v.Reason, Detail: v.Detail, At: tx.now, Source: call.Text(rating.CDRSource),
		Call: appendCDR(nil, &call.CDR), Account: call.AccountRef, Vendor: call.VendorRef, Rated: call.Rated,
		StartAt: call.Time(rating.CDRTimeStart)}
	if v.Reason == rating.ReasonConflict {
		if id, found, err := tx.sameConflict(s, v); err != nil || found {
			return id, err
		}
		s.CallKey = nil
		if err := tx.Suspense.Put(s); err != nil {
			return 0, err
		}
		return s.ID, tx.remember(call, conflictVerdict(v), pendingCall{content: v.Content, row: -1, suspense: s.ID, reason: v.Reason})
	}
	if err := tx.Suspense.Put(s); err != nil {
		return 0, err
	}
	return s.ID, tx.remember(call, v, pendingCall{content: v.Content, row: -1, suspense: s.ID, reason: v.Reason})
}

// conflictVerdict keys a conflicting record by its content, so that its repetition is found too.
func conflictVerdict(v rating.Verdict) rating.Verdict {
	v.Key.Hash = v.Content
	return v
}

// sameConflict finds a conflicting record that was delivered before with the same content.
func (tx *Tx) sameConflict(_ *Suspended, v rating.Verdict) (uint64, bool, error) {
	key := callKey(conflictVerdict(v).Key, 0)
	if p, ok := tx.batch().seen[string(key)]; ok {
		return p.suspense, p.suspense != 0, nil
	}
	raw := tx.Txn.Get(bCDRCall, key)
	if raw == nil {
		return 0, false, nil
	}
	val, err := callValueFrom(raw)
	return val.number, err == nil && val.held && val.content == v.Content, err
}

// HoldRaw puts a record that could not be read into suspense; the same text again is the same row.
func (tx *Tx) HoldRaw(source, raw, detail string) (uint64, error) {
	var call rating.Call
	call.SetText(rating.CDRSource, source)
	call.AccountRef = raw
	key, _ := call.Key()
	content := call.Content()
	k := callKey(key, 0)
	if p, ok := tx.batch().seen[string(k)]; ok && p.suspense != 0 {
		return p.suspense, nil
	}
	if b := tx.Txn.Get(bCDRCall, k); b != nil {
		v, err := callValueFrom(b)
		return v.number, err
	}
	const maxRaw = 64 << 10 // bytes of an unreadable record that are kept
	if len(raw) > maxRaw {
		raw = raw[:maxRaw]
	}
	s := &Suspended{Reason: rating.ReasonBadRecord, Detail: detail, At: tx.now, Source: source, Raw: raw}
	if err := tx.Suspense.Put(s); err != nil {
		return 0, err
	}
	tx.batch().seen[string(k)] = pendingCall{content: content, row: -1, suspense: s.ID, reason: s.Reason}
	return s.ID, nil
}

// moveCall moves the balances of both sides of an own call (sign 1), or takes the move back (-1).
func (tx *Tx) moveCall(c *rating.CDR, sign int) error {
	if c.Origin == rating.History {
		return nil
	}
	legs, n := c.Legs()
	for _, l := range legs[:n] {
		gross, err := l.Net.Add(l.Tax)
		if err != nil {
			return err
		}
		if gross == 0 {
			continue
		}
		a, err := tx.account(l.Account)
		if err != nil {
			return err
		}
		other := rating.LedgerRevenue
		if l.Side == rating.VendorSide {
			other = rating.LedgerCost
		}
		for _, m := range []struct {
			ledger rating.Ledger
			amount rating.Money
			credit bool
		}{
			{AccountLedger(a), gross, l.Credit},
			{SystemLedger(other, a.Currency), l.Net, !l.Credit},
			{SystemLedger(rating.LedgerTax, a.Currency), l.Tax, !l.Credit},
		} {
			if m.amount == 0 {
				continue
			}
			by := rating.Balance{CallDebits: m.amount * rating.Money(sign)}
			if m.credit {
				by = rating.Balance{CallCredits: m.amount * rating.Money(sign)}
			}
			if err := tx.move(m.ledger, by); err != nil {
				return err
			}
		}
	}
	return nil
}

// CDR reads a call. Fails with NotFound.
func (tx *Tx) CDR(id rating.CDRID, c *rating.CDR) error {
	b := tx.Txn.Get(bCDR, kv.Key(nil).U64(uint64(id)))
	if b == nil {
		return rating.Errorf(rating.NotFound, "cdr", "CDR %d does not exist", id)
	}
	return decodeCDR(id, b, c)
}

// flushCalls writes the batch: rows, both indexes, keys and the ingest log, each sorted.
func (tx *Tx) flushCalls() error {
	b := tx.calls
	if b == nil {
		return nil
	}
	rows := slices.Clone(b.rows)
	slices.SortFunc(rows, func(x, y pendingRow) int { return cmpID(x.id, y.id) })
	var customers, vendors [][]byte
	for _, r := range rows {
		if err := tx.Txn.Put(bCDR, kv.Key(nil).U64(uint64(r.id)), r.value); err != nil {
			return err
		}
		if r.customer != 0 {
			customers = append(customers, kv.Key(nil).U64(uint64(r.customer)).U64(uint64(r.id)))
		}
		if r.vendor != 0 {
			vendors = append(vendors, kv.Key(nil).U64(uint64(r.vendor)).U64(uint64(r.id)))
		}
	}
	if err := tx.putSorted(bCDRCustomer, customers); err != nil {
		return err
	}
	if err := tx.putSorted(bCDRVendor, vendors); err != nil {
		return err
	}
	keys := make([][]byte, 0, len(b.seen))
	for k := range b.seen {
		keys = append(keys, []byte(k))
	}
	slices.SortFunc(keys, bytes.Compare)
	for _, k := range keys {
		p := b.seen[string(k)]
		v := callValue{number: p.suspense, content: p.content, held: true}
		if p.row >= 0 {
			v.number, v.held = uint64(b.rows[p.row].id), false
		}
		if err := tx.Txn.Put(bCDRCall, k, v.bytes()); err != nil {
			return err
		}
	}
	return tx.logCalls(b.ids)
}

func cmpID(a, b rating.CDRID) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (tx *Tx) putSorted(b kv.Bucket, keys [][]byte) error {
	slices.SortFunc(keys, bytes.Compare)
	for _, k := range keys {
		if err := tx.Txn.Put(b, k, nil); err != nil {
			return err
		}
	}
	return nil
}

// logRow is how many CDR numbers one row of the ingest log holds at most.
const logRow = 1024

// logCalls appends the commit's calls to the ingest log: a row is keyed by the sequence of its first
// call and holds the numbers of the calls from there on.
func (tx *Tx) logCalls(ids []rating.CDRID) error {
	if len(ids) == 0 {
		return nil
	}
	first, err := tx.sequences().Next("cdr.log", uint64(len(ids)))
	if err != nil {
		return err
	}
	for len(ids) > 0 {
		n := min(len(ids), logRow)
		v := make([]byte, 0, 8*n)
		for _, id := range ids[:n] {
			v = binary.BigEndian.AppendUint64(v, uint64(id))
		}
		if err := tx.Txn.Put(bCDRLog, kv.Key(nil).U64(first), v); err != nil {
			return err
		}
		first += uint64(n)
		ids = ids[n:]
	}
	return nil
}

// EachLogged calls fn with calls in the order they were taken in, from a sequence number on, until it
// returns false.
func (tx *Tx) EachLogged(from uint64, fn func(seq uint64, id rating.CDRID) (bool, error)) error {
	c := tx.Txn.Cursor(bCDRLog)
	k, v := c.Seek(kv.Key(nil).U64(from))
	if k == nil || kv.ID(k) > from {
		if p, pv := c.Prev(); p != nil && kv.ID(p)+uint64(len(pv)/8) > from {
			k, v = p, pv
		} else {
			k, v = c.Seek(kv.Key(nil).U64(from))
		}
	}
	for ; k != nil; k, v = c.Next() {
		for i := 0; i+8 <= len(v); i += 8 {
			seq := kv.ID(k) + uint64(i/8)
			if seq < from {
				continue
			}
			if more, err := fn(seq, rating.CDRID(binary.BigEndian.Uint64(v[i:]))); err != nil || !more {
				return err
			}
		}
	}
	return nil
}
