package rating

import (
	"fmt"
	"time"
)

// Settings are the system-wide rules that charging asks for; billd settings changes them.
type Settings struct {
	Currency         Currency     `json:"currency"`
	CustomerRounding Rounding     `json:"customer_rounding"` // decks of preset yeti
	VendorRounding   Rounding     `json:"vendor_rounding"`
	DurationMode     DurationMode `json:"duration_mode"`
	AutoApprove      bool         `json:"auto_approve"`
}

// PricedDeck is a deck as charging needs it.
type PricedDeck struct {
	ID       DeckID
	Name     string
	Currency Currency
	Preset   Preset
	Index    *DeckIndex
}

// Party is an account with the decks that price its calls, in the order in which ties are settled.
type Party struct {
	Account *Account
	Plan    uint64
	Auth    uint64 // the customers-auth that told the payer, 0 if none
	Decks   []*PricedDeck
}

// BillBook is what charging one call reads. It is asked inside the writer's transaction, so what it
// answers is what the change set will be applied to.
type BillBook interface {
	// Earlier finds a call with the same key and tells whether its content is the same.
	Earlier(call *Call, key CallKey, content uint64) (Earlier, bool, error)
	// Payer finds who is charged; NotFound sends the call to suspense.
	Payer(call *Call) (Party, error)
	// Vendor finds who terminated the call; NotFound when the call names nobody billd knows.
	Vendor(call *Call) (Party, error)
	// NewCDRID reserves a number for a call that starts in this millisecond.
	NewCDRID(milli int64) (CDRID, error)
	Settings() *Settings
}

// Earlier is what an earlier delivery of a call became.
type Earlier struct {
	ID        CDRID
	Suspense  uint64 // its suspense number, when it waits there
	Reason    string
	SameInput bool
	Price     Money
	Currency  Currency
}

// Outcome says what became of one delivered call.
type Outcome uint8

// The outcomes, spelled as the native API spells them.
const (
	OutcomeRated Outcome = iota
	OutcomeFree
	OutcomeDuplicate
	OutcomeSuspended
)

// String returns the outcome's word.
func (o Outcome) String() string {
	return [...]string{"rated", "free", "duplicate", "suspended"}[o&3]
}

// Verdict is the change set of one call: what Bill decided, before anything is written.
type Verdict struct {
	Outcome  Outcome
	ID       CDRID  // of the CDR, also an earlier one's
	Suspense uint64 // of an earlier delivery that waits there
	Reason   string // of a suspension
	Detail   string // the sentence behind the reason
	Price    Money
	Currency Currency

	Write    bool // there is something to apply
	Key      CallKey
	Content  uint64
	Customer *Account
	Vendor   *Account
}

// Bill decides what one call is: seen before, chargeable, free, or in want of an answer. It fills in
// call's columns and writes nothing; the applier does. An error means the store is broken.
func Bill(book BillBook, call *Call, now time.Time) (Verdict, error) {
	v := Verdict{}
	if reason, detail := call.normalise(book.Settings(), now); reason != "" {
		return suspend(book, call, v, reason, detail)
	}
	v.Content = call.Content()
	v.Key = call.keyOf(v.Content)
	earlier, found, err := book.Earlier(call, v.Key, v.Content)
	if err != nil {
		return v, err
	}
	if found {
		return again(v, earlier), nil
	}
	input := call.figures()
	reason, detail, err := charge(book, call, &v)
	if err != nil {
		return v, err
	}
	if reason != "" {
		call.setFigures(&input)
		v.Customer, v.Vendor = nil, nil
		v.Outcome, v.Reason, v.Detail, v.Write = OutcomeSuspended, reason, detail, true
		return v, nil
	}
	if call.Exported.Restore {
		v.ID, call.Revision = call.Exported.ID, call.Exported.Revision
	} else if v.ID, err = book.NewCDRID(call.Int(CDRTimeStart) / 1000); err != nil {
		return v, err
	}
	call.ID = v.ID
	v.Write = true
	return v, nil
}

// again answers a repeated delivery: the same content is a success, other content a conflict.
func again(v Verdict, e Earlier) Verdict {
	v.ID, v.Suspense, v.Price, v.Currency = e.ID, e.Suspense, e.Price, e.Currency
	switch {
	case !e.SameInput:
		v.Outcome, v.Reason, v.Write = OutcomeSuspended, ReasonConflict, true
		v.Detail = fmt.Sprintf("call id already used by another record (CDR %d)", e.ID)
		v.ID, v.Suspense = 0, 0
	case e.Suspense != 0:
		v.Outcome, v.Reason = OutcomeSuspended, e.Reason
	default:
		v.Outcome = OutcomeDuplicate
	}
	return v
}

