package ops

import (
	"cmp"
	"context"

	"billd/rating"
	"billd/storage"
)

// Price prices calls as Explain does, without saying how, and calls each with every ask's number and answer,
// in order. The error of an ask that has no price is each's; Price fails if the store does, or as each fails.
// Asks that name no account are answered from memory.
func Price(ctx context.Context, env *Env, asks []ExplainArgs, each func(i int, a rating.Ask, q rating.Quote, err error) error) error {
	inStore := false
	for i := range asks {
		inStore = inStore || asks[i].Account != ""
	}
	if inStore {
		return env.DB.View(ctx, func(tx *storage.Tx) error { return priceAll(env.DB, tx, asks, each) })
	}
	return priceAll(env.DB, nil, asks, each)
}

func priceAll(db *storage.DB, tx *storage.Tx, asks []ExplainArgs, each func(int, rating.Ask, rating.Quote, error) error) error {
	now, settings, catalog := db.Now(), db.Settings(), db.Catalog()
	for i := range asks {
		ask, err := askOf(asks[i], now)
		var q rating.Quote
		if err == nil {
			q, err = price(tx, catalog, settings, &ask, &asks[i])
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

// price quotes one call; tx may be nil when args names no account.
func price(tx *storage.Tx, catalog *storage.Catalog, settings *rating.Settings, ask *rating.Ask, args *ExplainArgs) (rating.Quote, error) {
	if args.Account == "" {
		name := cmp.Or(args.Deck, "default")
		d := catalog.Named(name)
		if d == nil {
			return rating.Quote{}, rating.Errorf(rating.NotFound, "deck", "deck %.100q does not exist", name)
		}
		return rating.QuoteOf([]*rating.PricedDeck{d}, *ask, settings)
	}
	payer, err := tx.Payer(args.Account)
	if err != nil {
		return rating.Quote{}, err
	}
	ask.VAT = payer.Account.VAT
	return rating.QuoteOf(payer.Decks, *ask, settings)
}
