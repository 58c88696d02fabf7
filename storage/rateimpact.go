package storage

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// Impact says what an import would have cost and earned, had it been in force: the calls of a span are
// charged twice, by the deck without the import and by the deck with it, each as it is once the last
// dated row of the list is in force. It reads only; calls keep their figures.
type Impact struct {
	From, Till   time.Time       // the span that was looked at
	At           time.Time       // the instant as of which both decks were taken
	Truncated    bool            // there were more than maxImpactCalls: From is later than was asked
	Examined     int             // calls of the span
	Calls        int             // of them those that the deck prices, before or after
	Unpriced     int             // of them those that nothing prices any more
	NewlyPriced  int             // of them those that nothing priced before
	Old, New     rating.Money    // gross: what the account pays, or what a vendor's account is paid
	Accounts     []ImpactAccount // the largest difference first
	Destinations []ImpactDestination
}

// ImpactAccount is what an import changes for one account.
type ImpactAccount struct {
	Account  rating.AccountID
	Name     string
	Calls    int
	Old, New rating.Money
}

// ImpactDestination is what an import changes for calls to one prefix, the one that prices them after it.
type ImpactDestination struct {
	Prefix, Name string
	Calls        int
	Old, New     rating.Money
}

// Limits of what an impact looks at and tells.
const (
	maxImpactCalls        = 1_000_000
	maxImpactAccounts     = 1_000
	maxImpactDestinations = 100
)

// firstImpactRate is where the numbers begin that rows have in the two indexes: no row of a deck has
// them, so that what prices a call tells whether it is this deck.
const firstImpactRate = maxKeptNumber

// Impact works out what the import changes for the calls of the last span. Call it after Compare and
// before Apply. progress is told how many of the days are done.
func (im *RateImport) Impact(ctx context.Context, span time.Duration, progress func(done, total int64)) (*Impact, error) {
	run := &impactRun{im: im, deck: im.deck.ID, accounts: map[rating.AccountID]*ImpactAccount{}, prefixes: map[string]*ImpactDestination{}}
	err := im.db.View(ctx, func(tx *Tx) error {
		run.Till = tx.now
		return nil
	})
	if err != nil || im.deck.ID == 0 { // no plan lists a deck that is yet to be made
		run.From = run.Till
		return &run.Impact, err
	}
	run.side = rating.CustomerSide
	if im.deck.Vendor != 0 {
		run.side = rating.VendorSide
	}
	if err := run.indexes(ctx); err != nil {
		return nil, err
	}
	if err := run.walk(ctx, span, progress); err != nil {
		return nil, err
	}
	return run.finish(ctx)
}

// impactRun is one working out of an Impact.
type impactRun struct {
	Impact
	im       *RateImport
	deck     rating.DeckID
	side     rating.Side
	old, new *rating.DeckIndex
	last     rating.RateID
	accounts map[rating.AccountID]*ImpactAccount
	prefixes map[string]*ImpactDestination
}

// indexes builds the deck without the import and with it, each as of one instant and valid always.
func (r *impactRun) indexes(ctx context.Context) error {
	im := r.im
	r.At, r.last = im.at, firstImpactRate
	var row rating.Rate
	for i := range im.list.rows {
		if !im.list.rows[i].stage {
			continue
		}
		if err := im.list.rate(i, &row); err != nil {
			return err
		}
		r.At = later(r.At, row.From)
	}
	ends := make(map[rating.RateID]int64, len(im.closings))
	for _, c := range im.closings {
		ends[c.Rate] = c.Till
	}
	size := len(im.list.rows)
	if im.was != nil {
		size = max(size, im.was.Len())
	}
	before, after := rating.NewIndexBuilder(size), rating.NewIndexBuilder(size)
	walk := &deckWalk{db: im.db, deck: &im.deck}
	for {
		kept, err := walk.peek(ctx)
		if err != nil {
			return err
		}
		if kept == nil {
			break
		}
		if kept.ValidAt(r.At) {
			e := r.entry(kept)
			before.Add(kept.Prefix, e)
			if till, ended := ends[kept.ID]; !ended || r.At.UnixMilli() < till {
				after.Add(kept.Prefix, e)
			}
		}
		walk.next()
	}
	for i := range im.list.rows {
		if !im.list.rows[i].stage {
			continue
		}
		if err := im.list.rate(i, &row); err != nil {
			return err
		}
		if row.ValidAt(r.At) {
			after.Add(row.Prefix, r.entry(&row))
		}
	}
	var err error
	if r.old, err = before.Build(); err == nil {
		r.new, err = after.Build()
	}
	return err
}

