package storage

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// CreateAccount fills what every new account gets — UUID, realm, API key, time zone, currency — checks
// it and stores it. Its parent is the master unless it names one.
func (tx *Tx) CreateAccount(a *rating.Account) error {
	a.CreatedAt = tx.now
	if a.UUID.IsZero() {
		a.UUID = rating.NewUUID(tx.now)
	}
	if a.Realm == "" {
		a.Realm = randomHex(4) + ".sip.local"
	}
	if a.APIKey == "" {
		a.APIKey = randomHex(32)
	}
	if a.Timezone == "" {
		a.Timezone = "UTC"
	}
	if a.Currency == (rating.Currency{}) {
		a.Currency = tx.Settings().Currency
	}
	if !a.MinBalance.IsSet() {
		a.MinBalance = "0.0"
	}
	if !a.MaxBalance.IsSet() {
		a.MaxBalance = "0.0"
	}
	if a.Parent == 0 && tx.Accounts.Has(uint64(rating.MasterAccount)) {
		a.Parent = rating.MasterAccount
	}
	tx.scheduleInvoice(a, nil)
	return tx.Accounts.Put(a)
}

// SaveAccount stores a changed account. A new time zone counts its days anew; a new invoice period
// schedules the next invoice from the period that holds now. Another parent takes over what the account
// counts for the cascade.
func (tx *Tx) SaveAccount(a *rating.Account) error {
	old, err := tx.Accounts.Get(uint64(a.ID))
	if err != nil {
		return err
	}
	tx.scheduleInvoice(a, old)
	a.ChangedAt = tx.now
	if err := tx.Accounts.Put(a); err != nil {
		return err
	}
	if old.Parent != a.Parent {
		if err := tx.moveServices(old, a); err != nil {
			return err
		}
	}
	if old.Timezone == a.Timezone {
		return nil
	}
	if err := tx.recount(old, a); err != nil {
		return err
	}
	return tx.recountGuardOf(a.ID)
}

// scheduleInvoice keeps the next Auto invoice in step with the account's period and zone (R11).
func (tx *Tx) scheduleInvoice(a, old *rating.Account) {
	switch {
	case a.InvoicePeriod == 0:
		a.InvoicedFrom, a.NextInvoiceAt = time.Time{}, time.Time{}
	case old == nil || old.InvoicePeriod != a.InvoicePeriod || old.Timezone != a.Timezone:
		p := a.InvoicePeriod.Containing(tx.now, tx.Location(a))
		a.InvoicedFrom, a.NextInvoiceAt = p.Start, p.End
	}
}

