package rating

import (
	"cmp"
	"fmt"
)

// AuthBook is what authorising one call reads, beside what pricing it does. It is asked inside the
// writer's transaction when the answer reserves money, so that no two calls are promised the same.
type AuthBook interface {
	Payer(call *Call) (Party, error)
	Vendor(call *Call) (Party, error)
	Rate(RateID) (*Rate, error)
	Settings() *Settings
	Balance(*Account) (Money, error)
	// Package finds the counter of bundled seconds that the call meets, nil for none, less what other
	// calls have reserved of it. The caller may change what it returns.
	Package(payer AccountID, number string) (*PackageCounter, error)
	// Reserved returns what open reservations hold of an account, the one that is asked for not among them.
	Reserved(AccountID) (Reserved, error)
	// Auth returns what a customers-auth asks of a call before it begins.
	Auth(id uint64) (AuthLimits, error)
	// Guard returns what the fraud guard says of an account.
	Guard(*Account) (GuardGate, error)
}

// Reserved is what an account's open reservations hold: calls that are under way, or about to be.
type Reserved struct {
	Amount      Money  // promised, not charged yet
	Originated  uint64 // calls that it pays
	Terminated  uint64 // calls that it terminates
	AuthCalls   map[uint64]uint64
	CounterHeld map[uint64]int64 // seconds of package counters
}

// AuthLimits is what a customers-auth asks of a call before it begins.
type AuthLimits struct {
	Reject    bool
	Unlimited bool // the balance is not asked
	Capacity  *int64
}

// Refusals of Authorise beside those of TalkTime and the reasons no_account, no_number, no_rate and
// currency of suspense. Each is a word that clients may rely on.
const (
	RefusedClosed      = "account_closed"       // the account was deleted
	RefusedDisabled    = "account_disabled"     // the account is switched off
	RefusedByAuth      = "rejected"             // the customers-auth rejects calls
	RefusedAuth        = "auth_capacity"        // the customers-auth has as many calls as it may
	RefusedOrigination = "origination_capacity" // the account pays as many calls as it may
	RefusedTotal       = "total_capacity"       // the payer or the vendor has as many calls as it may
	RefusedVendor      = "no_vendor"            // the vendor that was named is not known
	RefusedTermination = "termination_capacity" // the vendor terminates as many calls as it may
	RefusedVendorMoney = "vendor_balance"       // the vendor's balance is at its ceiling
	RefusedLength      = "max_call_duration"    // the account's calls may last no longer
	RefusedGuard       = "fraud_guard"          // the fraud guard blocked the account, or it has as many calls as the guard allows
)

// AuthAsk is a call that is about to begin, or one that is to last longer.
type AuthAsk struct {
	Call    *Call  // number, start, and who pays or where it comes from
	Seconds uint32 // talk time that is asked for, 0 for the longest that the account may
	Held    bool   // the call is under way: capacities count it already
}

// Grant is what Authorise decided; Refused says why it may not begin, Detail in a sentence.
type Grant struct {
	Refused, Detail string

	Account *Account // who pays, nil when nobody is found
	Vendor  *Account // who terminates the call, nil for nobody
	Auth    uint64   // the customers-auth that told the payer, 0 for none
	Deck    *PricedDeck
	Match   Match

	Seconds        uint32 // the call may last
	Amount         Money  // it may cost, VAT included
	Counter        uint64 // the package counter that pays for it, 0 for none
	CounterSeconds int64  // it may take from it
}

// Authorise decides whether a call may begin, for how long, and what it costs at most: what is to be
// reserved so that a call that lasts no longer than Seconds never brings the account below its floor.
//
// A number of Settings.Always is allowed whatever the balance and the capacities are. A rate whose price
// follows the vendor's is asked with the vendor's decks where a vendor is named, else by its own terms.
// The vendor's balance is asked only where its max balance is not 0. An error means the store is broken.
// Source: Yeti, contract 6.4, 6.8.
func Authorise(book AuthBook, ask AuthAsk) (Grant, error) {
	var g Grant
	refused, detail, err := authorise(book, &ask, &g)
	if refused != "" {
		g.Seconds, g.Amount, g.Counter, g.CounterSeconds = 0, 0, 0, 0
	}
	g.Refused, g.Detail = refused, detail
	return g, err
}

