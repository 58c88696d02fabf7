package storage

import (
	"strconv"
	"strings"

	"billd/rating"
	"billd/storage/kv"
)

// billBook is the transaction as rating.Bill reads it.
type billBook struct{ tx *Tx }

var _ rating.BillBook = billBook{}

// Settings returns the settings in force.
func (b billBook) Settings() *rating.Settings { return b.tx.Settings() }

// Earlier looks for the call in the minute of its start and the two beside it (R15).
func (b billBook) Earlier(call *rating.Call, key rating.CallKey, content uint64) (rating.Earlier, bool, error) {
	identified := call.CallID() != ""
	e, found, err := b.at(call, key, content, identified)
	if found || err != nil || !identified || key.Minute == 0 {
		return e, found, err
	}
	free := b.tx.batch().free
	for _, off := range [...]int64{-1, 1} {
		k := key
		k.Minute = uint32(int64(key.Minute) + off)
		if e, found, err = b.at(call, k, content, identified); found || err != nil {
			return e, found, err
		}
	}
	b.tx.calls.free = free
	return rating.Earlier{}, false, nil
}

// at looks under one key: in the batch, then in the store.
func (b billBook) at(call *rating.Call, k rating.CallKey, content uint64, identified bool) (e rating.Earlier, found bool, err error) {
	batch := b.tx.batch()
	batch.free = callPlace{}
	mayHave := b.tx.mayHave(k)
	for n := uint8(0); n < maxSameKey; n++ {
		place := placeOf(k, n)
		if i, ok := batch.seen[place]; ok {
			p := &batch.keyed[i]
			if identified && !p.same(call) {
				continue
			}
			e = rating.Earlier{Suspense: p.suspense, Reason: p.reason, Detail: p.detail, SameInput: p.content == content, Price: p.price, Currency: p.currency}
			if p.row >= 0 {
				e.ID = batch.rows[p.row].id
			}
			return e, true, nil
		}
		var raw []byte
		if mayHave {
			raw = b.tx.storedAt(place)
		}
		if raw == nil {
			batch.free = place
			return e, false, nil
		}
		v, err := callValueFrom(raw)
		if err != nil {
			return e, false, err
		}
		if v.held && v.number == batch.self {
			continue
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
		e = rating.Earlier{Suspense: v.number, Reason: s.Reason, Detail: s.Detail}
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

// Rate reads a rate's row.
func (b billBook) Rate(id rating.RateID) (*rating.Rate, error) { return b.tx.Rates.Get(uint64(id)) }

// Payer finds who is charged: by the rules of the call's source where it has any, else the account that the record
// names, else that of the customers-auth which the call came in by (R17). The latter's rate plan prices the call where it is of the account that pays,
// else the account's own, else the ratedeck of its service plans or of its reseller's, else the default
// plan.
func (b billBook) Payer(call *rating.Call) (rating.Party, error) {
	auth, err := b.auth(call)
	if err != nil {
		return rating.Party{}, err
	}
	a, rule, err := b.payer(call, auth)
	if err != nil {
		return rating.Party{}, err
	}
	p := rating.Party{Account: a, Plan: a.RatePlan, Rule: rule}
	if auth != nil && auth.Account == a.ID {
		p.Plan, p.Auth = auth.Plan, auth.ID
	}
	if p.Plan == 0 {
		decks, named, err := b.tx.planDecks(a)
		if named || err != nil {
			p.Decks = decks
			return p, err
		}
		p.Plan = rating.DefaultPlan
	}
	p.Decks = b.tx.db.Catalog().Plan(p.Plan)
	return p, nil
}

// payer finds who is charged, and the rule of a profile that says so.
func (b billBook) payer(call *rating.Call, auth *rating.AuthRule) (a *rating.Account, rule string, err error) {
	if call.Profile != nil && len(call.Profile.Pay) > 0 {
		return b.payerByRules(call, auth)
	}
	id := call.Customer()
	if id == 0 && auth != nil {
		id = auth.Account
	}
	a, err = b.tx.party(call, call.AccountRef, id)
	return a, "", err
}

// auth finds the customers-auth that a call came in by, nil for none: the one that told the payer
// before, on a call that is rated again, else the one that its source and numbers match.
func (b billBook) auth(call *rating.Call) (*rating.AuthRule, error) {
	if call.Rated {
		return nil, nil
	}
	if call.Auth != 0 {
		a, err := b.tx.CustomersAuths.Get(call.Auth)
		if err == nil {
			return a.rule(), nil
		}
		if rating.KindOf(err) != rating.NotFound {
			return nil, err
		}
	}
	auths := b.tx.db.Catalog().Auths()
	if auths.Len() == 0 {
		return nil, nil
	}
	rule, _ := auths.Match(call.Origination())
	return rule, nil
}

// Vendor finds who terminated the call.
func (b billBook) Vendor(call *rating.Call) (rating.Party, error) {
	a, err := b.tx.party(call, call.VendorRef, call.Vendor())
	if err != nil {
		return rating.Party{}, err
	}
	return rating.Party{Account: a, Decks: b.tx.db.Catalog().Vendor(a.ID)}, nil
}

// party finds an account by ref, else by id. Only history may name a closed one.
func (tx *Tx) party(call *rating.Call, ref string, id rating.AccountID) (*rating.Account, error) {
	if ref != "" {
		return tx.AccountByRef(ref)
	}
	if id == 0 {
		return nil, errNobody
	}
	a, err := tx.account(id)
	if err == nil && a.Closed() && !call.Rated {
		return nil, rating.Errorf(rating.NotFound, "account", "account %d does not exist", id)
	}
	return a, err
}

// errNobody is made once: every call without a vendor meets it.
var errNobody = rating.Errorf(rating.NotFound, "account", "the record names no account and no rule tells who pays")

// NewCDRID reserves the next number of a millisecond.
func (b billBook) NewCDRID(milli int64) (rating.CDRID, error) {
	seq := b.tx.nextInMilli(milli)
	if seq > 0xfffff {
		return 0, rating.Errorf(rating.Limit, "time_start", "more than 1048576 calls start in one millisecond")
	}
	b.tx.calls.next[milli] = seq + 1
	return rating.MakeCDRID(milli, seq), nil
}

// nextInMilli returns the sequence that the next call of a millisecond gets.
func (tx *Tx) nextInMilli(milli int64) uint32 {
	if seq, ok := tx.batch().next[milli]; ok {
		return seq
	}
	if milli > tx.tail().milli {
		return 0
	}
	c := tx.Txn.Cursor(bCDR)
	k, _ := c.Seek(kv.Key(make([]byte, 0, 8)).U64(uint64(rating.MakeCDRID(milli+1, 0))))
	if k == nil {
		k, _ = c.Last()
	} else {
		k, _ = c.Prev()
	}
	if k != nil {
		if last := rating.CDRID(kv.ID(k)); last.Milli() == milli {
			return uint32(last&0xfffff) + 1
		}
	}
	return 0
}

// account returns an account from the charging cache; a closed one is found too, for history.
func (tx *Tx) account(id rating.AccountID) (*rating.Account, error) {
	if !tx.Txn.Writable() {
		return tx.readAccount(id)
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

// AccountByRef finds an open account by decimal number, UUID in either spelling, or exact name. In an
// Update the row is the charging cache's own: who changes it changes a copy.
func (tx *Tx) AccountByRef(ref string) (*rating.Account, error) {
	if a, ok := tx.cachedRef(ref); ok {
		return a, nil
	}
	var a *rating.Account
	var err error
	numeric, cache := false, false
	if n, perr := strconv.ParseUint(ref, 10, 63); perr == nil && len(ref) < 20 {
		a, err = tx.account(rating.AccountID(n))
		numeric = true
	} else if u, perr := rating.ParseUUID(ref); perr == nil {
		a, err = tx.Accounts.Find(bAccountUUID, uuidKey(u))
		cache = err == nil
	} else {
		err, cache = errNobody, true
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
	if cache && !numeric {
		return tx.cacheRef(ref, a)
	}
	return a, nil
}

// maxRefs bounds how many spellings of accounts the charging cache holds.
const maxRefs = 100_000

// cachedRef finds an account under a name or UUID that charging has met before. An entry holds as long
// as its account is in the charging cache, which a changed account leaves.
func (tx *Tx) cachedRef(ref string) (*rating.Account, bool) {
	if !tx.Txn.Writable() {
		return nil, false
	}
	a, ok := tx.db.refs[ref]
	if !ok || tx.db.accounts[a.ID] != a || tx.changedAccount(a.ID) {
		return nil, false
	}
	return a, true
}

// cacheRef keeps a spelling of an account for the next call.
func (tx *Tx) cacheRef(ref string, a *rating.Account) (*rating.Account, error) {
	if !tx.Txn.Writable() || tx.changedAccount(a.ID) {
		return a, nil
	}
	a, err := tx.account(a.ID)
	if err != nil {
		return nil, err
	}
	if tx.db.refs == nil || len(tx.db.refs) >= maxRefs {
		tx.db.refs = map[string]*rating.Account{}
	}
	tx.db.refs[strings.Clone(ref)] = a // ref is a part of a whole piece of a file
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
// makes it once, all in this transaction. The call's columns are filled in.
func (tx *Tx) Charge(call *rating.Call) (rating.Verdict, error) {
	if call.Exported.Known {
		if v, done, err := tx.placeExported(call); done || err != nil {
			return v, err
		}
	}
	call.Profile = tx.profileOf(call)
	tx.billing = &call.CDR
	v, err := rating.Bill(billBook{tx}, call, tx.now)
	tx.billing = nil
	if err != nil || !v.Write {
		return v, err
	}
	if v.Outcome == rating.OutcomeSuspended {
		v.Suspense, err = tx.hold(call, v)
		return v, err
	}
	place, err := tx.freePlace(v.Key)
	if err != nil {
		return v, err
	}
	return v, tx.apply(call, v, place)
}

// apply writes a call that was billed: its place leads to it from now on.
func (tx *Tx) apply(call *rating.Call, v rating.Verdict, place callPlace) error {
	if err := tx.moveCall(&call.CDR, 1); err != nil {
		return err
	}
	if err := tx.countCall(&call.CDR, 1); err != nil {
		return err
	}
	if err := tx.drawPackage(&call.CDR, 1); err != nil {
		return err
	}
	if err := tx.settleReservation(&call.CDR); err != nil {
		return err
	}
	if err := tx.watchCall(call); err != nil {
		return err
	}
	if err := tx.noteLate(&call.CDR); err != nil {
		return err
	}
	if err := tx.noteRestored(call); err != nil {
		return err
	}
	b := tx.batch()
	const roomy = 1 << 10 // bytes that nearly every row fits in
	row := pendingRow{id: v.ID, value: b.arena.keep(appendCDR(b.arena.grow(roomy), &call.CDR)), customer: call.Customer(), vendor: call.Vendor()}
	b.rows = append(b.rows, row)
	tx.remember(call, pendingCall{place: place, content: v.Content, row: int32(len(b.rows) - 1), price: v.Price, currency: v.Currency})
	return nil
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