// suspend answers a call that cannot even be looked up by time.
func suspend(book BillBook, call *Call, v Verdict, reason, detail string) (Verdict, error) {
	v.Content = call.Content()
	v.Key = call.keyOf(v.Content)
	if reason == ReasonBadTime {
		v.Key.Minute = 0
	}
	earlier, found, err := book.Earlier(call, v.Key, v.Content)
	if err != nil {
		return v, err
	}
	if found {
		return again(v, earlier), nil
	}
	v.Outcome, v.Reason, v.Detail, v.Write = OutcomeSuspended, reason, detail, true
	return v, nil
}

// normalise fills what follows from what was given, and refuses times that no call can have.
func (c *Call) normalise(s *Settings, now time.Time) (reason, detail string) {
	if !c.Has(CDRTimeStart) {
		return ReasonBadTime, "time_start is missing"
	}
	start := c.Int(CDRTimeStart)
	if start < minStartMicro || start >= maxStartMicro {
		return ReasonBadTime, "time_start " + c.Format(CDRTimeStart) + ": want a year from 1970 to 2199"
	}
	if !c.Rated && start > now.Add(MaxFuture).UnixMicro() {
		return ReasonBadTime, "time_start " + c.Format(CDRTimeStart) + ": more than 5 minutes in the future"
	}
	for _, f := range [...]CDRField{CDRTimeConnect, CDRTimeEnd} {
		if c.Has(f) && (c.Int(f) < minStartMicro || c.Int(f) >= maxStartMicro) {
			return ReasonBadTime, f.Name() + " " + c.Format(f) + ": want a year from 1970 to 2199"
		}
	}
	if c.Has(CDRTimeEnd) && c.Int(CDRTimeEnd) < start && !c.Rated {
		return ReasonBadTime, "time_end is before time_start"
	}
	if c.Has(CDRTimeEnd) && c.Has(CDRTimeConnect) && c.Int(CDRTimeEnd) < c.Int(CDRTimeConnect) && !c.Rated {
		return ReasonBadTime, "time_end is before time_connect"
	}
	if c.Has(CDRDuration) && (c.Int(CDRDuration) < 0 || c.Int(CDRDuration) > 1<<31) {
		return ReasonBadTime, "duration " + c.Format(CDRDuration) + ": want 0 to 2147483648 seconds"
	}
	if !c.Has(CDRIsLastCDR) {
		c.SetBool(CDRIsLastCDR, true)
	}
	if !c.Has(CDRSuccess) && !c.Rated {
		c.SetBool(CDRSuccess, c.Has(CDRTimeConnect) || c.Int(CDRDuration) > 0)
	}
	return "", ""
}

// talk sets the call's duration by the deck's rule when the source gave none (R4).
func (c *Call) talk(p Preset, s *Settings) {
	if c.Has(CDRDuration) {
		return
	}
	if !c.Has(CDRTimeConnect) || !c.Has(CDRTimeEnd) {
		c.SetInt(CDRDuration, 0)
		return
	}
	connect, end := c.Int(CDRTimeConnect), c.Int(CDRTimeEnd)
	if p == PresetYeti {
		c.SetInt(CDRDuration, int64(WholeSeconds(end-connect, s.DurationMode)))
		return
	}
	c.SetInt(CDRDuration, max(end/1_000_000-connect/1_000_000, 0))
}

// charge finds the parties and prices both sides; a reason sends the call to suspense.
func charge(book BillBook, call *Call, v *Verdict) (reason, detail string, err error) {
	if call.Rated {
		return history(book, call, v)
	}
	call.strip()
	payer, err := book.Payer(call)
	if KindOf(err) == NotFound && err != nil {
		return ReasonNoAccount, err.Error(), nil
	} else if err != nil {
		return "", "", err
	}
	v.Customer, v.Currency = payer.Account, payer.Account.Currency
	call.SetInt(CDRCustomerAccID, int64(payer.Account.ID))
	call.SetInt(CDRCustomerID, int64(payer.Account.Contractor))
	if payer.Auth != 0 {
		call.SetInt(CDRCustomerAuthID, int64(payer.Auth))
	}
	if reason, detail = chargeCustomer(book, call, payer, v); reason != "" {
		return reason, detail, nil
	}
	vendor, err := book.Vendor(call)
	if err != nil && KindOf(err) != NotFound {
		return "", "", err
	}
	if err == nil {
		v.Vendor = vendor.Account
		call.SetInt(CDRVendorAccID, int64(vendor.Account.ID))
		call.SetInt(CDRVendorID, int64(vendor.Account.Contractor))
		if reason, detail = chargeVendor(book, call, vendor); reason != "" {
			return reason, detail, nil
		}
	}
	call.SetInt(CDRProfit, int64(profit(&call.CDR)))
	v.Price = call.Money(CDRCustomerPrice)
	return "", "", nil
}

