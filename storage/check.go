package storage

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"billd/rating"
	"billd/storage/kv"
)

// maxFaults bounds what one check reports; a store with so many needs its backup.
const maxFaults = 1000

// Check proves that the store is whole and that its money adds up, and reports each fault as one
// sentence (R10):
//
//   - every row is found by its own keys and every key leads to a row;
//   - calls, their two indexes, the keys that make them once and the ingest log agree;
//   - the call part of each balance is what its own calls post, the rest what its postings sum to;
//   - all balances of a currency sum to zero;
//   - day tallies are what the calls of those days sum to, own and history apart;
//   - an invoice of billd's own is its lines, and its lines are its calls and postings;
//   - no record refers to one that does not exist.
//
// deep adds the engine's own check of every page. It reads one state while work goes on. The error
// says that the check could not be done, never that it found something.
func (db *DB) Check(ctx context.Context, deep bool, fault func(string)) error {
	found := 0
	report := func(format string, args ...any) {
		if found++; found <= maxFaults {
			fault(fmt.Sprintf(format, args...))
		}
	}
	if deep {
		if err := db.engine.Check(ctx, func(err error) { report("engine: %v", err) }); err != nil {
			return err
		}
	}
	return db.View(ctx, func(tx *Tx) error {
		c := &checker{tx: tx, ctx: ctx, fault: report, accounts: map[rating.AccountID]*rating.Account{}, balances: map[rating.Ledger]rating.Balance{}, tallies: map[tallyKey]rating.Tally{}}
		for _, step := range []func() error{c.tables, c.references, c.calls, c.callKeys, c.log, c.postings, c.compareBalances, c.compareTallies, c.invoices} {
			if err := step(); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		return nil
	})
}

// checker holds what the walk over calls and postings derives, to be compared with what is stored.
type checker struct {
	tx       *Tx
	ctx      context.Context
	fault    func(format string, args ...any)
	accounts map[rating.AccountID]*rating.Account
	balances map[rating.Ledger]rating.Balance
	tallies  map[tallyKey]rating.Tally
	count    uint64 // of calls
}

func (c *checker) tables() error {
	for _, check := range c.tx.tableChecks() {
		if err := check(c.fault); err != nil {
			return err
		}
	}
	return c.tx.Accounts.Each(0, func(a *rating.Account) (bool, error) {
		c.accounts[a.ID] = a
		return true, nil
	})
}

// tableChecks are the row and key checks of every table.
func (tx *Tx) tableChecks() []func(func(string, ...any)) error {
	return []func(func(string, ...any)) error{
		tx.Operators.Check, tx.Contractors.Check, tx.Contacts.Check, tx.Accounts.Check, tx.Decks.Check, tx.Plans.Check,
		tx.Rates.Check, tx.Imports.Check, tx.Postings.Check, tx.Payments.Check, tx.Suspense.Check, tx.Invoices.Check,
		tx.Lines.Check, tx.Accesses.Check, tx.Users.Check, tx.Jobs.Check, tx.Documents.Check, tx.Audit.Check,
	}
}

// references finds rows that point to rows that are not there.
func (c *checker) references() error {
	tx := c.tx
	for _, a := range c.accounts {
		c.refer("account", uint64(a.ID), "contractor", a.Contractor, tx.Contractors.Has)
		if a.Parent != 0 {
			c.refer("account", uint64(a.ID), "account", uint64(a.Parent), tx.Accounts.Has)
		}
		if a.RatePlan != 0 {
			c.refer("account", uint64(a.ID), "rateplan", a.RatePlan, tx.Plans.Has)
		}
	}
	return firstError(
		tx.Contacts.Each(0, func(v *Contact) (bool, error) {
			c.refer("contact", v.ID, "contractor", v.Contractor, tx.Contractors.Has)
			return true, nil
		}),
		tx.Plans.Each(0, func(p *rating.RatePlan) (bool, error) {
			for _, d := range p.Decks {
				c.refer("rateplan", p.ID, "deck", uint64(d), tx.Decks.Has)
			}
			return true, nil
		}),
		tx.Decks.Each(0, func(d *rating.Deck) (bool, error) {
			if d.Vendor != 0 {
				c.refer("deck", uint64(d.ID), "account", uint64(d.Vendor), tx.Accounts.Has)
			}
			return true, nil
		}),
		c.rates(),
		tx.Payments.Each(0, func(p *Payment) (bool, error) {
			c.refer("payment", p.ID, "account", uint64(p.Account), tx.Accounts.Has)
			c.refer("payment", p.ID, "posting", p.Posting, tx.Postings.Has)
			return true, nil
		}),
		tx.Accesses.Each(0, func(a *Access) (bool, error) {
			c.refer("access", a.ID, "contractor", a.Customer, tx.Contractors.Has)
			return true, nil
		}),
		tx.Users.Each(0, func(u *User) (bool, error) {
			c.refer("user", u.ID, "account", uint64(u.Account), tx.Accounts.Has)
			return true, nil
		}),
		tx.Lines.Each(0, func(l *rating.InvoiceLine) (bool, error) {
			c.refer("invoice line", l.ID, "invoice", l.Invoice, tx.Invoices.Has)
			return true, nil
		}),
		tx.Documents.Each(0, func(d *Document) (bool, error) {
			c.refer("document", d.ID, "invoice", d.ID, tx.Invoices.Has)
			return true, nil
		}),
	)
}

func (c *checker) rates() error {
	known := map[rating.DeckID]bool{}
	return c.tx.Rates.Each(0, func(r *rating.Rate) (bool, error) {
		if !known[r.Deck] {
			c.refer("rate", uint64(r.ID), "deck", uint64(r.Deck), c.tx.Decks.Has)
			known[r.Deck] = true
		}
		if err := r.Valid(); err != nil {
			c.fault("rate %d: %v", r.ID, err)
		}
		return true, nil
	})
}

func (c *checker) refer(noun string, id uint64, to string, ref uint64, has func(uint64) bool) {
	if !has(ref) {
		c.fault("%s %d: refers to %s %d, which does not exist", noun, id, to, ref)
	}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// calls walks every call once: its row, its two index entries, its sums.
func (c *checker) calls() error {
	tx := c.tx
	var cdr rating.CDR
	var customers, vendors int
	cur := tx.Txn.Cursor(bCDR)
	for k, v := cur.First(); k != nil; k, v = cur.Next() {
		if c.count++; c.count%100000 == 0 && c.ctx.Err() != nil {
			return c.ctx.Err()
		}
		id := rating.CDRID(kv.ID(k))
		if err := decodeCDR(id, v, &cdr); err != nil {
			c.fault("cdr %d: %v", id, err)
			continue
		}
		if start := cdr.Int(rating.CDRTimeStart); start/1000 != id.Milli() {
			c.fault("cdr %d: starts at %s, which is not its number's millisecond", id, cdr.Format(rating.CDRTimeStart))
		}
		customers += c.sideOf(&cdr, bCDRCustomer, cdr.Customer())
		vendors += c.sideOf(&cdr, bCDRVendor, cdr.Vendor())
		if err := c.derive(&cdr); err != nil {
			return err
		}
	}
	for _, x := range []struct {
		bucket kv.Bucket
		want   int
		side   string
	}{{bCDRCustomer, customers, "customer"}, {bCDRVendor, vendors, "vendor"}} {
		if got := kv.CountKeys(tx.Txn, x.bucket); got != x.want {
			c.fault("cdr: the %s index holds %d calls, %d calls have a %s", x.side, got, x.want, x.side)
		}
	}
	return nil
}

// sideOf checks one index entry and returns how many entries there should be.
func (c *checker) sideOf(cdr *rating.CDR, b kv.Bucket, id rating.AccountID) int {
	if id == 0 {
		return 0
	}
	if c.accounts[id] == nil {
		c.fault("cdr %d: refers to account %d, which does not exist", cdr.ID, id)
	}
	if c.tx.Txn.Get(b, kv.Key(nil).U64(uint64(id)).U64(uint64(cdr.ID))) == nil {
		c.fault("cdr %d: missing from the calls of account %d", cdr.ID, id)
	}
	return 1
}

// derive adds what a call posts and counts, in a transaction of its own that is never written.
func (c *checker) derive(cdr *rating.CDR) error {
	shadow := &Tx{Txn: c.tx.Txn, db: c.tx.db, now: c.tx.now, moves: c.balances, tallies: c.tallies}
	for _, id := range [...]rating.AccountID{cdr.Customer(), cdr.Vendor()} {
		if id != 0 && c.accounts[id] == nil {
			return nil // already reported
		}
	}
	shadow.known = c.accounts
	if err := shadow.moveCall(cdr, 1); err != nil {
		return err
	}
	return shadow.countCall(cdr, 1)
}

// callKeys checks that the keys which make calls once lead to the calls and held records there are.
func (c *checker) callKeys() error {
	var calls, held uint64
	cur := c.tx.Txn.Cursor(bCDRCall)
	for k, raw := cur.First(); k != nil; k, raw = cur.Next() {
		v, err := callValueFrom(raw)
		if err != nil {
			c.fault("cdr: %v", err)
			continue
		}
		if v.held {
			held++
			if !c.tx.Suspense.Has(v.number) {
				c.fault("a call key leads to suspense %d, which does not exist", v.number)
			}
			continue
		}
		calls++
		if c.tx.Txn.Get(bCDR, kv.Key(nil).U64(v.number)) == nil {
			c.fault("a call key leads to CDR %d, which does not exist", v.number)
		}
	}
	if calls != c.count {
		c.fault("cdr: %d calls, %d keys that make them once", c.count, calls)
	}
	if n := uint64(c.tx.Suspense.Count()); held != n {
		c.fault("suspense: %d records, %d keys lead to one", n, held)
	}
	return nil
}

// log checks that the ingest log names every call.
func (c *checker) log() error {
	var n uint64
	err := c.tx.EachLogged(0, func(seq uint64, id rating.CDRID) (bool, error) {
		n++
		if c.tx.Txn.Get(bCDR, kv.Key(nil).U64(uint64(id))) == nil {
			c.fault("the ingest log names CDR %d, which does not exist", id)
		}
		return true, nil
	})
	if n != c.count {
		c.fault("cdr: %d calls, the ingest log names %d", c.count, n)
	}
	return err
}

func (c *checker) postings() error {
	return c.tx.Postings.Each(0, func(p *rating.Posting) (bool, error) {
		if err := p.Valid(); err != nil {
			c.fault("posting %d: %v", p.ID, err)
			return true, nil
		}
		for _, l := range [...]rating.Ledger{p.Debit, p.Credit} {
			if l.Kind == rating.LedgerAccount && c.accounts[l.Account] == nil {
				c.fault("posting %d: refers to account %d, which does not exist", p.ID, l.Account)
			}
		}
		shadow := &Tx{moves: c.balances}
		if err := shadow.move(p.Debit, rating.Balance{Debits: p.Amount}); err != nil {
			return false, err
		}
		return true, shadow.move(p.Credit, rating.Balance{Credits: p.Amount})
	})
}

func (c *checker) compareBalances() error {
	debits, credits := map[rating.Currency]rating.Money{}, map[rating.Currency]rating.Money{}
	err := c.tx.EachBalance(func(l rating.Ledger, b rating.Balance) error {
		if want := c.balances[l]; want != b {
			c.fault("balance of %s: stored %s, its calls and postings make %s", l, b.Amount(), want.Amount())
		}
		delete(c.balances, l)
		debits[l.Currency] += b.Debits + b.CallDebits
		credits[l.Currency] += b.Credits + b.CallCredits
		return nil
	})
	if err != nil {
		return err
	}
	for l, want := range c.balances {
		if want != (rating.Balance{}) {
			c.fault("balance of %s: none stored, its calls and postings make %s", l, want.Amount())
		}
	}
	for cur, d := range debits {
		if d != credits[cur] {
			c.fault("ledger: all balances in %s sum to %s, want 0", cur, credits[cur]-d)
		}
	}
	return nil
}

func (c *checker) compareTallies() error {
	err := c.tx.EachTally(0, ^rating.Day(0), func(day rating.Day, a rating.AccountID, s rating.Side, o rating.Origin, t rating.Tally) error {
		key := tallyKey{day, a, s, o}
		if want := c.tallies[key]; want != t {
			c.fault("tally of account %d on %s: %d calls, net %s; its calls make %d, net %s", a, day, t.Calls, t.Net, want.Calls, want.Net)
		}
		delete(c.tallies, key)
		return nil
	})
	left := slices.SortedFunc(maps.Keys(c.tallies), func(a, b tallyKey) int { return slices.Compare(a.bytes(), b.bytes()) })
	for _, key := range left {
		if t := c.tallies[key]; !t.IsZero() {
			c.fault("tally of account %d on %s: none stored, its calls make %d", key.Account, key.Day, t.Calls)
		}
	}
	return err
}

// invoices compares each filled invoice of billd's own with its lines, and those with its calls and
// postings. Imported ones keep what they came with; only their references are checked.
func (c *checker) invoices() error {
	return c.tx.Invoices.Each(0, func(inv *rating.Invoice) (bool, error) {
		if c.accounts[inv.Account] == nil {
			c.fault("invoice %d: refers to account %d, which does not exist", inv.ID, inv.Account)
			return true, nil
		}
		if inv.Origin == rating.History || inv.State == rating.InvoiceNew {
			return true, nil
		}
		return true, c.invoice(inv)
	})
}

func (c *checker) invoice(inv *rating.Invoice) error {
	sum, err := c.tx.resum(c.ctx, inv)
	if err != nil {
		return err
	}
	again := *inv
	want, err := sum.Lines(&again)
	if err != nil {
		return err
	}
	if again != *inv {
		c.fault("invoice %d: spent %s, earned %s, %d calls; its calls and postings make %s, %s, %d", inv.ID,
			inv.Spent, inv.Earned, inv.Originated.Calls+inv.Terminated.Calls, again.Spent, again.Earned, again.Originated.Calls+again.Terminated.Calls)
	}
	var got []*rating.InvoiceLine
	err = c.tx.LinesOf(inv.ID, 0, func(l *rating.InvoiceLine) (bool, error) {
		got = append(got, l)
		return true, nil
	})
	if err != nil {
		return err
	}
	if len(got) != len(want) {
		c.fault("invoice %d: %d lines, its calls and postings make %d", inv.ID, len(got), len(want))
		return nil
	}
	for i, l := range want {
		if *l.Amount != *got[i].Amount || *l.Calls != *got[i].Calls || l.Kind != got[i].Kind {
			c.fault("invoice %d: line %d has %s over %d calls; its calls make %s over %d", inv.ID, got[i].ID, got[i].Amount, *got[i].Calls, *l.Amount, *l.Calls)
		}
	}
	return nil
}

// resum sums a filled invoice again: the period's calls but those that came late, those that came
// late for earlier ones and fell to it, and the period's postings.
func (tx *Tx) resum(ctx context.Context, inv *rating.Invoice) (*rating.InvoiceSum, error) {
	late := map[rating.CDRID]uint64{}
	err := tx.eachLate(inv.Account, func(id rating.CDRID, in uint64) error {
		late[id] = in
		return nil
	})
	if err != nil {
		return nil, err
	}
	draft := &invoiceDraft{sum: rating.NewInvoiceSum(inv.Account)}
	for _, side := range [...]kv.Bucket{bCDRCustomer, bCDRVendor} {
		err := tx.EachCallOf(side, inv.Account, inv.Start.UnixMilli(), inv.End.UnixMilli(), func(cdr *rating.CDR) (bool, error) {
			if _, ok := late[cdr.ID]; ok {
				return true, ctx.Err()
			}
			return true, draft.sum.AddCall(cdr, sideOf(side), false)
		})
		if err != nil {
			return nil, err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(late)) {
		if late[id] == inv.ID {
			if err := tx.addBothSides(inv.Account, id, draft, true); err != nil {
				return nil, err
			}
		}
	}
	return draft.sum, tx.sumServices(inv, draft)
}
