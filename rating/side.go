package rating

// SideFields names the columns that a call keeps of one side: who it is, a copy of the rate that
// priced it, and what it came to.
type SideFields struct {
	Account, Contractor                              CDRField
	Rate, Prefix                                     CDRField
	FirstPrice, NextPrice, FirstSeconds, NextSeconds CDRField
	Fee, Reverse                                     CDRField
	Price, Billed                                    CDRField
}

var sideFields = [2]SideFields{
	CustomerSide: {
		Account: CDRCustomerAccID, Contractor: CDRCustomerID, Rate: CDRDestinationID, Prefix: CDRDestinationPrefix,
		FirstPrice: CDRDestinationInitialRate, NextPrice: CDRDestinationNextRate,
		FirstSeconds: CDRDestinationInitialInterval, NextSeconds: CDRDestinationNextInterval,
		Fee: CDRDestinationFee, Reverse: CDRDestinationReverseBilling, Price: CDRCustomerPrice, Billed: CDRCustomerDuration,
	},
	VendorSide: {
		Account: CDRVendorAccID, Contractor: CDRVendorID, Rate: CDRDialpeerID, Prefix: CDRDialpeerPrefix,
		FirstPrice: CDRDialpeerInitialRate, NextPrice: CDRDialpeerNextRate,
		FirstSeconds: CDRDialpeerInitialInterval, NextSeconds: CDRDialpeerNextInterval,
		Fee: CDRDialpeerFee, Reverse: CDRDialpeerReverseBilling, Price: CDRVendorPrice, Billed: CDRVendorDuration,
	},
}

// Fields returns the columns of a side; callers must not change them.
func (s Side) Fields() *SideFields { return &sideFields[s] }

// setParty writes who a side is.
func (c *CDR) setParty(f *SideFields, a *Account) {
	c.SetInt(f.Account, int64(a.ID))
	c.SetInt(f.Contractor, int64(a.Contractor))
}

// setRate writes which rate of which steps a number met. What it costs is setPrices.
func (c *CDR) setRate(f *SideFields, number string, m *Match) {
	c.SetInt(f.Rate, int64(m.Rate))
	c.SetText(f.Prefix, number[:m.PrefixLen])
	c.SetInt(f.FirstSeconds, int64(m.Terms.First.Seconds))
	c.SetInt(f.NextSeconds, int64(m.Terms.Next.Seconds))
	c.SetBool(f.Reverse, m.Reverse)
}

// setPrices writes what a rate asks.
func (c *CDR) setPrices(f *SideFields, t *Terms) {
	c.SetInt(f.FirstPrice, int64(t.First.Price))
	c.SetInt(f.NextPrice, int64(t.Next.Price))
	c.SetInt(f.Fee, int64(t.ConnectFee))
}

// setCharge writes what a side came to. Billed seconds stay null where none are.
func (c *CDR) setCharge(f *SideFields, price Money, billed int64) {
	c.SetInt(f.Price, int64(price))
	if billed > 0 {
		c.SetInt(f.Billed, billed)
	}
}
