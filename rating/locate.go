package rating

// geography are the columns that say where a call goes to and comes from.
var geography = [...]CDRField{CDRDstCountryID, CDRDstNetworkID, CDRSrcCountryID, CDRSrcNetworkID}

// numberPlan tells whose a number is; see BillBook.
type numberPlan interface {
	Network(number string) (country, network uint64)
}

// locate fills in country and network of both ends, where the call does not have them.
func (c *Call) locate(plan numberPlan) {
	c.locateEnd(plan, c.number(), CDRDstCountryID, CDRDstNetworkID)
	c.locateEnd(plan, c.caller(), CDRSrcCountryID, CDRSrcNetworkID)
}

func (c *Call) locateEnd(plan numberPlan, number string, country, network CDRField) {
	if number == "" || c.Has(country) || c.Has(network) {
		return
	}
	in, of := plan.Network(number)
	if in != 0 {
		c.SetInt(country, int64(in))
	}
	if of != 0 {
		c.SetInt(network, int64(of))
	}
}

// caller returns the number that calls, as it was routed.
func (c *Call) caller() string {
	if n := c.Text(CDRSrcPrefixRouting); n != "" {
		return n
	}
	return c.Text(CDRSrcPrefixIn)
}
