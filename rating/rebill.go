package rating

import "slices"

// RebillBook is what rating a stored call again reads: the decks in force, the parties as they are.
type RebillBook interface {
	Payer(call *Call) (Party, error)
	Vendor(call *Call) (Party, error)
	Rate(RateID) (*Rate, error)
	Network(number string) (country, network uint64)
	Settings() *Settings
}

// Rebill works out what a stored call costs by the decks as they are now, at the instant when it
// began: the columns that the switch gave stay, as do number, duration, parties and VAT rate; all
// others are worked out anew. Which counter of bundled seconds covers it, if any, stays too: rerating
// changes rates, not packages. A reason says why it cannot be charged now; call is as it was then.
// History is not rated again: it panics.
func Rebill(book RebillBook, call *Call) (reason, detail string, err error) {
	if call.Origin == History {
		panic("rating: Rebill of history")
	}
	was := call.figures()
	hasVAT, vat := call.Has(CDRCustomerAccVAT), Percent(call.Int(CDRCustomerAccVAT))
	auth := call.Int(CDRCustomerAuthID)
	var v Verdict
	b := rebill{RebillBook: book, vat: vat, hasVAT: hasVAT, auth: uint64(auth)}
	if counter, filledAt, _, ok := call.Draw(); ok {
		b.counter = &PackageCounter{ID: counter, FilledAt: filledAt, Duration: 1}
	}
	if reason, detail, err = charge(b, call, &v); err != nil || reason != "" {
		call.setFigures(&was)
	}
	return reason, detail, err
}

// rebill is a book whose payer is taxed, and whose call is covered, as the call was.
type rebill struct {
	RebillBook
	vat     Percent
	hasVAT  bool
	auth    uint64
	counter *PackageCounter // that covers the call, nil for none
}

// Package returns the counter that covered the call, whatever is left of it now.
func (b rebill) Package(AccountID, string) (*PackageCounter, error) { return b.counter, nil }

// Earlier finds nothing: the call is its own.
func (rebill) Earlier(*Call, CallKey, uint64) (Earlier, bool, error) { return Earlier{}, false, nil }

// NewCDRID gives none: the call has its number.
func (rebill) NewCDRID(int64) (CDRID, error) {
	return 0, Errorf(Internal, "cdr", "a stored call asks for a number")
}

// Payer returns the payer with the VAT rate that the call was charged with.
func (b rebill) Payer(call *Call) (Party, error) {
	call.Auth = b.auth
	p, err := b.RebillBook.Payer(call)
	if err != nil {
		return p, err
	}
	if b.auth != 0 {
		p.Auth = b.auth
	}
	if b.hasVAT && p.Account.VAT != b.vat {
		a := *p.Account
		a.VAT = b.vat
		p.Account = &a
	}
	return p, nil
}

// sideFigures are the columns that charging works out for one side.
var sideFigures = [2][]CDRField{
	CustomerSide: {CDRCustomerAuthID, CDRRateplanID, CDRCustomerAccVAT, CDRDestinationID, CDRDestinationInitialRate, CDRDestinationNextRate,
		CDRDestinationInitialInterval, CDRDestinationNextInterval, CDRDestinationFee, CDRDestinationReverseBilling,
		CDRCustomerPrice, CDRCustomerPriceNoVAT, CDRCustomerDuration, CDRDestinationPrefix, CDRDestinationRatePolicyID, CDRPackageCounterID, CDRPackageFilledAt},
	VendorSide: {CDRDialpeerID, CDRDialpeerInitialRate, CDRDialpeerNextRate, CDRDialpeerInitialInterval, CDRDialpeerNextInterval,
		CDRDialpeerFee, CDRDialpeerReverseBilling, CDRVendorPrice, CDRVendorDuration, CDRDialpeerPrefix},
}

// KeepSide gives one side of c the figures that it has in was, and the status that follows from the
// customer's; the profit is that of both sides as they are then. Countries and networks go with either
// side, as an invoice's lines are told apart by them.
func (c *CDR) KeepSide(side Side, was *CDR) {
	for _, f := range slices.Concat(geography[:], sideFigures[side]) {
		switch {
		case !was.Has(f):
			c.Unset(f)
		case f.Kind().IsText():
			c.SetText(f, was.Text(f))
		default:
			c.SetInt(f, was.Int(f))
		}
	}
	if side == CustomerSide {
		c.Status = was.Status
	}
	c.SetInt(CDRProfit, int64(profit(c)))
}
