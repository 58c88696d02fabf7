package rating

import "fmt"

// charge finds the parties and prices both sides; a reason sends the call to suspense.
func charge(book BillBook, call *Call, v *Verdict) (reason, detail string, err error) {
	if call.Rated {
		return history(book, call, v)
	}
	call.strip()
	call.locate(book)
	payer, err := book.Payer(call)
	if err != nil {
		return nobody(err)
	}
	v.Customer, v.Currency = payer.Account, payer.Account.Currency
	call.setParty(CustomerSide.Fields(), payer.Account)
	call.keepMatching(payer.Rule)
	if payer.Auth != 0 {
		call.SetInt(CDRCustomerAuthID, int64(payer.Auth))
	}
	if reason, detail, err = chargeCustomer(book, call, payer, v); reason != "" || err != nil {
		return reason, detail, err
	}
	vendor, err := book.Vendor(call)
	if err != nil && KindOf(err) != NotFound {
		return "", "", err
	}
	if err == nil {
		v.Vendor = vendor.Account
		call.setParty(VendorSide.Fields(), vendor.Account)
		if reason, detail = chargeVendor(book, call, vendor); reason != "" {
			return reason, detail, nil
		}
	}
	call.SetInt(CDRProfit, int64(profit(&call.CDR)))
	v.Price = call.Money(CDRCustomerPrice)
	return "", "", nil
}

// nobody makes a party that is not found a reason; any other error stays one.
func nobody(err error) (reason, detail string, _ error) {
	if KindOf(err) == NotFound {
		return ReasonNoAccount, err.Error(), nil
	}
	return "", "", err
}

