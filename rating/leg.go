package rating

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

// Effect returns what one side of the call does to its account's balance, net and tax apart: below 0
// for what it pays.
func (c *CDR) Effect(side Side) (net, tax Money) {
	legs, n := c.Legs()
	for _, l := range legs[:n] {
		if l.Side == side {
			if net, tax = l.Net, l.Tax; !l.Credit {
				net, tax = -net, -tax
			}
		}
	}
	return net, tax
}