// history takes another system's prices as they are; only the references must exist.
func history(book BillBook, call *Call, v *Verdict) (reason, detail string, err error) {
	call.Origin = History
	if call.Exported.Restore {
		call.Origin = call.Exported.Origin
	}
	call.talk(PresetPortSIP, book.Settings())
	if call.AccountRef != "" || call.Has(CDRCustomerAccID) {
		payer, err := book.Payer(call)
		if KindOf(err) == NotFound && err != nil {
			return ReasonNoAccount, err.Error(), nil
		} else if err != nil {
			return "", "", err
		}
		v.Customer, v.Currency = payer.Account, payer.Account.Currency
		call.SetInt(CDRCustomerAccID, int64(payer.Account.ID))
		call.SetInt(CDRCustomerID, int64(payer.Account.Contractor))
	}
	vendor, err := book.Vendor(call)
	switch {
	case err == nil:
		v.Vendor = vendor.Account
		call.SetInt(CDRVendorAccID, int64(vendor.Account.ID))
		call.SetInt(CDRVendorID, int64(vendor.Account.Contractor))
	case KindOf(err) != NotFound:
		return "", "", err
	case call.VendorRef != "":
		return ReasonNoAccount, err.Error(), nil
	}
	if v.Customer == nil && v.Vendor == nil {
		return ReasonNoAccount, "neither the customer's nor the vendor's account is known", nil
	}
	if call.Status != Unrated && !call.Exported.Known {
		call.Status = Rated
		if call.Money(CDRCustomerPrice) == 0 && call.Money(CDRVendorPrice) == 0 {
			call.Status = Free
		}
	}
	v.Price = call.Money(CDRCustomerPrice)
	if call.Status == Free || call.Status == Unrated {
		v.Outcome = OutcomeFree
	}
	return "", "", nil
}

// number returns what is matched against prefixes.
func (c *Call) number() string {
	if n := c.Text(CDRDstPrefixRouting); n != "" {
		return n
	}
	return c.Text(CDRDstPrefixIn)
}

// best finds the longest prefix over the decks; among equals the earlier deck wins (R17).
func best(decks []*PricedDeck, number string, at int64) (*PricedDeck, Match, bool) {
	var deck *PricedDeck
	var m Match
	for _, d := range decks {
		if got, ok := d.Index.Match(number, at, 0); ok && (deck == nil || got.PrefixLen > m.PrefixLen) {
			deck, m = d, got
		}
	}
	return deck, m, deck != nil
}

func chargeCustomer(book BillBook, call *Call, payer Party, v *Verdict) (reason, detail string) {
	number := call.number()
	deck, m, ok := best(payer.Decks, number, call.Int(CDRTimeStart)/1000)
	preset := PresetPortSIP
	if ok {
		preset = deck.Preset
	} else if len(payer.Decks) > 0 {
		preset = payer.Decks[0].Preset
	}
	call.talk(preset, book.Settings())
	answered := call.Bool(CDRSuccess)
	switch {
	case !answered:
	case number == "":
		return ReasonNoNumber, "the dialled number is missing"
	case !ok:
		return ReasonNoRate, fmt.Sprintf("no rate of account %d matches %s", payer.Account.ID, clip(number))
	case m.Blocked:
		return ReasonBlocked, fmt.Sprintf("prefix %s of deck %s is blocked", number[:m.PrefixLen], deck.Name)
	case deck.Currency != payer.Account.Currency:
		return ReasonCurrency, fmt.Sprintf("deck %s is in %s, account %d in %s", deck.Name, deck.Currency, payer.Account.ID, payer.Account.Currency)
	}
	call.SetInt(CDRCustomerAccVAT, int64(payer.Account.VAT))
	if payer.Plan != 0 {
		call.SetInt(CDRRateplanID, int64(payer.Plan))
	}
	var c Charge
	if ok {
		if answered {
			var err error
			if c, err = m.Terms.Charge(call.Seconds(), payer.Account.VAT, Formula{deck.Preset, rounding(deck.Preset, book.Settings().CustomerRounding)}); err != nil {
				return ReasonRange, err.Error()
			}
		}
		call.SetInt(CDRDestinationID, int64(m.Rate))
		call.SetText(CDRDestinationPrefix, number[:m.PrefixLen])
		call.SetInt(CDRDestinationInitialRate, int64(m.Terms.First.Price))
		call.SetInt(CDRDestinationNextRate, int64(m.Terms.Next.Price))
		call.SetInt(CDRDestinationInitialInterval, int64(m.Terms.First.Seconds))
		call.SetInt(CDRDestinationNextInterval, int64(m.Terms.Next.Seconds))
		call.SetInt(CDRDestinationFee, int64(m.Terms.ConnectFee))
		call.SetBool(CDRDestinationReverseBilling, m.Reverse)
	}
	call.SetInt(CDRCustomerPrice, int64(c.Gross))
	call.SetInt(CDRCustomerPriceNoVAT, int64(c.Net))
	if c.Billed > 0 {
		call.SetInt(CDRCustomerDuration, c.Billed)
	}
	call.Status, v.Outcome = Rated, OutcomeRated
	if c.Gross == 0 {
		call.Status, v.Outcome = Free, OutcomeFree
	}
	return "", ""
}

