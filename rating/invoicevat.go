package rating

import (
	"cmp"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// VATShare is the part of an invoice that bears one VAT rate: what was spent less what was earned, as
// it was charged.
type VATShare struct {
	Rate Percent `json:"rate"`
	Net  Money   `json:"net"`
	Tax  Money   `json:"tax"`
}

// PostedVAT is the rate of a share whose tax is as it was posted: recurring charges, whose postings
// name no rate.
const PostedVAT Percent = -1

// InvoiceDue is what an invoice's paper asks for. Amounts have as many decimals as the currency's minor
// unit.
type InvoiceDue struct {
	Shares   []VATShare // none for an invoice whose shares are not known
	Net, Tax Money
	Total    Money
	Rounding Money // Total less the exact sum; it is posted when the invoice is approved
}

// Due returns what the invoice asks for: the net amount of each VAT rate rounded to the currency's
// minor unit, tax on that, and their sum (R14). Where VAT shares are not known, the sum is rounded as
// one. Fails with Range if a sum leaves Money.
func (inv *Invoice) Due() (d InvoiceDue, err error) {
	exact, err := inv.Spent.Sub(inv.Earned)
	if err != nil {
		return d, err
	}
	places := inv.Currency.MinorUnits()
	sum := func(a, b Money) Money {
		s, e := a.Add(b)
		if e != nil {
			err = e
		}
		return s
	}
	for _, s := range inv.VAT {
		share := VATShare{s.Rate, s.Net.Round(places), s.taxOn(places)}
		d.Shares = append(d.Shares, share)
		d.Net, d.Tax = sum(d.Net, share.Net), sum(d.Tax, share.Tax)
	}
	d.Total = sum(d.Net, d.Tax)
	if len(inv.VAT) == 0 {
		d.Net = exact.Round(places)
		d.Total = d.Net
	}
	if err == nil {
		d.Rounding, err = d.Total.Sub(exact)
	}
	return d, err
}

// Same reports whether two invoices say the same. VAT shares are compared where both know them.
func (inv *Invoice) Same(other *Invoice) bool {
	if inv.VAT != nil && other.VAT != nil && !slices.Equal(inv.VAT, other.VAT) {
		return false
	}
	a, b := *inv, *other
	a.VAT, b.VAT = nil, nil
	return reflect.DeepEqual(a, b)
}

// taxOn returns the tax on the rounded net amount. It is never further than one minor unit from the tax
// that was charged: beyond that the charges were not made at this rate, and they count.
func (s VATShare) taxOn(places int) Money {
	charged := s.Tax.Round(places)
	if s.Rate < 0 {
		return charged
	}
	n := new(big.Int).Mul(big.NewInt(int64(s.Net.Round(places))), big.NewInt(int64(s.Rate)))
	unit := unitOf(places, moneyDecimals)
	div := big.NewInt(wholePercent * unit) // to whole minor units in one step, half away from zero
	n.Add(n, new(big.Int).Mul(big.NewInt(int64(n.Sign())*unit), big.NewInt(wholePercent/2)))
	n.Mul(n.Quo(n, div), big.NewInt(unit))
	if tax := Money(n.Int64()); n.IsInt64() && (tax-charged).Abs() <= Money(unit) {
		return tax
	}
	return charged
}

// share counts what was spent, below 0 what was earned, at a rate.
func (s *InvoiceSum) share(rate Percent, net, tax Money) (err error) {
	sh := s.shares[rate]
	if sh == nil {
		sh = &VATShare{Rate: rate}
		s.shares[rate] = sh
	}
	if sh.Net, err = sh.Net.Add(net); err != nil {
		return err
	}
	sh.Tax, err = sh.Tax.Add(tax)
	return err
}

// shareCall counts a call of one side. What a terminated call earned bears no VAT.
func (s *InvoiceSum) shareCall(c *CDR, side Side) error {
	net, tax := c.Effect(side)
	rate := Percent(0)
	if side == CustomerSide {
		rate = Percent(c.Int(CDRCustomerAccVAT))
	}
	if net == 0 && tax == 0 {
		return nil
	}
	return s.share(rate, -net, -tax)
}

// sharePosting counts a posting that the invoice shows.
func (s *InvoiceSum) sharePosting(p *Posting, spent bool) error {
	amount := p.Amount
	if !spent {
		amount = -amount
	}
	rate := Percent(0)
	switch p.Kind {
	case PostingPlan:
		rate = PostedVAT
	case PostingReversal, PostingData:
		rate = p.namedVAT()
	}
	if p.Debit.Kind == LedgerTax || p.Credit.Kind == LedgerTax {
		return s.share(rate, 0, amount)
	}
	return s.share(rate, amount, 0)
}

// namedVAT reads the rate that a posting's reference names, in millionths of a percent:
// reversal/run/account/side/rate/part or data/subscription/period/count/rate/part.
func (p *Posting) namedVAT() Percent {
	if parts := strings.Split(p.Ref, "/"); len(parts) == 6 {
		if rate, err := strconv.ParseInt(parts[4], 10, 64); err == nil && rate >= 0 {
			return Percent(rate)
		}
	}
	return PostedVAT
}

// vatShares returns the shares in order of their rates, those that come to nothing left out.
func (s *InvoiceSum) vatShares() (list []VATShare) {
	for _, sh := range s.shares {
		if sh.Net != 0 || sh.Tax != 0 {
			list = append(list, *sh)
		}
	}
	slices.SortFunc(list, func(a, b VATShare) int { return cmp.Compare(b.Rate, a.Rate) })
	return list
}