func authorise(book AuthBook, ask *AuthAsk, g *Grant) (refused, detail string, err error) {
	payer, err := book.Payer(ask.Call)
	if err != nil {
		return unknown(err, ReasonNoAccount)
	}
	g.Account, g.Auth = payer.Account, payer.Auth
	number := ask.Call.number()
	always := number != "" && book.Settings().IsAlways(number)
	if payer.Account.Disabled && !always {
		return RefusedDisabled, fmt.Sprintf("account %d is switched off", payer.Account.ID), nil
	}
	limits, held, refused, detail, err := admit(book, ask, &payer, always)
	if refused != "" || err != nil {
		return refused, detail, err
	}
	vendor, refused, detail, err := authoriseVendor(book, ask, g, always)
	if refused != "" || err != nil {
		return refused, detail, err
	}
	at := ask.Call.Int(CDRTimeStart) / 1000
	deck, m, ok := best(payer.Decks, number, at, ask.Call.direction())
	if !ok {
		deck = nil
	}
	g.Deck, g.Match = deck, m
	if always {
		g.Seconds = payer.Account.LongestCall(book.Settings().CallSeconds())
		return "", "", nil
	}
	if reason, detail := refuse(payer.Account, deck, &m, number); reason != "" {
		return reason, detail, nil
	}
	if m.OnVendor && vendor != nil {
		r, err := book.Rate(m.Rate)
		if err != nil {
			return "", "", err
		}
		if _, reason, detail := r.follow(vendor.Decks, number, at, deck, &m); reason != "" {
			return reason, detail, nil
		}
		g.Match = m
	}
	return fund(book, ask, g, limits, held.Amount)
}

// unknown makes a party that is not found a refusal; any other error stays one.
func unknown(err error, word string) (refused, detail string, _ error) {
	if KindOf(err) != NotFound {
		return "", "", err
	}
	if e, ok := err.(*Error); ok && e.Rule == RefusedClosed {
		word = RefusedClosed
	}
	return word, err.Error(), nil
}

// admit asks whether the payer, and the customers-auth by which the call comes in, take one more call.
func admit(book AuthBook, ask *AuthAsk, payer *Party, always bool) (limits AuthLimits, held Reserved, refused, detail string, err error) {
	a := payer.Account
	if held, err = book.Reserved(a.ID); err != nil {
		return limits, held, "", "", err
	}
	if payer.Auth != 0 {
		if limits, err = book.Auth(payer.Auth); err != nil {
			return limits, held, "", "", err
		}
	}
	gate, err := book.Guard(a)
	if err != nil {
		return limits, held, "", "", err
	}
	switch {
	case always:
	case limits.Reject:
		refused, detail = RefusedByAuth, fmt.Sprintf("customers-auth %d rejects calls", payer.Auth)
	case gate.Blocked != "" || gate.Refuses:
		refused, detail = gate.admits(a, ask.Held, held.Originated)
	}
	switch {
	case always || ask.Held || refused != "":
	case full(limits.Capacity, held.AuthCalls[payer.Auth]):
		refused, detail = RefusedAuth, fmt.Sprintf("customers-auth %d has its %d calls", payer.Auth, *limits.Capacity)
	case full(a.OriginationCapacity, held.Originated):
		refused, detail = RefusedOrigination, fmt.Sprintf("account %d has its %d calls", a.ID, *a.OriginationCapacity)
	case full(a.TotalCapacity, held.Originated+held.Terminated):
		refused, detail = RefusedTotal, fmt.Sprintf("account %d has its %d calls", a.ID, *a.TotalCapacity)
	}
	return limits, held, refused, detail, nil
}

func full(capacity *int64, calls uint64) bool {
	return capacity != nil && calls >= uint64(max(*capacity, 0))
}

