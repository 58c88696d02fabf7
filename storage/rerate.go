package storage

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"billd/rating"
	"billd/storage/kv"
)

// Rerating works out stored own calls again by the decks as they are now (R12). A call that is on no
// invoice, or on a draft, gets the new figures and the next revision; its old row goes to cdr.revision
// under the old one, and a draft that holds it is filled anew. A call on an approved invoice keeps its
// row: what it should have cost goes to cdr.revision under correctionRevision, and the difference to
// what it was said to cost before is gathered in meta until the run ends, then posted once per account,
// side and VAT rate. All of it is in the transaction that looks at the call, so that a run after a
// crash finds the calls before it done, and posts what was gathered.

// correctionRevision is where cdr.revision keeps what a call on approved paper should have cost; the
// row's own revision says for which sides, as bits.
const correctionRevision = 1<<32 - 1

// Limits of one transaction of a rerating, so that charging goes on.
const (
	rerateChunk = 1000   // calls worked out
	rerateScan  = 20_000 // calls looked at
)

// RerateSum is what a rerating did, or would do.
type RerateSum struct {
	Examined, Changed, Same, History, Failed int
	Accounts                                 []RerateAccount // those whose balance moves, by number
	Failures                                 []RerateFailure // the first ones
}

// RerateAccount is what a rerating changes for one account. Amounts are effects on its balance.
type RerateAccount struct {
	Account  rating.AccountID
	Calls    int
	Was, Is  rating.Money // gross
	Reversed rating.Money // of Is − Was, what is posted because the calls are on approved invoices
}

// RerateFailure is a call that cannot be charged by the decks of now; it keeps its figures.
type RerateFailure struct {
	ID             rating.CDRID
	Reason, Detail string
}

const maxRerateFailures = 20

// RerateSpan picks calls to rerate; zero fields pick all.
type RerateSpan struct {
	CallSpan
	Deck   rating.DeckID // calls that it prices, or did, on either side
	Prefix string        // of the number that was dialled
}

// rerating is one run.
type rerating struct {
	dry      bool
	span     RerateSpan
	decks    map[rating.RateID]rating.DeckID // of rates that calls named
	sum      RerateSum
	accounts map[rating.AccountID]*RerateAccount
}

func newRerating(span RerateSpan, dry bool) *rerating {
	return &rerating{dry: dry, span: span, decks: map[rating.RateID]rating.DeckID{}, accounts: map[rating.AccountID]*RerateAccount{}}
}

// Rerate works out the calls of a span again, in order of start; a dry one writes nothing. progress
// hears how many calls were looked at. Drafts that held changed calls are filled anew before it returns.
func (db *DB) Rerate(ctx context.Context, span RerateSpan, dry bool, progress func(done int)) (RerateSum, error) {
	run := newRerating(span, dry)
	do := db.Update
	if dry {
		do = db.View
	} else if err := db.settleReversals(ctx); err != nil {
		return run.sum, err
	}
	for from, till := span.ids(); from < till; {
		if err := ctx.Err(); err != nil {
			return run.sum, err
		}
		var next rating.CDRID
		var page *rerating
		err := do(ctx, func(tx *Tx) (err error) {
			page = newRerating(span, dry)
			next, err = page.chunk(tx, from, till)
			return err
		})
		if err != nil {
			return run.sum, err
		}
		run.add(page)
		progress(run.sum.Examined)
		from = next
	}
	for _, a := range run.accounts {
		run.sum.Accounts = append(run.sum.Accounts, *a)
	}
	slices.SortFunc(run.sum.Accounts, func(a, b RerateAccount) int { return cmp.Compare(a.Account, b.Account) })
	if dry {
		return run.sum, nil
	}
	if err := db.settleReversals(ctx); err != nil {
		return run.sum, err
	}
	_, err := db.FillNew(ctx)
	return run.sum, err
}

// add takes over what a committed page did.
func (r *rerating) add(page *rerating) {
	s, p := &r.sum, &page.sum
	s.Examined += p.Examined
	s.Changed += p.Changed
	s.Same += p.Same
	s.History += p.History
	s.Failed += p.Failed
	s.Failures = append(s.Failures, p.Failures[:min(len(p.Failures), maxRerateFailures-len(s.Failures))]...)
	for id, a := range page.accounts {
		t := r.of(id)
		t.Calls += a.Calls
		t.Was += a.Was
		t.Is += a.Is
		t.Reversed += a.Reversed
	}
}

