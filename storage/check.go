package storage

import (
	"context"
	"fmt"

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
//   - a package counter is what it was filled with less what its calls took since;
//   - what an account shows as reserved is what its reservations hold;
//   - what the fraud guard counted is what the calls of those hours and nights sum to;
//   - an invoice of billd's own is its lines, its lines are its calls and postings, and an approved one
//     has its rounding posted;
//   - an account on service plans has a month to be charged next, and those above an account count what
//     it counts;
//   - what data sessions used is counted by day or unassigned, periods are their days, and what their plan
//     asks for them is posted;
//   - no record refers to one that does not exist.
//
// deep adds the engine's own check of every page. It reads one state while work goes on, and a fault
// hides no other: what cannot be read is reported and passed over. The error says that the check could
// not be done, never that it found something.
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
	err := db.View(ctx, func(tx *Tx) error {
		c := &checker{tx: tx, ctx: ctx, fault: report, accounts: map[rating.AccountID]*rating.Account{}, balances: map[rating.Ledger]rating.Balance{},
			tallies: map[tallyKey]rating.Tally{}, guarded: guardWork{guardCounts: map[guardKey]*guardCount{}}, keyless: map[rating.CDRID]bool{}, drawn: map[filling]int64{}}
		var err error
		if c.guarded.guard, err = tx.readGuard(); err != nil {
			return err
		}
		for _, step := range []func() error{c.tables, c.references, c.calls, c.callKeys, c.log, c.late, c.postings, c.compareBalances, c.compareTallies, c.packages, c.reservations, c.guard, c.invoices, c.planBooks, c.dataUsage} {
			if err := step(); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		return nil
	})
	if found > maxFaults {
		fault(fmt.Sprintf("and %d more", found-maxFaults))
	}
	return err
}

// checker holds what the walk over calls and postings derives, to be compared with what is stored.
type checker struct {
	tx       *Tx
	ctx      context.Context
	fault    func(format string, args ...any)
	accounts map[rating.AccountID]*rating.Account // those that decode
	balances map[rating.Ledger]rating.Balance
	tallies  map[tallyKey]rating.Tally
	guarded  guardWork // what the fraud guard should have counted
	cdrs     tallySet  // the numbers of all calls
	data     dataSums
	drawn    map[filling]int64     // seconds that calls took from package counters
	keyless  map[rating.CDRID]bool // calls already reported as not found by their own key
}

// tallySet tells two multisets of numbers apart without holding either.
type tallySet struct{ count, print uint64 }

func (s *tallySet) add(n uint64) {
	s.count++
	n += 0x9e3779b97f4a7c15 // splitmix64: sums of such mixes do not collide by accident
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	s.print += n ^ n>>31
}

func (c *checker) tables() error {
	for _, check := range c.tx.tableChecks() {
		if err := check(c.fault); err != nil {
			return err
		}
	}
	c.tx.Accounts.EachSound(func(a *rating.Account) { c.accounts[a.ID] = a })
	return nil
}

// tableChecks are the row and key checks of every table.
func (tx *Tx) tableChecks() []func(func(string, ...any)) error {
	return []func(func(string, ...any)) error{
		tx.Tasks.Check, tx.taskParts.Check,
		tx.SMTPConnections.Check, tx.Countries.Check, tx.Networks.Check, tx.NetworkTypes.Check, tx.NetworkPrefixes.Check, tx.Operators.Check, tx.Contractors.Check, tx.Contacts.Check, tx.Accounts.Check, tx.Decks.Check, tx.Plans.Check,
		tx.Rates.Check, tx.Imports.Check, tx.Postings.Check, tx.Payments.Check, tx.Suspense.Check, tx.Invoices.Check,
		tx.Lines.Check, tx.Accesses.Check, tx.Users.Check, tx.Jobs.Check, tx.Documents.Check, tx.Audit.Check,
		tx.Objects.Check, tx.Services.Check, tx.ServicePlans.Check, tx.ServiceAudits.Check, tx.LedgerNotes.Check,
		tx.ServiceTypes.Check, tx.YetiServices.Check, tx.PackageCounters.Check, tx.NextRates.Check, tx.CDRExports.Check, tx.exportChunks.Check, tx.Messages.Check, tx.BalanceNotices.Check,
		tx.CustomersAuths.Check, tx.InvoiceTemplates.Check, tx.ImportProfiles.Check, tx.Reservations.Check, tx.Tails.Check,
		tx.DataPlans.Check, tx.DataSubscriptions.Check, tx.DataSessions.Check, tx.DataSources.Check, tx.HeldData.Check,
		tx.AccountGuards.Check, tx.GuardStates.Check, tx.GuardAlarms.Check,
		tx.NAS.Check, tx.Dialogs.Check,
		tx.Sources.Check, tx.Switches.Check,
	}
}

// references finds rows that point to rows that are not there.
func (c *checker) references() error {
	tx := c.tx
	c.accountReferences()
	tx.Contacts.EachSound(func(v *Contact) {
		if v.Contractor != 0 {
			c.refer("contact", v.ID, "contractor", v.Contractor, tx.Contractors.Has)
		}
	})
	tx.Plans.EachSound(func(p *rating.RatePlan) {
		for _, d := range p.Decks {
			c.refer("rateplan", p.ID, "deck", uint64(d), tx.Decks.Has)
		}
	})
	tx.Decks.EachSound(func(d *rating.Deck) {
		if d.Vendor != 0 {
			c.refer("deck", uint64(d.ID), "account", uint64(d.Vendor), tx.Accounts.Has)
		}
	})
	c.rates()
	tx.Payments.EachSound(c.payment)
	tx.Accesses.EachSound(func(a *Access) {
		c.refer("access", a.ID, "contractor", a.Customer, tx.Contractors.Has)
		for _, id := range a.Accounts {
			c.refer("access", a.ID, "account", uint64(id), tx.Accounts.Has)
		}
	})
	tx.Users.EachSound(func(u *User) { c.refer("user", u.ID, "account", uint64(u.Account), tx.Accounts.Has) })
	tx.Lines.EachSound(func(l *rating.InvoiceLine) { c.refer("invoice line", l.ID, "invoice", l.Invoice, tx.Invoices.Has) })
	tx.Networks.EachSound(func(n *Network) { c.refer("network", n.ID, "network type", n.Type, tx.NetworkTypes.Has) })
	tx.NetworkPrefixes.EachSound(c.networkPrefix)
	tx.Documents.EachSound(func(d *Document) { c.refer("document", d.ID, "invoice", d.ID, tx.Invoices.Has) })
	tx.Objects.EachSound(func(o *Object) { c.refer("object", o.ID, "account", uint64(o.Account), tx.Accounts.Has) })
	tx.Services.EachSound(func(s *Services) { c.refer("services", s.ID, "account", s.ID, tx.Accounts.Has) })
	tx.ServicePlans.EachSound(func(p *ServicePlan) { c.refer("service plan", p.ID, "account", uint64(p.Vendor), tx.Accounts.Has) })
	tx.ServiceAudits.EachSound(func(a *ServiceAudit) { c.refer("service audit", a.ID, "account", uint64(a.Account), tx.Accounts.Has) })
	c.tasks()
	tx.LedgerNotes.EachSound(func(n *LedgerNote) { c.refer("ledger note", n.ID, "posting", n.ID, tx.Postings.Has) })
	c.services()
	c.nextRates()
	c.cdrExports()
	c.messages()
	c.notices()
	c.papers()
	c.customersAuths()
	c.sources()
	c.nas()
	c.dialogs()
	c.importUndo()
	return nil
}

func (c *checker) accountReferences() {
	c.tx.Accounts.EachSound(func(a *rating.Account) {
		if a.Parent != 0 {
			c.refer("account", uint64(a.ID), "account", uint64(a.Parent), c.tx.Accounts.Has)
		}
		if a.Closed() {
			return // contractor and rate plan may go once the accounts that name them are closed
		}
		c.refer("account", uint64(a.ID), "contractor", a.Contractor, c.tx.Contractors.Has)
		if a.RatePlan != 0 {
			c.refer("account", uint64(a.ID), "rateplan", a.RatePlan, c.tx.Plans.Has)
		}
	})
}

// payment compares a payment with its posting. One that is not completed may have none yet.
func (c *checker) payment(p *Payment) {
	c.refer("payment", p.ID, "account", uint64(p.Account), c.tx.Accounts.Has)
	if p.Posting == 0 && p.Status != PaymentCompleted {
		return
	}
	c.refer("payment", p.ID, "posting", p.Posting, c.tx.Postings.Has)
	if by, err := c.tx.Postings.Get(p.Posting); err == nil && (by.Amount != p.Amount.Abs() || by.Account != p.Account) {
		c.fault("payment %d: %s of account %d, its posting %d moves %s of account %d", p.ID, p.Amount, p.Account, by.ID, by.Amount, by.Account)
	}
}

func (c *checker) rates() {
	known := map[rating.DeckID]bool{}
	c.tx.Imports.EachSound(func(i *Import) {
		if !i.Applied && i.FinishedAt.IsZero() {
			known[i.Deck] = true // its rows are written before the deck is
		}
	})
	deleted, err := c.tx.deletedDecks()
	if err != nil {
		c.fault("the list of deleted decks: %v", err)
	}
	for _, id := range deleted {
		known[id] = true // its rates are being removed
	}
	c.tx.Rates.EachSound(func(r *rating.Rate) {
		if !known[r.Deck] {
			c.refer("rate", uint64(r.ID), "deck", uint64(r.Deck), c.tx.Decks.Has)
			known[r.Deck] = true
		}
		if err := r.Valid(); err != nil {
			c.fault("rate %d: %v", r.ID, err)
		}
	})
	cur := c.tx.Txn.Cursor(bRateClose)
	for k, _ := cur.First(); k != nil; k, _ = cur.Next() {
		if !c.tx.Rates.Has(kv.ID(k)) {
			c.fault("the end of rate %d is noted, which does not exist", kv.ID(k))
		}
	}
}

func (c *checker) refer(noun string, id uint64, to string, ref uint64, has func(uint64) bool) {
	if !has(ref) {
		c.fault("%s %d: refers to %s %d, which does not exist", noun, id, to, ref)
	}
}
