package storage

import (
	"bytes"
	"fmt"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// CreateTenant makes an account together with the contractor that owns it: one of the account's name,
// or of that name and a number when it is taken (R21). Fails with Limit when the tree gets too deep,
// else like CreateAccount.
func (tx *Tx) CreateTenant(a *rating.Account) error {
	if a.Parent == 0 {
		a.Parent = rating.MasterAccount
	}
	above, err := tx.Ancestors(a.Parent)
	if err != nil {
		return err
	}
	if len(above)+2 > rating.MaxAccountDepth {
		return rating.Errorf(rating.Limit, "parent", "account %d is %d levels deep, which is as deep as accounts can be", a.Parent, len(above)+1)
	}
	name, err := tx.freeContractorName(a.Name)
	if err != nil {
		return err
	}
	owner := &Contractor{Name: name, Enabled: true, Customer: true}
	if err := tx.Contractors.Put(owner); err != nil {
		return err
	}
	a.Contractor = owner.ID
	return tx.CreateAccount(a)
}

// maxSameName is how many contractors of one name are told apart by a number.
const maxSameName = 10_000

func (tx *Tx) freeContractorName(name string) (string, error) {
	try := name
	for n := 2; n < maxSameName; n++ {
		_, err := tx.Contractors.Find(bContractorName, textKey(try))
		if rating.KindOf(err) == rating.NotFound {
			return try, nil
		}
		if err != nil {
			return "", err
		}
		try = fmt.Sprintf("%s (%d)", name, n)
	}
	return "", rating.Errorf(rating.Limit, "name", "too many contractors are called %s", name)
}

// Ancestors returns the accounts above id, its parent first and the master last.
func (tx *Tx) Ancestors(id rating.AccountID) ([]*rating.Account, error) {
	a, err := tx.Accounts.Get(uint64(id))
	if err != nil {
		return nil, err
	}
	var above []*rating.Account
	for a.Parent != 0 {
		if len(above) == rating.MaxAccountDepth {
			return nil, rating.Errorf(rating.Internal, "account", "account %d is its own ancestor", id)
		}
		if a, err = tx.Accounts.Get(uint64(a.Parent)); err != nil {
			return nil, err
		}
		above = append(above, a)
	}
	return above, nil
}

// Descendants calls fn with every open account below id, parents before children, until it returns false.
func (tx *Tx) Descendants(id rating.AccountID, fn func(*rating.Account) (bool, error)) error {
	queue := []rating.AccountID{id}
	for len(queue) > 0 {
		children, err := tx.Children(queue[0])
		if err != nil {
			return err
		}
		queue = queue[1:]
		for _, a := range children {
			if more, err := fn(a); err != nil || !more {
				return err
			}
			queue = append(queue, a.ID)
		}
	}
	return nil
}

// ObjectsOf calls fn with an account's objects of one type, oldest first, until it returns false.
// An empty type stands for all.
func (tx *Tx) ObjectsOf(id rating.AccountID, kind string, fn func(*Object) (bool, error)) error {
	key := kv.Key(nil).U64(uint64(id))
	if kind != "" {
		key = key.Text(kind)
	}
	return tx.Objects.EachUnder(bObjectAccount, key, fn)
}

// ObjectByUUID finds an object.
func (tx *Tx) ObjectByUUID(u rating.UUID) (*Object, error) {
	return tx.Objects.Find(bObjectUUID, uuidKey(u))
}

// ServicePlanByUUID finds a service plan, deleted ones too.
func (tx *Tx) ServicePlanByUUID(u rating.UUID) (*ServicePlan, error) {
	return tx.ServicePlans.Find(bServicePlanUUID, uuidKey(u))
}

// ServicePlansOf returns a vendor's service plans that are not deleted, oldest first.
func (tx *Tx) ServicePlansOf(vendor rating.AccountID) ([]*ServicePlan, error) {
	var plans []*ServicePlan
	err := tx.ServicePlans.EachUnder(bServicePlanVendor, kv.Key(nil).U64(uint64(vendor)), func(p *ServicePlan) (bool, error) {
		if p.DeletedAt.IsZero() {
			plans = append(plans, p)
		}
		return true, nil
	})
	return plans, err
}

// ServicesOf returns an account's services, empty ones when nothing was stored.
func (tx *Tx) ServicesOf(id rating.AccountID) (*Services, error) {
	s, err := tx.Services.Get(uint64(id))
	if rating.KindOf(err) == rating.NotFound {
		return &Services{ID: uint64(id)}, nil
	}
	return s, err
}

// ServiceAuditsOf calls fn with an account's audits made in [from, till], newest first, until it
// returns false.
func (tx *Tx) ServiceAuditsOf(id rating.AccountID, from, till time.Time, fn func(*ServiceAudit) (bool, error)) error {
	lo := kv.Key(nil).U64(uint64(id)).Milli(from)
	return tx.backwards(bServiceAuditAccount, lo, kv.Key(nil).U64(uint64(id)).Milli(till.Add(time.Millisecond)), func(k []byte) (bool, error) {
		a, err := tx.ServiceAudits.Get(kv.ID(k))
		if err != nil {
			return false, err
		}
		return fn(a)
	})
}

// OldestServiceAuditsOf is ServiceAuditsOf, oldest first.
func (tx *Tx) OldestServiceAuditsOf(id rating.AccountID, from, till time.Time, fn func(*ServiceAudit) (bool, error)) error {
	end := kv.Key(nil).U64(uint64(id)).Milli(till.Add(time.Millisecond))
	c := tx.Txn.Cursor(bServiceAuditAccount)
	for k, _ := c.Seek(kv.Key(nil).U64(uint64(id)).Milli(from)); k != nil && bytes.Compare(k, end) < 0; k, _ = c.Next() {
		a, err := tx.ServiceAudits.Get(kv.ID(k))
		if err != nil {
			return err
		}
		if more, err := fn(a); err != nil || !more {
			return err
		}
	}
	return nil
}

// PostingsOf calls fn with the postings of a ledger, newest first, from below a posting number
// (0: the newest), until it returns false.
func (tx *Tx) PostingsOf(l rating.Ledger, below uint64, fn func(*rating.Posting) (bool, error)) error {
	if below == 0 {
		below = 1<<64 - 1
	}
	key := l.Key()
	return tx.backwards(bPostingLedger, kv.Key(bytes.Clone(key)).U64(0), kv.Key(bytes.Clone(key)).U64(below), func(k []byte) (bool, error) {
		p, err := tx.Postings.Get(kv.ID(k))
		if err != nil {
			return false, err
		}
		return fn(p)
	})
}

// NewestCallsOf calls fn with the calls that an account paid for, newest start first, from one unix
// millisecond up to but not including the call below (0: no end), until it returns false. The CDR is
// reused between calls of fn.
func (tx *Tx) NewestCallsOf(id rating.AccountID, from int64, below rating.CDRID, fn func(*rating.CDR) (bool, error)) error {
	if below == 0 {
		below = 1<<64 - 1
	}
	var cdr rating.CDR
	lo := kv.Key(nil).U64(uint64(id)).U64(uint64(rating.MakeCDRID(max(from, 0), 0)))
	return tx.backwards(bCDRCustomer, lo, kv.Key(nil).U64(uint64(id)).U64(uint64(below)), func(k []byte) (bool, error) {
		if err := tx.CDR(rating.CDRID(kv.ID(k)), &cdr); err != nil {
			return false, err
		}
		return fn(&cdr)
	})
}

// backwards calls fn with the keys of [lo, hi) of a bucket from the last to the first, until it
// returns false.
func (tx *Tx) backwards(b kv.Bucket, lo, hi []byte, fn func(k []byte) (bool, error)) error {
	c := tx.Txn.Cursor(b)
	k, _ := c.Seek(hi)
	if k == nil {
		k, _ = c.Last()
	} else {
		k, _ = c.Prev()
	}
	for ; k != nil && bytes.Compare(k, lo) >= 0; k, _ = c.Prev() {
		if bytes.Compare(k, hi) >= 0 {
			continue
		}
		if more, err := fn(k); err != nil || !more {
			return err
		}
	}
	return nil
}

// DeckNamed finds a deck by its name.
func (tx *Tx) DeckNamed(name string) (*rating.Deck, error) {
	return tx.Decks.Find(bDeckName, textKey(name))
}

// RateByKazooID finds a deck's rate by the id that Kazoo knows it by. Fails with Conflict if an import
// that is still running brings the id.
func (tx *Tx) RateByKazooID(deck rating.DeckID, id string) (*rating.Rate, error) {
	d, err := tx.Decks.Get(uint64(deck))
	if err != nil {
		return nil, err
	}
	r, err := tx.Rates.Find(bRateKazoo, kv.Key(nil).U64(uint64(deck)).Text(id))
	if err == nil && !tx.shows(d, r) {
		err = rating.Errorf(rating.Conflict, "deck", "an import of deck %s is running, wait for it", d.Name)
	}
	return r, err
}

// KazooIDFree reports whether a rate that brought no Kazoo id may go by one made of its prefix: no rate of
// its deck has it for its own, and no older rate of the prefix that is in force may go by it.
func (tx *Tx) KazooIDFree(r *rating.Rate, id string) (bool, error) {
	if tx.Txn.Get(bRateKazoo, kv.Key(nil).U64(uint64(r.Deck)).Text(id)) != nil {
		return false, nil
	}
	oldest := r.ID
	err := tx.RatesAt(r.Deck, r.Prefix, func(other *rating.Rate) (bool, error) {
		if other.KazooID != "" || !other.ValidAt(tx.Now()) {
			return true, nil
		}
		oldest = other.ID
		return false, nil
	})
	return oldest == r.ID, err
}

// RatesAt calls fn with a deck's visible rows under one prefix, oldest first, until it returns false.
// Fails with NotFound if there is no such deck.
func (tx *Tx) RatesAt(deck rating.DeckID, prefix string, fn func(*rating.Rate) (bool, error)) error {
	d, err := tx.Decks.Get(uint64(deck))
	if err != nil {
		return err
	}
	return tx.Rates.EachUnder(bRateDeck, deckKey(deck, prefix), func(r *rating.Rate) (bool, error) {
		if !tx.shows(d, r) {
			return true, nil
		}
		return fn(r)
	})
}

// RatesFrom calls fn with a deck's visible rows in order of prefixes, from a prefix on and after a row
// of it (0: from its first), until it returns false. Fails with NotFound if there is no such deck.
func (tx *Tx) RatesFrom(deck rating.DeckID, prefix string, after rating.RateID, fn func(*rating.Rate) (bool, error)) error {
	d, err := tx.Decks.Get(uint64(deck))
	if err != nil {
		return err
	}
	under := kv.Key(nil).U64(uint64(deck))
	c := tx.Txn.Cursor(bRateDeck)
	from := kv.Key(bytes.Clone(under)).Text(prefix)
	if after != 0 {
		from = from.U64(uint64(after) + 1)
	}
	for k, _ := c.Seek(from); k != nil && bytes.HasPrefix(k, under); k, _ = c.Next() {
		r, err := tx.Rates.Get(kv.ID(k))
		if err != nil {
			return err
		}
		if !tx.shows(d, r) {
			continue
		}
		if more, err := fn(r); err != nil || !more {
			return err
		}
	}
	return nil
}