// entry is a row as the indexes hold it: valid always, under a number of its own.
func (r *impactRun) entry(row *rating.Rate) rating.Entry {
	e := row.Entry()
	e.From, e.Till, e.Rate = 0, 0, r.last
	r.last++
	return e
}

// impactDay is the span that is walked at once: the latest day first, so that a limit costs the oldest.
const impactDay = 24 * time.Hour

func (r *impactRun) walk(ctx context.Context, span time.Duration, progress func(done, total int64)) error {
	r.From = r.Till
	start := r.Till.Add(-span)
	for till := r.Till; till.After(start); {
		from := till.Add(-impactDay)
		if from.Before(start) {
			from = start
		}
		if r.Examined >= maxImpactCalls {
			r.Truncated = true
			return nil
		}
		first, end := rating.MakeCDRID(from.UnixMilli(), 0), rating.MakeCDRID(till.UnixMilli(), 0)
		for next := first; next < end; {
			if err := ctx.Err(); err != nil {
				return context.Cause(ctx)
			}
			err := r.im.db.View(ctx, func(tx *Tx) (err error) {
				tx.known = map[rating.AccountID]*rating.Account{}
				next, err = r.page(tx, next, end)
				return err
			})
			if err != nil {
				return err
			}
		}
		r.From, till = from, from
		progress(days(r.Till.Sub(from)), days(span))
	}
	return nil
}

// days is how many days a span begins.
func days(span time.Duration) int64 { return int64((span + impactDay - 1) / impactDay) }

// page works out some calls and returns where to go on.
func (r *impactRun) page(tx *Tx, from, till rating.CDRID) (rating.CDRID, error) {
	done := 0
	c := tx.Txn.Cursor(bCDR)
	var stored rating.CDR
	for k, v := c.Seek(kv.Key(nil).U64(uint64(from))); k != nil && rating.CDRID(kv.ID(k)) < till; k, v = c.Next() {
		id := rating.CDRID(kv.ID(k))
		if done == rerateChunk {
			return id, nil
		}
		done++
		r.Examined++
		stored = rating.CDR{}
		if err := decodeCDR(id, v, &stored); err != nil {
			return 0, err
		}
		if stored.Origin == rating.History {
			continue
		}
		if err := r.call(tx, &stored); err != nil {
			return 0, fmt.Errorf("cdr %d: %w", id, err)
		}
	}
	return till, nil
}

// call charges one call both ways.
func (r *impactRun) call(tx *Tx, stored *rating.CDR) error {
	was, err := r.charge(tx, stored, r.old)
	if err != nil {
		return err
	}
	is, err := r.charge(tx, stored, r.new)
	if err != nil || !was.ours && !is.ours {
		return err
	}
	id := stored.Customer()
	if r.side == rating.VendorSide {
		id = stored.Vendor()
	}
	a := r.accounts[id]
	if a == nil {
		a = &ImpactAccount{Account: id}
		r.accounts[id] = a
	}
	prefix := is.prefix
	if !is.rated {
		prefix = was.prefix
	}
	d := r.prefixes[prefix]
	if d == nil {
		d = &ImpactDestination{Prefix: prefix}
		r.prefixes[prefix] = d
	}
	switch {
	case !is.rated:
		r.Unpriced++
	case !was.rated:
		r.NewlyPriced++
	}
	r.Calls++
	a.Calls++
	d.Calls++
	for _, sum := range [...]struct {
		to  *rating.Money
		add rating.Money
	}{{&r.Old, was.amount}, {&r.New, is.amount}, {&a.Old, was.amount}, {&a.New, is.amount}, {&d.Old, was.amount}, {&d.New, is.amount}} {
		if *sum.to, err = sum.to.Add(sum.add); err != nil {
			return err
		}
	}
	return nil
}

// charged is what one call came to.
type charged struct {
	rated  bool // something prices it
	ours   bool // this deck does
	amount rating.Money
	prefix string
}

