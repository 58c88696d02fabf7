package ops

import (
	"context"
	"time"

	"billd/rating"
	"billd/rating/deckcsv"
)

// open begins to read the file.
func (j *ratesJob) open(ctx context.Context, args ImportRatesArgs, zone *time.Location, o *IO) (listReader, error) {
	opts, err := deckOptions(args, zone)
	if err != nil {
		return nil, err
	}
	rd, err := openList(UntilDone(ctx, o.In), args.Sheet, opts)
	if err != nil {
		return nil, j.unreadable(ctx, err)
	}
	return rd, nil
}

// roundsAs fails with Invalid if the list wants a row's charges rounded, and the deck rounds them otherwise:
// where every charge has few enough decimals, no rounding changes it.
func (j *ratesJob) roundsAs(row *deckcsv.Row) error {
	want, deck := row.Rounding, j.im.Deck()
	if want.Mode == 0 {
		return nil
	}
	side, setting := "customer", j.settings.CustomerRounding
	if deck.Vendor != 0 {
		side, setting = "vendor", j.settings.VendorRounding
	}
	have := deck.Preset.Formula(setting).InForce()
	if have == want || row.Terms.Exact(int(min(want.Places, have.Places))) {
		return nil
	}
	return rating.Broken("rounding", "inclusion", "", "the list rounds charges %s at %d decimals, deck %s %s at %d: billd can round so in a deck of preset yeti, "+
		"with the settings rounding.%s.mode and rounding.%s.precision", want.Mode, want.Places, deck.Name, have.Mode, have.Places, side, side)
}
