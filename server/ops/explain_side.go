package ops

import (
	"fmt"

	"billd/rating"
	"billd/storage"
)

// ExplainedSide is how one side of a charged call came to its price.
type ExplainedSide struct {
	Account  *rating.Account
	Deck     string
	DeckID   rating.DeckID
	Rate     rating.RateID // 0 where Note says why no rate counts
	RateName string
	Prefix   string
	Terms    rating.Terms
	Charge   rating.Charge
	Steps    []rating.ChargeStep
	Currency rating.Currency
	Note     string // what keeps the steps from being the whole truth
}

// ExplainSide repeats the charge of one side of a call with the figures that the call carries; nil if it has none. Where
// the rate still says the same its further terms count too, as they did then; a result that differs from the stored
// price says so.
func ExplainSide(tx *storage.Tx, c *rating.CDR, side rating.Side) (*ExplainedSide, error) {
	id, vat, setting := c.Customer(), rating.Percent(c.Int(rating.CDRCustomerAccVAT)), tx.Settings().CustomerRounding
	if side == rating.VendorSide {
		id, vat, setting = c.Vendor(), 0, tx.Settings().VendorRounding
	}
	if id == 0 {
		return nil, nil
	}
	a, err := tx.Accounts.Get(uint64(id))
	if err != nil {
		return nil, err
	}
	e := &ExplainedSide{Account: a, Currency: a.Currency}
	f := side.Fields()
	counter, _, seconds, covered := c.Draw()
	switch {
	case c.Origin == rating.History:
		e.Note = "This call is another system's history: its price was taken as given."
		return e, nil
	case !c.Bool(rating.CDRSuccess):
		e.Note = "The call was not answered, so nothing is owed."
		return e, nil
	case !c.Has(f.Rate):
		e.Note = "No rate was found for this side."
		return e, nil
	case covered && side == rating.CustomerSide:
		e.Note = fmt.Sprintf("Package counter %d paid for the call: it took %d s of bundled time, and nothing is owed.", counter, seconds)
		return e, nil
	}
	return e, e.charge(tx, c, f, chargedAt{vat, setting})
}

// chargedAt is what a side is charged at beside its rate.
type chargedAt struct {
	vat     rating.Percent
	setting rating.Rounding
}

func (e *ExplainedSide) charge(tx *storage.Tx, c *rating.CDR, f *rating.SideFields, at chargedAt) error {
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
	formula := rating.Formula{Preset: preset}
	if preset == rating.PresetYeti && at.setting.Mode != 0 { // only Yeti's rounding is a setting
		formula.Rounding = at.setting
	}
	e.Charge, e.Steps, err = e.Terms.Explain(c.Seconds(), at.vat, formula, e.Currency)
	if err != nil {
		e.Note, e.Steps = err.Error(), nil
		return nil
	}
	if stored := c.Money(f.Price); e.Charge.Gross != stored && e.Charge.Gross != stored.Neg() {
		e.Note = "The rate or the rounding has changed since this call was priced: the price stored with the call, " + stored.String() + ", stands."
	}
	return nil
}
