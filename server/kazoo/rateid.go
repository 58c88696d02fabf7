package kazoo

import (
	"fmt"
	"strconv"
	"strings"

	"billd/rating"
	"billd/storage"
)

// rateISO is the country code that a rate is shown with: its own or, of a row that came another way than
// through Kazoo, that of the country its prefix belongs to; "" for none.
func rateISO(tx *storage.Tx, r *rating.Rate) string {
	if r.Extra.ISO != "" || r.KazooID != "" {
		return r.Extra.ISO
	}
	return tx.Numbering().ISO2(r.Prefix)
}

// rateID is what Kazoo knows a rate by: its own id, or one made of country and prefix for rows that came
// another way, with the number behind it where another rate has that (R6).
func rateID(tx *storage.Tx, r *rating.Rate) (string, error) {
	if r.KazooID != "" {
		return r.KazooID, nil
	}
	id := firstOf(strings.ToUpper(rateISO(tx, r)), "XX") + "-" + r.Prefix
	free, err := tx.KazooIDFree(r, id)
	if err == nil && !free {
		id = fmt.Sprintf("%s-%d", id, r.ID)
	}
	return id, err
}

// rateCalled finds a deck's rate by its id, whichever way it came by that. Fails with NotFound if there
// is none.
func rateCalled(tx *storage.Tx, d *rating.Deck, id string) (*rating.Rate, error) {
	id = strings.ReplaceAll(id, "\x00", "")
	r, err := tx.RateByKazooID(d.ID, id)
	if err == nil || rating.KindOf(err) != rating.NotFound {
		return r, err
	}
	is := func(r *rating.Rate) (bool, error) {
		if r.Deck != d.ID || r.KazooID != "" || r.Gen > d.Generation || !r.ValidAt(tx.Now()) {
			return false, nil
		}
		its, err := rateID(tx, r)
		return its == id, err
	}
	if n, err := strconv.ParseUint(id[strings.LastIndexByte(id, '-')+1:], 10, 64); err == nil {
		r, err := tx.Rates.Get(n)
		if err != nil && rating.KindOf(err) != rating.NotFound {
			return nil, err
		}
		if err == nil {
			if found, err := is(r); found || err != nil {
				return r, err
			}
		}
	}
	for at := range len(id) { // a code or a prefix may hold a dash of its own
		if id[at] != '-' || len(id)-at-1 > 4*rating.MaxPrefix {
			continue
		}
		var found *rating.Rate
		err := tx.RatesAt(d.ID, id[at+1:], func(r *rating.Rate) (bool, error) {
			ok, err := is(r)
			if ok {
				found = r
			}
			return !ok, err
		})
		if found != nil || err != nil {
			return found, err
		}
	}
	return nil, rating.Errorf(rating.NotFound, "rate", "no such rate")
}