// history takes another system's prices as they are; only the references must exist.
func history(book BillBook, call *Call, v *Verdict) (reason, detail string, err error) {
	call.Origin = History
	if call.Exported.Restore {
		call.Origin = call.Exported.Origin
	}
	call.talk(PresetPortSIP, book.Settings())
	if !call.Exported.Known {
		call.locate(book)
	}
	if call.AccountRef != "" || call.Has(CDRCustomerAccID) {
		payer, err := book.Payer(call)
		if err != nil {
			return nobody(err)
		}
		v.Customer, v.Currency = payer.Account, payer.Account.Currency
		call.setParty(CustomerSide.Fields(), payer.Account)
	}
	vendor, err := book.Vendor(call)
	switch {
	case err == nil:
		v.Vendor = vendor.Account
		call.setParty(VendorSide.Fields(), vendor.Account)
	case KindOf(err) != NotFound || call.VendorRef != "":
		return nobody(err)
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

// best finds the longest prefix over the decks; among equals the earlier deck wins (R17).
func best(decks []*PricedDeck, number string, at int64, dir Direction) (*PricedDeck, Match, bool) {
	var deck *PricedDeck
	var m Match
	for _, d := range decks {
		if got, ok := d.Index.Match(number, at, dir); ok && (deck == nil || got.PrefixLen > m.PrefixLen) {
			deck, m = d, got
		}
	}
	return deck, m, deck != nil
}

// formula returns how the deck charges.
func (d *PricedDeck) formula(setting Rounding) Formula { return d.Preset.Formula(setting) }

// chargeCustomer prices what the customer pays: nothing if a counter of bundled seconds covers the call.
func chargeCustomer(book BillBook, call *Call, payer Party, v *Verdict) (reason, detail string, err error) {
	number, f := call.number(), CustomerSide.Fields()
	deck, m, ok := best(payer.Decks, number, call.Int(CDRTimeStart)/1000, call.direction())
	preset := PresetPortSIP
	if ok {
		preset = deck.Preset
	} else if len(payer.Decks) > 0 {
		preset = payer.Decks[0].Preset
	}
	call.talk(preset, book.Settings())
	answered := call.Bool(CDRSuccess)
	if answered {
		if reason, detail = refuse(payer.Account, deck, &m, number); reason != "" {
			return reason, detail, nil
		}
	}
	call.SetInt(CDRCustomerAccVAT, int64(payer.Account.VAT))
	if payer.Plan != 0 {
		call.SetInt(CDRRateplanID, int64(payer.Plan))
	}
	var c Charge
	if ok {
		covered := false
		if deck.Preset == PresetYeti {
			call.SetInt(CDRDestinationRatePolicyID, PolicyOwn)
		}
		if answered && m.OnVendor {
			if reason, detail, err = followVendor(book, call, deck, &m); reason != "" || err != nil {
				return reason, detail, err
			}
		}
		if answered {
			if c, err = m.Terms.Charge(call.Seconds(), payer.Account.VAT, deck.formula(book.Settings().CustomerRounding)); err != nil {
				return ReasonRange, err.Error(), nil
			}
			if covered, err = draw(book, call, payer.Account.ID, &m, &c); err != nil {
				return "", "", err
			}
		}
		call.setRate(f, number, &m)
		if !covered {
			call.setPrices(f, &m.Terms)
		}
	}
	call.setCharge(f, c.Gross, c.Billed)
	call.SetInt(CDRCustomerPriceNoVAT, int64(c.Net))
	call.Status, v.Outcome = Rated, OutcomeRated
	if c.Gross == 0 {
		call.Status, v.Outcome = Free, OutcomeFree
	}
	return "", "", nil
}

// refuse says why an answered call cannot be charged; deck is nil when no rate matches.
func refuse(payer *Account, deck *PricedDeck, m *Match, number string) (reason, detail string) {
	switch {
	case number == "":
		return ReasonNoNumber, "the dialled number is missing"
	case deck == nil:
		return ReasonNoRate, fmt.Sprintf("no rate of account %d matches %s", payer.ID, clip(number))
	case m.Blocked:
		return ReasonBlocked, fmt.Sprintf("prefix %s of deck %s is blocked", number[:m.PrefixLen], deck.Name)
	case deck.Currency != payer.Currency:
		return ReasonCurrency, fmt.Sprintf("deck %s is in %s, account %d in %s", deck.Name, deck.Currency, payer.ID, payer.Currency)
	}
	return "", ""
}

// drawable reports whether a package counter may pay for what a rate charges: a call that owes nothing
// takes nothing, and a reverse-billed one is the customer's income.
func drawable(m *Match, c *Charge) bool { return !m.Reverse && (c.Billed > 0 || c.Gross != 0) }

// draw lets a counter of bundled seconds pay for what c charges, and reports whether one does.
func draw(book BillBook, call *Call, payer AccountID, m *Match, c *Charge) (covered bool, err error) {
	if !drawable(m, c) {
		return false, nil
	}
	counter, err := book.Package(payer, call.number())
	if err != nil || !counter.Covers() {
		return false, err
	}
	call.cover(counter)
	c.Net, c.Tax, c.Gross = 0, 0, 0
	return true, nil
}

// chargeVendor prices what the vendor gets. A missing vendor rate never holds a call up (R18).
func chargeVendor(book BillBook, call *Call, vendor Party) (reason, detail string) {
	number, f := call.number(), VendorSide.Fields()
	deck, m, ok := best(vendor.Decks, number, call.Int(CDRTimeStart)/1000, Outbound)
	answered := call.Bool(CDRSuccess)
	if !answered {
		call.SetInt(f.Price, 0)
	}
	if !ok || deck.Currency != vendor.Account.Currency {
		return "", ""
	}
	var c Charge
	if answered {
		var err error
		if c, err = m.Terms.Charge(call.Seconds(), 0, deck.formula(book.Settings().VendorRounding)); err != nil {
			return ReasonRange, err.Error()
		}
	}
	call.setRate(f, number, &m)
	call.setPrices(f, &m.Terms)
	call.setCharge(f, c.Gross, c.Billed)
	return "", ""
}
