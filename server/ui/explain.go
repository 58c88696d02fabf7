package ui

import (
	"billd/rating"
	"billd/server/ops"
	"billd/storage"
)

// explained says how one side of a call came to its price.
type explained struct {
	Title   string
	Account accountLink
	*ops.ExplainedSide
}

// formula is a deck's formula; only Yeti's rounding is a setting.
func formula(p rating.Preset, setting rating.Rounding) rating.Formula {
	if p == rating.PresetYeti && setting.Mode != 0 {
		return rating.Formula{Preset: p, Rounding: setting}
	}
	return rating.Formula{Preset: p}
}

// explainCall explains both sides of a stored call, as far as it has them.
func (u *UI) explainCall(tx *storage.Tx, c *rating.CDR, row *callRow) (sides []explained, err error) {
	for _, side := range []struct {
		title   string
		side    rating.Side
		account accountLink
	}{{"What the customer pays", rating.CustomerSide, row.Customer}, {"What the vendor gets", rating.VendorSide, row.Vendor}} {
		e, err := ops.ExplainSide(tx, c, side.side)
		if err != nil {
			return nil, err
		}
		if e != nil {
			sides = append(sides, explained{side.title, side.account, e})
		}
	}
	return sides, nil
}
