package ui

import (
	"fmt"

	"billd/rating"
	"billd/storage"
)

// explained says how one side of a call came to its price.
type explained struct {
	Title    string
	Account  accountLink
	Deck     string
	DeckID   rating.DeckID
	Rate     rating.RateID
	RateName string
	Prefix   string
	Terms    rating.Terms
	Charge   rating.Charge
	Steps    []rating.ChargeStep
	Currency rating.Currency
	Note     string // what keeps the steps from being the whole truth
}

// explainCall explains both sides of a stored call, as far as it has them.
func (u *UI) explainCall(tx *storage.Tx, c *rating.CDR, row *callRow) (sides []explained, err error) {
	for _, side := range []struct {
		title    string
		side     rating.Side
		account  accountLink
		currency rating.Currency
		vat      rating.Percent
		rounding rating.Rounding
	}{
		{"What the customer pays", rating.CustomerSide, row.Customer, row.Currency, rating.Percent(c.Int(rating.CDRCustomerAccVAT)), tx.Settings().CustomerRounding},
		{"What the vendor gets", rating.VendorSide, row.Vendor, row.CostCurrency, 0, tx.Settings().VendorRounding},
	} {
		if side.account.ID == 0 {
			continue
		}
		e := explained{Title: side.title, Account: side.account, Currency: side.currency}
		if err := u.explainSide(tx, c, &e, side.side, side.vat, side.rounding); err != nil {
			return nil, err
		}
		sides = append(sides, e)
	}
	return sides, nil
}

// explainSide repeats the charge with the figures that the call carries. Where the rate still says the
// same its further terms count too, as they did then; a result that differs from the stored price says so.
func (u *UI) explainSide(tx *storage.Tx, c *rating.CDR, e *explained, side rating.Side, vat rating.Percent, setting rating.Rounding) error {
	f := side.Fields()
	counter, _, seconds, covered := c.Draw()
	switch {
	case c.Origin == rating.History:
		e.Note = "This call is another system's history: its price was taken as given."
		return nil
	case !c.Bool(rating.CDRSuccess):
		e.Note = "The call was not answered, so nothing is owed."
		return nil
	case !c.Has(f.Rate):
		e.Note = "No rate was found for this side."
		return nil
	case covered && side == rating.CustomerSide:
		e.Note = fmt.Sprintf("Package counter %d paid for the call: it took %d s of bundled time, and nothing is owed.", counter, seconds)
		return nil
	}
	e.Rate, e.Prefix = rating.RateID(c.Int(f.Rate)), c.Text(f.Prefix)
	e.Terms = rating.Terms{ConnectFee: c.Money(f.Fee),
		First: rating.Step{Seconds: uint32(c.Int(f.FirstSeconds)), Price: rating.Price(c.Int(f.FirstPrice))},
		Next:  rating.Step{Seconds: uint32(c.Int(f.NextSeconds)), Price: rating.Price(c.Int(f.NextPrice))}}
	preset := rating.PresetPortSIP
	rate, err := tx.Rates.Get(uint64(e.Rate))
	switch {
	case err == nil:
		e.RateName, e.DeckID = rate.Name, rate.Deck
		if rate.Terms.ConnectFee == e.Terms.ConnectFee && rate.Terms.First == e.Terms.First && rate.Terms.Next == e.Terms.Next {
			e.Terms = rate.Terms
		}
		deck, err := tx.Decks.Get(uint64(rate.Deck))
		if err != nil {
			return err
		}
		e.Deck, preset = deck.Name, deck.Preset
	case rating.KindOf(err) != rating.NotFound:
		return err
	}
	e.Charge, e.Steps, err = e.Terms.Explain(c.Seconds(), vat, formula(preset, setting), e.Currency)
	if err != nil {
		e.Note, e.Steps = sentence(err.Error()), nil
		return nil
	}
	if stored := c.Money(f.Price); e.Charge.Gross != stored && e.Charge.Gross != stored.Neg() {
		e.Note = "The rate or the rounding has changed since this call was priced: the price stored with the call, " + stored.String() + ", stands."
	}
	return nil
}

// formula is a deck's formula; only Yeti's rounding is a setting.
func formula(p rating.Preset, setting rating.Rounding) rating.Formula {
	if p == rating.PresetYeti && setting.Mode != 0 {
		return rating.Formula{Preset: p, Rounding: setting}
	}
	return rating.Formula{Preset: p}
}