// charge rates a call again with the index in place of the deck's own.
func (r *impactRun) charge(tx *Tx, stored *rating.CDR, index *rating.DeckIndex) (charged, error) {
	call := rating.Call{CDR: *stored}
	reason, _, err := rating.Rebill(impactBook{billBook{tx}, &rating.PricedDeck{ID: r.im.deck.ID, Name: r.im.deck.Name, Currency: r.im.deck.Currency,
		Preset: r.im.deck.Preset, Index: index}}, &call)
	if err != nil || reason != "" {
		return charged{}, err
	}
	rate, prefix := rating.CDRDestinationID, rating.CDRDestinationPrefix
	if r.side == rating.VendorSide {
		rate, prefix = rating.CDRDialpeerID, rating.CDRDialpeerPrefix
	}
	if !call.Has(rate) {
		return charged{}, nil
	}
	net, tax := call.Effect(r.side)
	gross, err := net.Add(tax)
	if r.side == rating.CustomerSide {
		gross = -gross
	}
	return charged{rated: true, ours: call.Int(rate) >= firstImpactRate, amount: gross, prefix: call.Text(prefix)}, err
}

// impactBook is the store's book with another index for one deck.
type impactBook struct {
	billBook
	deck *rating.PricedDeck
}

// Payer returns who is charged, with the deck in question as it is asked for.
func (b impactBook) Payer(call *rating.Call) (rating.Party, error) {
	p, err := b.billBook.Payer(call)
	p.Decks = b.swap(p.Decks)
	return p, err
}

// Vendor returns who terminated the call, with the deck in question as it is asked for.
func (b impactBook) Vendor(call *rating.Call) (rating.Party, error) {
	p, err := b.billBook.Vendor(call)
	p.Decks = b.swap(p.Decks)
	return p, err
}

func (b impactBook) swap(decks []*rating.PricedDeck) []*rating.PricedDeck {
	i := slices.IndexFunc(decks, func(d *rating.PricedDeck) bool { return d.ID == b.deck.ID })
	if i < 0 {
		return decks
	}
	decks = slices.Clone(decks)
	decks[i] = b.deck
	return decks
}

// finish sorts what was found and names it.
func (r *impactRun) finish(ctx context.Context) (*Impact, error) {
	for _, a := range r.accounts {
		r.Accounts = append(r.Accounts, *a)
	}
	slices.SortFunc(r.Accounts, func(a, b ImpactAccount) int {
		return cmp.Or(cmp.Compare((b.New-b.Old).Abs(), (a.New-a.Old).Abs()), cmp.Compare(a.Account, b.Account))
	})
	r.Accounts = r.Accounts[:min(len(r.Accounts), maxImpactAccounts)]
	for _, d := range r.prefixes {
		r.Destinations = append(r.Destinations, *d)
	}
	slices.SortFunc(r.Destinations, func(a, b ImpactDestination) int {
		return cmp.Or(cmp.Compare((b.New-b.Old).Abs(), (a.New-a.Old).Abs()), cmp.Compare(max(b.New, b.Old), max(a.New, a.Old)), cmp.Compare(a.Prefix, b.Prefix))
	})
	r.Destinations = r.Destinations[:min(len(r.Destinations), maxImpactDestinations)]
	err := r.im.db.View(ctx, func(tx *Tx) error {
		for i := range r.Accounts {
			a, err := tx.account(r.Accounts[i].Account)
			if err != nil {
				return err
			}
			r.Accounts[i].Name = a.Name
		}
		return nil
	})
	if err == nil {
		err = r.nameDestinations(ctx)
	}
	return &r.Impact, err
}

// nameDestinations takes the destinations' names from the list, else from the deck.
func (r *impactRun) nameDestinations(ctx context.Context) error {
	at := make(map[string]int, len(r.Destinations))
	for i := range r.Destinations {
		at[r.Destinations[i].Prefix] = i
	}
	var e indexedRate
	var row rating.Rate
	for i := range r.im.list.rows {
		if err := r.im.list.entry(i, &e); err != nil {
			return err
		}
		n, wanted := at[string(e.Prefix)]
		if !wanted || r.Destinations[n].Name != "" {
			continue
		}
		if err := r.im.list.rate(i, &row); err != nil {
			return err
		}
		r.Destinations[n].Name = row.Name
	}
	return r.im.db.View(ctx, func(tx *Tx) error {
		for i := range r.Destinations {
			d := &r.Destinations[i]
			if d.Name != "" {
				continue
			}
			err := tx.RatesAt(r.deck, d.Prefix, func(kept *rating.Rate) (bool, error) {
				d.Name = kept.Name
				return d.Name == "", nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
