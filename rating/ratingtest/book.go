package ratingtest

import (
	"strconv"
	"strings"
	"time"

	"billd/rating"
)

// Book is a bill book in memory. It implements rating.BillBook.
type Book struct {
	Balances map[rating.Ledger]rating.Balance
	Tallies  map[TallyKey]rating.Tally
	CDRs     map[rating.CDRID]rating.CDR
	Held     uint64 // records in suspense, numbered from 1

	settings rating.Settings
	accounts []*rating.Account
	plans    map[uint64][]*rating.PricedDeck
	vendors  map[rating.AccountID][]*rating.PricedDeck
	counters map[rating.AccountID][]*rating.PackageCounter
	rates    map[rating.RateID]*rating.Rate
	places   map[string][2]uint64 // country and network by prefix
	seen     []seen
}

var _ rating.BillBook = (*Book)(nil)

// TallyKey names one account's local day on one side.
type TallyKey struct {
	Account rating.AccountID
	Side    rating.Side
	Day     rating.Day
	Origin  rating.Origin
}

// seen is one delivered record and what it became.
type seen struct {
	key            rating.CallKey
	identified     bool
	conflict       bool // kept under its content, so that only its own repetition finds it
	source, callID string
	attempt        int64
	content        uint64
	became         rating.Earlier
}

// NewBook makes a book without accounts and decks.
func NewBook(s rating.Settings) *Book {
	return &Book{Balances: map[rating.Ledger]rating.Balance{}, Tallies: map[TallyKey]rating.Tally{}, CDRs: map[rating.CDRID]rating.CDR{},
		settings: s, plans: map[uint64][]*rating.PricedDeck{}, vendors: map[rating.AccountID][]*rating.PricedDeck{},
		counters: map[rating.AccountID][]*rating.PackageCounter{}, rates: map[rating.RateID]*rating.Rate{}}
}

// AddAccount makes an account known by its number and its name.
func (b *Book) AddAccount(a *rating.Account) { b.accounts = append(b.accounts, a) }

// AddToPlan lets a rate plan's accounts be charged by a deck.
func (b *Book) AddToPlan(plan uint64, d *rating.PricedDeck) { b.plans[plan] = append(b.plans[plan], d) }

// AddToVendor lets a deck price what an account terminates.
func (b *Book) AddToVendor(id rating.AccountID, d *rating.PricedDeck) {
	b.vendors[id] = append(b.vendors[id], d)
}

// AddCounter gives an account bundled seconds, which calls take from the counter itself.
func (b *Book) AddCounter(p *rating.PackageCounter) {
	b.counters[p.Account] = append(b.counters[p.Account], p)
}

// AddNetwork lets numbers of at least 7 digits, 11 in North America, that begin with a prefix belong to
// a country and a network, unless a longer prefix says otherwise.
func (b *Book) AddNetwork(prefix string, country, network uint64) {
	if b.places == nil {
		b.places = map[string][2]uint64{}
	}
	b.places[prefix] = [2]uint64{country, network}
}

// Network tries every beginning of a number, the longest first.
func (b *Book) Network(number string) (country, network uint64) {
	least := 7
	if strings.HasPrefix(number, "1") {
		least = 11
	}
	for n := len(number); n > 0 && len(number) >= least; n-- {
		if p, ok := b.places[number[:n]]; ok {
			return p[0], p[1]
		}
	}
	return 0, 0
}

// AddRate makes the row of a rate known whose price follows the vendor's.
func (b *Book) AddRate(r *rating.Rate) { b.rates[r.ID] = r }

// Charge bills a call and keeps what came of it. call is left as it was.
func (b *Book) Charge(call *rating.Call, now time.Time) (rating.Verdict, error) {
	c := *call
	v, err := rating.Bill(b, &c, now)
	if err != nil || !v.Write {
		return v, err
	}
	s := seen{key: v.Key, identified: c.CallID() != "", source: c.Text(rating.CDRSource), callID: c.CallID(),
		attempt: c.Int(rating.CDRRoutingAttempt), content: v.Content}
	if v.Outcome == rating.OutcomeSuspended {
		if v.Reason == rating.ReasonConflict {
			for _, e := range b.seen {
				if e.conflict && e.content == v.Content && e.key.Minute == v.Key.Minute {
					v.Suspense = e.became.Suspense
					return v, nil
				}
			}
			s.conflict = true
		}
		b.Held++
		v.Suspense = b.Held
		s.became = rating.Earlier{Suspense: v.Suspense, Reason: v.Reason, Detail: v.Detail}
		b.seen = append(b.seen, s)
		return v, nil
	}
	s.became = rating.Earlier{ID: v.ID, Price: v.Price, Currency: v.Currency}
	b.seen = append(b.seen, s)
	b.CDRs[v.ID] = c.CDR
	b.count(&c.CDR)
	if c.Origin == rating.Own {
		b.move(&c.CDR)
	}
	if id, _, seconds, ok := c.Draw(); ok {
		for _, p := range b.counters[c.Customer()] {
			if p.ID == id {
				p.Duration -= seconds
			}
		}
	}
	return v, nil
}

