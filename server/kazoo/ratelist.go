package kazoo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"billd/rating"
	"billd/storage"
)

// rateRow is a rate in a listing.
func rateRow(tx *storage.Tx, r *rating.Rate) (document, error) {
	id, err := rateID(tx, r)
	if err != nil {
		return nil, err
	}
	row := document{"id": id, "prefix": prefixValue(r.Prefix), "cost": json.Number(r.Terms.Next.Price.Number()), "surcharge": number(r.Terms.ConnectFee)}
	if r.Name != "" {
		row["name"] = r.Name
	}
	if r.Extra.Description != "" {
		row["description"] = r.Extra.Description
	}
	if carrier := readDocument(r.Extra.Doc)["carrier"]; carrier != nil {
		row["carrier"] = carrier
	}
	return row, nil
}

// listRates lists a deck in order of prefixes; with prefix, the documents of all rates that a number
// of these digits falls under.
func listRates(x *exchange) (*answer, error) {
	name, err := x.deckAsked()
	if err != nil {
		return nil, err
	}
	size, err := x.pageSize()
	if err != nil {
		return nil, err
	}
	p := &page{start: x.setting("start_key")}
	var from string
	var after uint64
	if p.start != "" {
		text, err := decodeKey(p.start)
		if err != nil {
			return nil, err
		}
		if _, err := fmt.Sscanf(text, "%d %s", &after, &from); err != nil {
			return nil, invalid("start_key", "invalid", "start_key is not one that a listing gave", "value", clip(p.start))
		}
	}
	f, err := x.filters()
	if err != nil {
		return nil, err
	}
	rows, read := []document{}, 0
	err = x.view(func(tx *storage.Tx) error {
		d, err := deckCalled(tx, name)
		if rating.KindOf(err) == rating.NotFound {
			return nil
		}
		if err != nil {
			return err
		}
		if digits := cleanPrefix(x.setting("prefix")); digits != "" {
			for n := 1; n <= len(digits); n++ {
				err := eachRateAt(tx, d, digits[:n], func(r *rating.Rate) error {
					view, err := rateView(tx, d, r)
					if err == nil && f.pass(view) {
						rows = append(rows, view)
					}
					return err
				})
				if err != nil {
					return err
				}
			}
			return nil
		}
		return tx.RatesFrom(d.ID, from, rating.RateID(after), func(r *rating.Rate) (bool, error) {
			if !r.ValidAt(tx.Now()) {
				return true, nil
			}
			if read++; size > 0 && len(rows) == size || size > 0 && read > maxScanned {
				p.next = encodeKey(fmt.Sprintf("%d %s", max(uint64(r.ID), 1)-1, r.Prefix))
				return false, nil
			}
			row, err := rateRow(tx, r)
			if full := x.flag("full_docs"); err == nil && (full || len(f.tests) > 0) {
				view, err := rateView(tx, d, r)
				if err != nil || !f.pass(view) {
					return true, err
				}
				if full {
					row = view
				}
			}
			if len(rows) == maxUnpaged {
				return false, invalid("paginate", "maximum", "too many rows: ask for pages", "target", maxUnpaged)
			}
			rows = append(rows, row)
			return true, err
		})
	})
	if err != nil {
		return nil, err
	}
	p.size = len(rows)
	return &answer{data: rows, page: p}, nil
}

// maxScanned bounds how many rates one page of a filtered listing reads; the next page goes on behind.
const maxScanned = 50_000

// eachRateAt calls fn with the rates of one prefix that are valid now.
func eachRateAt(tx *storage.Tx, d *rating.Deck, prefix string, fn func(*rating.Rate) error) error {
	return tx.RatesAt(d.ID, prefix, func(r *rating.Rate) (bool, error) {
		if r.ValidAt(tx.Now()) {
			return true, fn(r)
		}
		return true, nil
	})
}

func listDecks(x *exchange) (*answer, error) {
	names := []string{}
	err := x.view(func(tx *storage.Tx) error {
		return tx.Decks.Each(0, func(d *rating.Deck) (bool, error) {
			if d.Vendor == 0 {
				names = append(names, deckName(d))
			}
			return true, nil
		})
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	return &answer{data: names, status: http.StatusOK}, nil
}
