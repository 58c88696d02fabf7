package rating

// derived are the columns that charging works out; what a record says there does not count.
var derived = [...]CDRField{
	CDRCustomerAuthID, CDRRateplanID, CDRCustomerAccVAT,
	CDRDestinationID, CDRDestinationInitialRate, CDRDestinationNextRate,
	CDRDestinationInitialInterval, CDRDestinationNextInterval, CDRDestinationFee, CDRDestinationReverseBilling,
	CDRCustomerPrice, CDRCustomerPriceNoVAT, CDRCustomerDuration,
	CDRDialpeerID, CDRDialpeerInitialRate, CDRDialpeerNextRate, CDRDialpeerInitialInterval, CDRDialpeerNextInterval,
	CDRDialpeerFee, CDRDialpeerReverseBilling, CDRVendorPrice, CDRVendorDuration, CDRProfit,
	CDRPackageCounterID, CDRPackageFilledAt, CDRDestinationRatePolicyID,
	CDRDstCountryID, CDRDstNetworkID, CDRSrcCountryID, CDRSrcNetworkID,
	// numbers end here
	CDRDestinationPrefix, CDRDialpeerPrefix, CDRMatching,
}

// derivedTexts is how many of derived are texts, at its end.
const derivedTexts = 3

// filled are further columns that charging fills in where they are missing.
var filled = [...]CDRField{CDRCustomerAccID, CDRCustomerID, CDRVendorAccID, CDRVendorID, CDRDuration}

// figures are what charging may write over, so that it can be taken back without a copy of the call.
type figures struct {
	has    [2]uint64
	status CDRStatus
	origin Origin
	num    [len(derived) - derivedTexts + len(filled)]int64
	txt    [derivedTexts]string
}

func (c *CDR) figures() (f figures) {
	f.has, f.status, f.origin = c.has, c.Status, c.Origin
	n := len(derived) - derivedTexts
	for i, col := range derived[:n] {
		f.num[i] = c.num[col]
	}
	for i, col := range filled {
		f.num[n+i] = c.num[col]
	}
	for i, col := range derived[n:] {
		f.txt[i] = c.txt[cdrTextSlot[col]]
	}
	return f
}

func (c *CDR) setFigures(f *figures) {
	c.has, c.Status, c.Origin = f.has, f.status, f.origin
	n := len(derived) - derivedTexts
	for i, col := range derived[:n] {
		c.num[col] = f.num[i]
	}
	for i, col := range filled {
		c.num[col] = f.num[n+i]
	}
	for i, col := range derived[n:] {
		c.txt[cdrTextSlot[col]] = f.txt[i]
	}
}

// strip makes the derived columns null. How a call was matched stays: one that is rated again goes the way it went.
func (c *CDR) strip() {
	for _, f := range derived {
		if c.Has(f) && f != CDRMatching {
			c.Unset(f)
		}
	}
}