func (r *rerating) of(id rating.AccountID) *RerateAccount {
	if r.accounts[id] == nil {
		r.accounts[id] = &RerateAccount{Account: id}
	}
	return r.accounts[id]
}

// chunk works out some calls and returns where to go on.
func (r *rerating) chunk(tx *Tx, from, till rating.CDRID) (rating.CDRID, error) {
	type found struct {
		id  rating.CDRID
		row []byte
	}
	var rows []found // copied: a cursor does not outlive a Put
	next, scanned := till, 0
	c := tx.Txn.Cursor(bCDR)
	for k, v := c.Seek(kv.Key(nil).U64(uint64(from))); k != nil && rating.CDRID(kv.ID(k)) < till; k, v = c.Next() {
		id := rating.CDRID(kv.ID(k))
		if scanned++; scanned > rerateScan || len(rows) == rerateChunk {
			next = id
			break
		}
		var view cdrView
		if err := view.open(id, v); err != nil {
			return 0, err
		}
		customer, _ := view.Int(rating.CDRCustomerAccID)
		vendor, _ := view.Int(rating.CDRVendorAccID)
		if id := r.span.Account; id != 0 && rating.AccountID(customer) != id && rating.AccountID(vendor) != id {
			continue
		}
		if r.span.Prefix != "" {
			if number, _ := view.Text(rating.CDRDstPrefixRouting); !bytes.HasPrefix(number, []byte(r.span.Prefix)) {
				continue
			}
		}
		rows = append(rows, found{id, bytes.Clone(v)})
	}
	for _, row := range rows {
		if err := r.call(tx, row.id, row.row); err != nil {
			return 0, fmt.Errorf("cdr %d: %w", row.id, err)
		}
	}
	return next, nil
}

// call works out one call.
func (r *rerating) call(tx *Tx, id rating.CDRID, raw []byte) error {
	var old rating.CDR
	if err := decodeCDR(id, raw, &old); err != nil {
		return err
	}
	if old.Origin == rating.History {
		if r.span.Deck == 0 { // what priced it is not known
			r.sum.Examined++
			r.sum.History++
		}
		return nil
	}
	now := rating.Call{CDR: old}
	reason, detail, err := rating.Rebill(billBook{tx}, &now)
	if err != nil {
		return err
	}
	if priced, err := r.pricedBy(tx, &old, &now.CDR); err != nil || !priced {
		return err
	}
	r.sum.Examined++
	if reason != "" {
		r.sum.Failed++
		if len(r.sum.Failures) < maxRerateFailures {
			r.sum.Failures = append(r.sum.Failures, RerateFailure{id, reason, detail})
		}
		return nil
	}
	changed, err := r.judge(tx, &old, &now.CDR, raw)
	if changed {
		r.sum.Changed++
	} else {
		r.sum.Same++
	}
	return err
}

// pricedBy reports whether a rate of the wanted deck, if one is wanted, gave or gives a call's figures.
func (r *rerating) pricedBy(tx *Tx, calls ...*rating.CDR) (bool, error) {
	if r.span.Deck == 0 {
		return true, nil
	}
	for _, c := range calls {
		for _, f := range [...]rating.CDRField{rating.CDRDestinationID, rating.CDRDialpeerID} {
			id := rating.RateID(c.Int(f))
			if id == 0 {
				continue
			}
			deck, known := r.decks[id]
			if !known {
				switch rate, err := tx.Rates.Get(uint64(id)); {
				case err == nil:
					deck = rate.Deck
				case rating.KindOf(err) != rating.NotFound:
					return false, err
				}
				r.decks[id] = deck
			}
			if deck == r.span.Deck {
				return true, nil
			}
		}
	}
	return false, nil
}