// move posts the customer's price against revenue and tax, and the vendor's against cost.
func (b *Book) move(c *rating.CDR) {
	if a := b.account(c.Customer()); a != nil && c.Has(rating.CDRCustomerPrice) {
		gross, net := c.Money(rating.CDRCustomerPrice), c.Money(rating.CDRCustomerPriceNoVAT)
		pays := !c.Bool(rating.CDRDestinationReverseBilling)
		b.post(rating.Ledger{Kind: rating.LedgerAccount, Currency: a.Currency, Account: a.ID}, gross, !pays)
		b.post(rating.Ledger{Kind: rating.LedgerRevenue, Currency: a.Currency}, net, pays)
		b.post(rating.Ledger{Kind: rating.LedgerTax, Currency: a.Currency}, gross-net, pays)
	}
	if a := b.account(c.Vendor()); a != nil && c.Has(rating.CDRVendorPrice) {
		price, earns := c.Money(rating.CDRVendorPrice), !c.Bool(rating.CDRDialpeerReverseBilling)
		b.post(rating.Ledger{Kind: rating.LedgerAccount, Currency: a.Currency, Account: a.ID}, price, earns)
		b.post(rating.Ledger{Kind: rating.LedgerCost, Currency: a.Currency}, price, !earns)
	}
}

func (b *Book) post(l rating.Ledger, amount rating.Money, credit bool) {
	if amount == 0 {
		return
	}
	sum := b.Balances[l]
	if credit {
		sum.CallCredits += amount
	} else {
		sum.CallDebits += amount
	}
	b.Balances[l] = sum
}

// count adds a call to the local day of each side's account.
func (b *Book) count(c *rating.CDR) {
	b.countSide(c, rating.CustomerSide, c.Customer(), c.Int(rating.CDRCustomerDuration),
		c.Money(rating.CDRCustomerPriceNoVAT), c.Money(rating.CDRCustomerPrice), c.Bool(rating.CDRDestinationReverseBilling))
	b.countSide(c, rating.VendorSide, c.Vendor(), c.Int(rating.CDRVendorDuration),
		c.Money(rating.CDRVendorPrice), c.Money(rating.CDRVendorPrice), c.Bool(rating.CDRDialpeerReverseBilling))
}

func (b *Book) countSide(c *rating.CDR, side rating.Side, id rating.AccountID, billed int64, net, gross rating.Money, reverse bool) {
	a := b.account(id)
	if a == nil {
		return
	}
	if reverse {
		net, gross = -net, -gross
	}
	key := TallyKey{id, side, rating.DayOf(c.Time(rating.CDRTimeStart), a.Location()), c.Origin}
	t := b.Tallies[key]
	t.Calls++
	if c.Bool(rating.CDRSuccess) {
		t.Answered++
	}
	t.Seconds += uint64(c.Int(rating.CDRDuration))
	t.Billed += uint64(billed)
	t.Net += net
	t.Tax += gross - net
	b.Tallies[key] = t
}

func (b *Book) account(id rating.AccountID) *rating.Account {
	for _, a := range b.accounts {
		if a.ID == id {
			return a
		}
	}
	return nil
}

// Earlier looks for the record among all others: by source, id and attempt within a minute either
// way, or by its content where it has no id (R15).
func (b *Book) Earlier(call *rating.Call, key rating.CallKey, content uint64) (rating.Earlier, bool, error) {
	for _, off := range []int64{0, -1, 1} {
		for _, s := range b.seen {
			same := !s.conflict && int64(s.key.Minute) == int64(key.Minute)+off
			if call.CallID() == "" {
				same = same && off == 0 && !s.identified && s.content == content
			} else {
				same = same && (off == 0 || key.Minute != 0) && s.source == call.Text(rating.CDRSource) &&
					s.callID == call.CallID() && s.attempt == call.Int(rating.CDRRoutingAttempt)
			}
			if same {
				e := s.became
				e.SameInput = s.content == content
				return e, true, nil
			}
		}
	}
	return rating.Earlier{}, false, nil
}

// Payer finds an account by what the record says of it.
func (b *Book) Payer(call *rating.Call) (rating.Party, error) {
	a, err := b.named(call.AccountRef, call.Customer())
	if err != nil {
		return rating.Party{}, err
	}
	plan := a.RatePlan
	if plan == 0 {
		plan = rating.DefaultPlan
	}
	return rating.Party{Account: a, Plan: plan, Decks: b.plans[plan]}, nil
}

// Vendor finds the account that terminated the call.
func (b *Book) Vendor(call *rating.Call) (rating.Party, error) {
	a, err := b.named(call.VendorRef, call.Vendor())
	if err != nil {
		return rating.Party{}, err
	}
	return rating.Party{Account: a, Decks: b.vendors[a.ID]}, nil
}

func (b *Book) named(ref string, id rating.AccountID) (*rating.Account, error) {
	for _, a := range b.accounts {
		known := ref == "" && a.ID == id || ref != "" && (a.Name == ref || strconv.FormatUint(uint64(a.ID), 10) == ref)
		if known && !a.Closed() {
			return a, nil
		}
	}
	return nil, rating.Errorf(rating.NotFound, "account", "account %q does not exist", ref)
}

// Package finds the counter that a call meets.
func (b *Book) Package(payer rating.AccountID, number string) (*rating.PackageCounter, error) {
	return rating.MeetCounter(b.counters[payer], number), nil
}

// Rate returns the row of a rate.
func (b *Book) Rate(id rating.RateID) (*rating.Rate, error) {
	if r := b.rates[id]; r != nil {
		return r, nil
	}
	return nil, rating.Errorf(rating.NotFound, "rate", "rate %d does not exist", id)
}

// NewCDRID counts the calls of the millisecond.
func (b *Book) NewCDRID(milli int64) (rating.CDRID, error) {
	n := uint32(0)
	for id := range b.CDRs {
		if id.Milli() == milli {
			n++
		}
	}
	return rating.MakeCDRID(milli, n), nil
}

// Settings returns the settings that the book was made with.
func (b *Book) Settings() *rating.Settings { return &b.settings }
