package ops

import (
	"cmp"
	"context"

	"billd/rating"
	"billd/storage"
)

// Price prices calls as Explain does, without saying how, and calls each with every ask's number and answer,
// in order. The error of an ask that has no price is each's; Price fails if the store does, or as each fails.
func Price(ctx context.Context, env *Env, asks []ExplainArgs, each func(i int, a rating.Ask, q rating.Quote, err error) error) error {
	now, settings, catalog := env.DB.Now(), env.DB.Settings(), env.DB.Catalog()
	for i := range asks {
		ask, err := askOf(asks[i], now)
		var q rating.Quote
		if err == nil {
			q, err = price(ctx, env.DB, catalog, settings, &ask, &asks[i])
		}
		if err != nil && rating.KindOf(err) == rating.Internal {
			return err
		}
		if err := each(i, ask, q, err); err != nil {
			return err
		}
	}
	return nil
}

// price quotes one call.
func price(ctx context.Context, db *storage.DB, catalog *storage.Catalog, settings *rating.Settings, ask *rating.Ask, args *ExplainArgs) (rating.Quote, error) {
	if args.Account == "" {
		name := cmp.Or(args.Deck, "default")
		d := catalog.Named(name)
		if d == nil {
			return rating.Quote{}, rating.Errorf(rating.NotFound, "deck", "deck %.100q does not exist", name)
		}
		return rating.QuoteOf([]*rating.PricedDeck{d}, *ask, settings)
	}
	payer, err := db.Payer(ctx, args.Account)
	if err != nil {
		return rating.Quote{}, err
	}
	ask.VAT = payer.Account.VAT
	return rating.QuoteOf(payer.Decks, *ask, settings)
}