// judge tells for each side whether its figures may change or are on approved paper, and does what
// follows.
func (r *rerating) judge(tx *Tx, old, now *rating.CDR, raw []byte) (changed bool, err error) {
	var corrected rating.CDR
	correction := tx.Txn.Get(bCDRRevision, revisionKey(old.ID, correctionRevision))
	if correction != nil {
		if err := decodeCDR(old.ID, correction, &corrected); err != nil {
			return false, err
		}
	}
	row := *now
	frozen := uint32(0)
	var drafts []*rating.Invoice
	for side, id := range [...]rating.AccountID{old.Customer(), old.Vendor()} {
		if id == 0 {
			continue
		}
		inv, err := tx.paperOf(id, old)
		if err != nil {
			return false, err
		}
		bit := uint32(1) << side
		onPaper := inv != nil && (inv.State == rating.InvoiceApproved || inv.Origin == rating.History)
		base := old
		if onPaper || correction != nil && corrected.Revision&bit != 0 {
			frozen |= bit
			row.KeepSide(rating.Side(side), old)
			if correction != nil && corrected.Revision&bit != 0 {
				base = &corrected
			}
		} else if inv != nil {
			drafts = append(drafts, inv)
		}
		moved, err := r.compare(tx, rating.Side(side), id, base, now, frozen&bit != 0)
		if err != nil {
			return false, err
		}
		changed = changed || moved
	}
	if frozen != 0 && changed && !r.dry {
		kept := *now
		kept.Revision = frozen | corrected.Revision
		if err := tx.Txn.Put(bCDRRevision, revisionKey(old.ID, correctionRevision), appendCDR(nil, &kept)); err != nil {
			return false, err
		}
	}
	if row == *old {
		return changed, nil
	}
	if r.dry {
		return true, nil
	}
	return true, tx.rewriteCall(old, &row, raw, drafts)
}

// compare adds what one side's new figures change, and gathers it for a posting if its row is frozen.
func (r *rerating) compare(tx *Tx, side rating.Side, id rating.AccountID, base, now *rating.CDR, frozen bool) (moved bool, err error) {
	wasNet, wasTax := base.Effect(side)
	isNet, isTax := now.Effect(side)
	if wasNet == isNet && wasTax == isTax {
		return false, nil
	}
	a := r.of(id)
	a.Calls++
	a.Was += wasNet + wasTax
	a.Is += isNet + isTax
	if !frozen {
		return true, nil
	}
	a.Reversed += isNet + isTax - wasNet - wasTax
	if r.dry {
		return true, nil
	}
	vat := rating.Percent(0)
	if side == rating.CustomerSide {
		vat = rating.Percent(base.Int(rating.CDRCustomerAccVAT))
	}
	return true, tx.gatherReversal(reversalKey{id, side, vat}, isNet-wasNet, isTax-wasTax)
}

// paperOf returns the filled invoice that an account's call is on, nil for none.
func (tx *Tx) paperOf(id rating.AccountID, c *rating.CDR) (*rating.Invoice, error) {
	a, err := tx.account(id)
	if err != nil || a.InvoicedTill.IsZero() || !c.Time(rating.CDRTimeStart).Before(a.InvoicedTill) {
		return nil, err
	}
	n, err := tx.InvoiceOf(id, c)
	if err != nil || n == 0 {
		return nil, err
	}
	return tx.Invoices.Get(n)
}

func revisionKey(id rating.CDRID, revision uint32) []byte {
	return kv.Key(make([]byte, 0, 12)).U64(uint64(id)).U32(revision)
}

// rewriteCall puts row in old's place: balances and tallies move by the difference, drafts that hold
// the call are to be filled again.
func (tx *Tx) rewriteCall(old, row *rating.CDR, raw []byte, drafts []*rating.Invoice) error {
	row.Revision = old.Revision + 1
	if err := tx.Txn.Put(bCDRRevision, revisionKey(old.ID, old.Revision), raw); err != nil {
		return err
	}
	if err := tx.Txn.Put(bCDR, kv.Key(nil).U64(uint64(old.ID)), appendCDR(nil, row)); err != nil {
		return err
	}
	for _, step := range [...]struct {
		c    *rating.CDR
		sign int
	}{{old, -1}, {row, 1}} {
		if err := tx.moveCall(step.c, step.sign); err != nil {
			return err
		}
		if err := tx.countCall(step.c, int64(step.sign)); err != nil {
			return err
		}
		if err := tx.drawPackage(step.c, int64(step.sign)); err != nil {
			return err
		}
	}
	for _, inv := range drafts {
		if err := tx.reopenInvoice(inv.ID); err != nil {
			return err
		}
	}
	return tx.rewrote()
}

// reopenInvoice makes a Pending invoice New, so that it is filled again.
func (tx *Tx) reopenInvoice(id uint64) error {
	inv, err := tx.Invoices.Get(id)
	if err != nil || inv.State != rating.InvoicePending {
		return err
	}
	if err := tx.dropLines(inv); err != nil {
		return err
	}
	inv.State = rating.InvoiceNew
	return tx.Invoices.Put(inv)
}
