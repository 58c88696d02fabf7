package rating

// QuoteOf is Explain without the steps, for who asks by the thousand.
//
// Package minutes that an account may have are not looked at. Fails as Explain does.
func QuoteOf(decks []*PricedDeck, a Ask, s *Settings) (Quote, error) {
	deck, m, ok := best(decks, a.Number, a.At.UnixMilli(), a.Direction)
	if !ok {
		return Quote{}, Errorf(NotFound, "number", "no rate matches %s", clip(a.Number))
	}
	c, err := m.Terms.Charge(a.Seconds, a.VAT, deck.formula(s.CustomerRounding))
	return Quote{Deck: deck, Match: m, Charge: c}, err
}