// chargeVendor prices what the vendor gets. A missing vendor rate never holds a call up (R18).
func chargeVendor(book BillBook, call *Call, vendor Party) (reason, detail string) {
	number := call.number()
	deck, m, ok := best(vendor.Decks, number, call.Int(CDRTimeStart)/1000)
	if !call.Bool(CDRSuccess) {
		call.SetInt(CDRVendorPrice, 0)
	}
	if !ok || deck.Currency != vendor.Account.Currency {
		return "", ""
	}
	var c Charge
	if call.Bool(CDRSuccess) {
		var err error
		if c, err = m.Terms.Charge(call.Seconds(), 0, Formula{deck.Preset, rounding(deck.Preset, book.Settings().VendorRounding)}); err != nil {
			return ReasonRange, err.Error()
		}
	}
	call.SetInt(CDRDialpeerID, int64(m.Rate))
	call.SetText(CDRDialpeerPrefix, number[:m.PrefixLen])
	call.SetInt(CDRDialpeerInitialRate, int64(m.Terms.First.Price))
	call.SetInt(CDRDialpeerNextRate, int64(m.Terms.Next.Price))
	call.SetInt(CDRDialpeerInitialInterval, int64(m.Terms.First.Seconds))
	call.SetInt(CDRDialpeerNextInterval, int64(m.Terms.Next.Seconds))
	call.SetInt(CDRDialpeerFee, int64(m.Terms.ConnectFee))
	call.SetBool(CDRDialpeerReverseBilling, m.Reverse)
	call.SetInt(CDRVendorPrice, int64(c.Gross))
	if c.Billed > 0 {
		call.SetInt(CDRVendorDuration, c.Billed)
	}
	return "", ""
}

// rounding returns the preset's price rounding; only Yeti's is a setting.
func rounding(p Preset, setting Rounding) Rounding {
	if p == PresetYeti && setting.Mode != 0 {
		return setting
	}
	return p.Rounding()
}

// profit is what billd keeps of a call. Source: Yeti, contract 6.2.
func profit(c *CDR) Money {
	customer, vendor := c.Money(CDRCustomerPrice), c.Money(CDRVendorPrice)
	if c.Bool(CDRDestinationReverseBilling) {
		customer = -customer
	}
	if c.Bool(CDRDialpeerReverseBilling) {
		vendor = -vendor
	}
	return customer - vendor
}

// Leg is what one side of a stored call moves: from debit to credit, net and tax apart.
type Leg struct {
	Account  AccountID
	Side     Side
	Net, Tax Money // not negative
	Credit   bool  // the account is credited: vendors, reverse-billed customers
}

// Legs returns the postings that a CDR is, customer side first. Unrated sides have none.
func (c *CDR) Legs() (legs [2]Leg, n int) {
	if c.Customer() != 0 && c.Has(CDRCustomerPrice) {
		l := Leg{Account: c.Customer(), Side: CustomerSide, Net: c.Money(CDRCustomerPriceNoVAT), Credit: c.Bool(CDRDestinationReverseBilling)}
		if !c.Has(CDRCustomerPriceNoVAT) {
			l.Net = c.Money(CDRCustomerPrice)
		}
		l.Tax = c.Money(CDRCustomerPrice) - l.Net
		if c.Money(CDRCustomerPrice) < 0 {
			l.Net, l.Tax, l.Credit = -l.Net, -l.Tax, !l.Credit
		}
		legs[n] = l
		n++
	}
	if c.Vendor() != 0 && c.Has(CDRVendorPrice) {
		l := Leg{Account: c.Vendor(), Side: VendorSide, Net: c.Money(CDRVendorPrice), Credit: !c.Bool(CDRDialpeerReverseBilling)}
		if l.Net < 0 {
			l.Net, l.Credit = -l.Net, !l.Credit
		}
		legs[n] = l
		n++
	}
	return legs, n
}