// recount moves an account's day tallies to the days of another time zone.
func (tx *Tx) recount(old, now *rating.Account) error {
	c := tx.Txn.Cursor(bTally)
	for k, v := c.First(); k != nil; k, v = c.Next() {
		key, ok := tallyKeyFrom(k)
		if !ok || key.Account != old.ID {
			continue
		}
		t, err := decodeTally(v)
		if err != nil {
			return err
		}
		if tx.tallies == nil {
			tx.tallies = map[tallyKey]rating.Tally{}
		}
		minus := rating.Tally{Calls: -t.Calls, Answered: -t.Answered, Seconds: -t.Seconds, Billed: -t.Billed, Net: -t.Net, Tax: -t.Tax}
		if tx.tallies[key], err = addTally(tx.tallies[key], minus); err != nil {
			return err
		}
	}
	for side, bucket := range [...]kv.Bucket{bCDRCustomer, bCDRVendor} {
		err := tx.EachCallOf(bucket, now.ID, 0, 0, func(c *rating.CDR) (bool, error) {
			return true, tx.countSide(c, rating.Side(side), now, 1)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// EachCallOf calls fn with an account's calls of one side (bCDRCustomer, bCDRVendor), in order of
// start, from one unix millisecond up to but not including another (0: no end), until it returns
// false. The CDR is reused between calls of fn.
func (tx *Tx) EachCallOf(side kv.Bucket, id rating.AccountID, from, till int64, fn func(*rating.CDR) (bool, error)) error {
	var cdr rating.CDR
	return tx.eachCallID(side, id, from, till, func(n rating.CDRID, raw []byte) (bool, error) {
		if err := decodeCDR(n, raw, &cdr); err != nil {
			return false, err
		}
		return fn(&cdr)
	})
}

// eachCallID walks an account's calls without decoding them. Rows that follow one another in the
// store are read by stepping on, others by seeking.
func (tx *Tx) eachCallID(side kv.Bucket, id rating.AccountID, from, till int64, fn func(rating.CDRID, []byte) (bool, error)) error {
	index, rows := tx.Txn.Cursor(side), tx.Txn.Cursor(bCDR)
	end := kv.Key(nil).U64(uint64(id) + 1)
	if till > 0 {
		end = kv.Key(nil).U64(uint64(id)).U64(uint64(rating.MakeCDRID(till, 0)))
	}
	var rowKey, row []byte
	for k, _ := index.Seek(kv.Key(nil).U64(uint64(id)).U64(uint64(rating.MakeCDRID(max(from, 0), 0)))); k != nil && string(k) < string(end); k, _ = index.Next() {
		want := k[8:]
		if rowKey != nil {
			rowKey, row = rows.Next()
		}
		if string(rowKey) != string(want) {
			rowKey, row = rows.Seek(want)
		}
		if string(rowKey) != string(want) {
			return rating.Errorf(rating.Internal, "cdr", "an account's index points to CDR %d, which does not exist", kv.ID(k))
		}
		if more, err := fn(rating.CDRID(kv.ID(k)), row); err != nil || !more {
			return err
		}
	}
	return nil
}

// CloseAccount deletes an account: the row keeps its number and frees its names (R21). Refused while
// it holds a balance and anything but service plans moved it, while there are accounts below it, or while customers-auths or dialpeers name it.
func (tx *Tx) CloseAccount(id rating.AccountID) error {
	if id == rating.MasterAccount {
		return rating.Errorf(rating.Conflict, "account", "the operator's own account cannot be deleted")
	}
	a, err := tx.OpenAccount(id)
	if err != nil {
		return err
	}
	if tx.AccountHasAuths(id) {
		return rating.Errorf(rating.Conflict, "account", "customers-auths are charged to account %d: delete them first", id)
	}
	children, err := tx.Children(id)
	if err != nil {
		return err
	}
	if len(children) > 0 {
		return rating.Errorf(rating.Conflict, "account", "account %d has %d accounts below it: close them first", id, len(children))
	}
	if err := tx.closeServices(a); err != nil {
		return err
	}
	balance, err := tx.AccountBalance(a)
	if err != nil {
		return err
	}
	if balance != 0 {
		settle, err := tx.movedByOthers(a)
		if err != nil {
			return err
		}
		if settle {
			return rating.Errorf(rating.Conflict, "account", "account %d has a balance of %s: settle it first", id, balance)
		}
	}
	if err := tx.dropVendorDecks(id); err != nil {
		return err
	}
	a.ClosedAt = tx.now
	a.InvoicePeriod, a.NextInvoiceAt = 0, time.Time{}
	return tx.Accounts.Put(a)
}

// movedByOthers reports whether anything but the charges of service plans moved an account's balance.
func (tx *Tx) movedByOthers(a *rating.Account) (others bool, err error) {
	b, err := tx.Balance(AccountLedger(a))
	if err != nil || b.CallDebits != 0 || b.CallCredits != 0 {
		return true, err
	}
	err = tx.PostingsOf(AccountLedger(a), 0, func(p *rating.Posting) (bool, error) {
		others = p.Kind != rating.PostingPlan
		return !others, nil
	})
	return others, err
}

// OpenAccount returns an account that is not closed; a closed one is NotFound.
func (tx *Tx) OpenAccount(id rating.AccountID) (*rating.Account, error) {
	a, err := tx.Accounts.Get(uint64(id))
	if err != nil {
		return nil, err
	}
	if a.Closed() {
		return nil, rating.Errorf(rating.NotFound, "account", "account %d does not exist", id)
	}
	return a, nil
}

// AccountByUUID finds an open account.
func (tx *Tx) AccountByUUID(u rating.UUID) (*rating.Account, error) {
	return tx.Accounts.Find(bAccountUUID, uuidKey(u))
}

// AccountByAPIKey finds the open account that a Kazoo API key belongs to.
func (tx *Tx) AccountByAPIKey(key string) (*rating.Account, error) {
	return tx.Accounts.Find(bAccountKey, textKey(key))
}

// AccountByRealm finds an open account by its SIP realm in any case.
func (tx *Tx) AccountByRealm(realm string) (*rating.Account, error) {
	return tx.Accounts.Find(bAccountRealm, realmKey(realm))
}

// AccountByExternal finds an open account by its external number.
func (tx *Tx) AccountByExternal(n int64) (*rating.Account, error) {
	return tx.Accounts.Find(bAccountExternal, numberKey(&n))
}

// AccountsNamed returns the open accounts whose names fold to the same letters and digits.
func (tx *Tx) AccountsNamed(name string) ([]*rating.Account, error) {
	var found []*rating.Account
	err := tx.Accounts.EachUnder(bAccountFold, textKey(FoldName(name)), func(a *rating.Account) (bool, error) {
		found = append(found, a)
		return true, nil
	})
	return found, err
}

// AccountsOf returns a contractor's open accounts.
func (tx *Tx) AccountsOf(contractor uint64) ([]*rating.Account, error) {
	return tx.openUnder(bAccountContractor, contractor)
}

// Children returns the open accounts right below one.
func (tx *Tx) Children(parent rating.AccountID) ([]*rating.Account, error) {
	return tx.openUnder(bAccountParent, uint64(parent))
}

func (tx *Tx) openUnder(b kv.Bucket, id uint64) ([]*rating.Account, error) {
	var found []*rating.Account
	err := tx.Accounts.EachUnder(b, kv.Key(nil).U64(id), func(a *rating.Account) (bool, error) {
		if !a.Closed() {
			found = append(found, a)
		}
		return true, nil
	})
	return found, err
}

// Pay records money received for an account and moves its balance. amount is not 0; below 0 it is
// money given back.
func (tx *Tx) Pay(p *Payment) error {
	a, err := tx.OpenAccount(p.Account)
	if err != nil {
		return err
	}
	before, err := tx.AccountBalance(a)
	if err != nil {
		return err
	}
	p.BalanceBefore = &before
	if p.CreatedAt.IsZero() {
		p.CreatedAt = tx.now
	}
	if p.UUID.IsZero() {
		p.UUID = rating.NewUUID(tx.now)
	}
	if err := tx.Payments.Put(p); err != nil {
		return err
	}
	posting := transfer(rating.PostingPayment, a, SystemLedger(rating.LedgerCash, a.Currency), p.Amount)
	posting.Ref = fmt.Sprintf("payment/%d", p.ID)
	posting.At = p.CreatedAt
	posting.Service, posting.Source = "payments", p.UUID.Hex()
	if p.Notes != nil {
		posting.Text = *p.Notes
	}
	if _, err := tx.Post(posting); err != nil {
		return err
	}
	p.Posting = posting.ID
	return tx.Payments.Put(p)
}

// SetBalance posts the correction that brings an account to a balance, nothing when it is there.
func (tx *Tx) SetBalance(a *rating.Account, to rating.Money, text string) error {
	now, err := tx.AccountBalance(a)
	if err != nil {
		return err
	}
	by, err := to.Sub(now)
	if err != nil {
		return err
	}
	return tx.Correct(a, by, text)
}

// Correct posts a correction of an account's balance by an amount, nothing when it is 0.
func (tx *Tx) Correct(a *rating.Account, by rating.Money, text string) error {
	if by == 0 {
		return nil
	}
	p := transfer(rating.PostingCorrection, a, SystemLedger(rating.LedgerAdjustment, a.Currency), by)
	p.Text, p.Service = text, "adjustments"
	_, err := tx.Post(p)
	return err
}

// transfer makes the posting that gives amount to an account out of another ledger, or takes it when
// amount is below 0.
func transfer(kind rating.PostingKind, a *rating.Account, other rating.Ledger, amount rating.Money) *rating.Posting {
	p := &rating.Posting{Kind: kind, Debit: other, Credit: AccountLedger(a), Amount: amount, Account: a.ID}
	if amount < 0 {
		p.Debit, p.Credit, p.Amount = p.Credit, p.Debit, -amount
	}
	return p
}

func realmKey(realm string) []byte { return textKey(strings.ToLower(realm)) }

// randomHex returns 2n random hex digits.
func randomHex(n int) string {
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		panic("storage: no randomness: " + err.Error())
	}
	return hex.EncodeToString(b)
}
