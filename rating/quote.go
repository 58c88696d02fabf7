package rating

import "time"

// Quote is what a call would cost: the rate that matches and the charge it makes.
type Quote struct {
	Deck   *PricedDeck
	Match  Match
	Charge Charge
	Steps  []ChargeStep // of the charge alone
}

// Ask is a call that is asked about.
type Ask struct {
	Number  string
	Seconds uint32
	At      time.Time
	VAT     Percent
}

// Explain prices a call on decks as Bill prices the customer's side of one, and says how: the longest
// prefix wins, and among equals the earlier deck.
//
// Fails with NotFound if no rate matches, else as Terms.Charge does. A blocked rate is quoted too.
func Explain(decks []*PricedDeck, a Ask, s *Settings) (Quote, error) {
	deck, m, ok := best(decks, a.Number, a.At.UnixMilli())
	if !ok {
		return Quote{}, Errorf(NotFound, "number", "no rate matches %s", clip(a.Number))
	}
	c, steps, err := m.Terms.Explain(a.Seconds, a.VAT, deck.formula(s.CustomerRounding), deck.Currency)
	return Quote{Deck: deck, Match: m, Charge: c, Steps: steps}, err
}
