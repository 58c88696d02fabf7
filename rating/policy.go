package rating

import (
	"cmp"
	"fmt"
	"math/big"
)

// Rate policies, numbered as Yeti's. 0 acts as PolicyOwn.
const (
	PolicyOwn     int64 = 1 + iota // the rate's own prices
	PolicyVendor                   // the vendor's prices with a margin
	PolicyCheaper                  // the rate's own while the vendor's next price is not below it, else the vendor's with a margin
	PolicyDearer                   // the rate's own while the vendor's next price is below it, else the vendor's with a margin
)

// OnVendor reports whether what a rate charges depends on the rate that the vendor has for the call.
func (e *RateExtra) OnVendor() bool { return e.RatePolicy > PolicyOwn || e.UseDPIntervals }

// FollowVendor returns what r charges for a call that the vendor's rate prices: prices by the policy,
// the vendor's intervals where r takes them. The connect fee and all else stay r's own.
//
// A price with its margin is fixed + price · (1 + percent), rounded once to a Price, half away from zero.
// Fails with Range if it leaves what a rate may ask.
// Source: Yeti, contract 6.3.
func (r *Rate) FollowVendor(vendor *Terms) (Terms, error) {
	t := r.Terms
	if r.Extra.UseDPIntervals {
		t.First.Seconds, t.Next.Seconds = vendor.First.Seconds, vendor.Next.Seconds
	}
	notBelow := vendor.Next.Price >= r.Terms.Next.Price
	switch p := r.Extra.RatePolicy; {
	case p <= PolicyOwn, p == PolicyCheaper && notBelow, p == PolicyDearer && !notBelow:
		return t, nil
	}
	for _, price := range [...]struct{ to, from *Price }{{&t.First.Price, &vendor.First.Price}, {&t.Next.Price, &vendor.Next.Price}} {
		p, ok := r.Extra.margin(*price.from)
		if !ok {
			return Terms{}, rangeError("price "+price.from.String()+" with the margin of rate", priceDecimals)
		}
		*price.to = p
	}
	return t, t.Valid()
}

// Margin returns what a rate adds to a vendor's price, in money a minute and as a share of the price (1 is
// 100 %): Yeti's defaults, nothing and 1, where the row says nothing.
func (e *RateExtra) Margin() (fixed, share Decimal) {
	return cmp.Or(e.DPMarginFixed, "0.0"), cmp.Or(e.DPMarginPercent, "1.0")
}

// margin adds the rate's margin to a vendor's price; false if the result leaves Price.
func (e *RateExtra) margin(p Price) (Price, bool) {
	f, share := e.Margin()
	fixed, ok := new(big.Rat).SetString(string(f))
	if !ok {
		return 0, false
	}
	sum, ok := new(big.Rat).SetString(string(share))
	if !ok {
		return 0, false
	}
	sum.Add(sum, big.NewRat(1, 1))
	sum.Mul(sum, new(big.Rat).SetInt64(int64(p)))
	sum.Add(sum, fixed.Mul(fixed, new(big.Rat).SetUint64(pow10[priceDecimals])))
	whole, ok := new(big.Int).SetString(sum.FloatString(0), 10) // half away from zero
	if !ok || !whole.IsInt64() {
		return 0, false
	}
	return Price(whole.Int64()), true
}

// followVendor gives m the terms that its rate has for this call. A reason says why it has none: the
// price follows a vendor's that is not known.
func followVendor(book BillBook, call *Call, deck *PricedDeck, m *Match) (reason, detail string, err error) {
	r, err := book.Rate(m.Rate)
	if err != nil {
		return "", "", err
	}
	call.SetInt(CDRDestinationRatePolicyID, max(r.Extra.RatePolicy, PolicyOwn))
	vendor, err := book.Vendor(call)
	if err != nil && KindOf(err) != NotFound {
		return "", "", err
	}
	_, reason, detail = r.follow(vendor.Decks, call.number(), call.Int(CDRTimeStart)/1000, deck, m)
	return reason, detail, nil
}

// follow gives m the terms that r has where these decks are the vendor's, and returns the vendor's rate. No
// rate of a vendor's is an empty one: then r's own terms stay where only its intervals would follow.
func (r *Rate) follow(decks []*PricedDeck, number string, at int64, deck *PricedDeck, m *Match) (asked Match, reason, detail string) {
	by, asked, known := best(decks, number, at, Outbound)
	switch {
	case !known && r.Extra.RatePolicy <= PolicyOwn:
		return Match{}, "", "" // no intervals to take
	case !known:
		return Match{}, ReasonNoRate, fmt.Sprintf("the price of rate %d follows the vendor's, and no vendor's rate matches %s", r.ID, clip(number))
	case by.Currency != deck.Currency:
		return asked, ReasonCurrency, fmt.Sprintf("deck %s of the vendor is in %s, deck %s in %s", by.Name, by.Currency, deck.Name, deck.Currency)
	}
	t, err := r.FollowVendor(&asked.Terms)
	if err != nil {
		return asked, ReasonRange, err.Error()
	}
	m.Terms = t
	return asked, "", ""
}