// authoriseVendor asks whether the vendor, where one is named, takes one more call.
func authoriseVendor(book AuthBook, ask *AuthAsk, g *Grant, always bool) (vendor *Party, refused, detail string, err error) {
	if ask.Call.VendorRef == "" && ask.Call.Vendor() == 0 {
		return nil, "", "", nil
	}
	p, err := book.Vendor(ask.Call)
	if err != nil {
		refused, detail, err = unknown(err, RefusedVendor)
		return nil, refused, detail, err
	}
	a := p.Account
	g.Vendor = a
	held, err := book.Reserved(a.ID)
	if err != nil {
		return nil, "", "", err
	}
	calls := held.Originated + held.Terminated
	if a.ID == g.Account.ID {
		calls++ // the call itself is on both sides of it
	}
	switch {
	case always || ask.Held:
	case full(a.TerminationCapacity, held.Terminated):
		refused, detail = RefusedTermination, fmt.Sprintf("vendor account %d has its %d calls", a.ID, *a.TerminationCapacity)
	case full(a.TotalCapacity, calls):
		refused, detail = RefusedTotal, fmt.Sprintf("vendor account %d has its %d calls", a.ID, *a.TotalCapacity)
	}
	if refused == "" && !always && a.MaxBalance.Sign() != 0 {
		balance, err := book.Balance(a)
		if err != nil {
			return nil, "", "", err
		}
		if a.MaxBalance.CmpMoney(balance) <= 0 {
			refused, detail = RefusedVendorMoney, fmt.Sprintf("vendor account %d: balance %s, max balance %s", a.ID, balance, a.MaxBalance)
		}
	}
	return &p, refused, detail, nil
}

// fund finds how long the call may last for what is free of minutes and money, and what that costs.
func fund(book AuthBook, ask *AuthAsk, g *Grant, limits AuthLimits, reserved Money) (refused, detail string, err error) {
	a, f := g.Account, g.Deck.formula(book.Settings().CustomerRounding)
	b := Budget{Floor: a.MinBalance, RateLimit: a.DestinationRateLimit, VAT: a.VAT, Longest: a.LongestCall(book.Settings().CallSeconds())}
	if b.Longest == 0 {
		return RefusedLength, fmt.Sprintf("calls of account %d may last 0 s", a.ID), nil
	}
	if seconds := cmp.Or(ask.Seconds, book.Settings().ReserveSeconds); seconds != 0 {
		b.Longest = min(b.Longest, seconds)
	}
	if limits.Unlimited {
		b.Floor = ""
	}
	if b.Counter, err = book.Package(a.ID, ask.Call.number()); err != nil {
		return "", "", err
	}
	balance, err := book.Balance(a)
	if err != nil {
		return "", "", err
	}
	if b.Balance, err = balance.Sub(reserved); err != nil {
		return RefusedBalance, err.Error(), nil
	}
	p, err := g.Match.TalkTime(b, f)
	if err != nil {
		return ReasonRange, err.Error(), nil
	}
	switch p.Refused {
	case "":
	case RefusedRateLimit:
		return p.Refused, fmt.Sprintf("the rate asks %s a minute, account %d allows %s", g.Match.Terms.Next.Price, a.ID, b.RateLimit), nil
	case RefusedBalance:
		return p.Refused, fmt.Sprintf("account %d: balance %s, reserved %s, floor %s", a.ID, balance, reserved, b.Floor), nil
	default:
		return p.Refused, fmt.Sprintf("the call to %s is refused: %s", clip(ask.Call.number()), p.Refused), nil
	}
	g.Seconds, g.Counter = p.Seconds, p.Counter
	return g.cost(a.VAT, f)
}

// cost fills in what a granted call takes at most.
func (g *Grant) cost(vat Percent, f Formula) (refused, detail string, err error) {
	if g.Match.Reverse {
		return "", "", nil
	}
	whole, err := g.Match.Terms.Charge(g.Seconds, vat, f)
	if err != nil {
		return ReasonRange, err.Error(), nil
	}
	if g.Counter != 0 {
		g.CounterSeconds = whole.Billed
		return "", "", nil
	}
	// with a next price below 0 the shortest call is the dearest
	least, err := g.Match.Terms.Charge(min(max(g.Match.Terms.Grace, 1), g.Seconds), vat, f)
	if err != nil {
		return ReasonRange, err.Error(), nil
	}
	g.Amount = max(whole.Gross, least.Gross, 0)
	return "", "", nil
}
